import { timelineRow } from '../../db/model/changes.ts';
import { Problem } from '../../db/model/problem.ts';
import { readFacts } from '../../db/tickets/facts.queries.ts';
import { readOpenPromises } from '../../db/tickets/life.queries.ts';
import { readPolicies } from '../../db/tickets/policies.queries.ts';
import { cancel, complete, type TermsInForce } from '../../workflows/tickets/clocks.ts';
import type { ticketProcess } from '../../workflows/tickets/messages.ts';
import { choosePolicy } from '../../workflows/tickets/policy-choice.ts';
import { remindedAt } from '../../workflows/tickets/waiting.ts';
import type { MessageName, PayloadOf } from '../../workflows/processes/messages.ts';
import { messageRows } from './conversation.ts';
import { customerReply, reopened } from './customer-reply.ts';
import { mergeInto } from './merging.ts';
import { route } from './rerouting.ts';
import { type Move, save, type Saved } from './save.ts';
import { resolvedAt, withStatus } from './status.ts';
import { recomputeAll, type TicketCase, withClocks } from './ticket-case.ts';

type TicketMessage = MessageName<typeof ticketProcess>;
type Payload<N extends TicketMessage> = PayloadOf<typeof ticketProcess, N>;

/** Applies a message to a locked ticket whose stage allows it; answers the ticket as it is afterwards. */
export async function applyToTicket(ticketCase: TicketCase, name: string, payload: unknown): Promise<Saved> {
  switch (name as TicketMessage) {
    case 'reply':
      return reply(ticketCase, payload as Payload<'reply'>);
    case 'customerReply':
      return customerReply(ticketCase, payload as Payload<'customerReply'>);
    case 'note':
      return note(ticketCase, payload as Payload<'note'>);
    case 'setPriority':
      return setPriority(ticketCase, payload as Payload<'setPriority'>);
    case 'setStatus':
      return setStatus(ticketCase, payload as Payload<'setStatus'>);
    case 'assign':
      return assign(ticketCase, payload as Payload<'assign'>);
    case 'resolve':
      return resolve(ticketCase, payload as Payload<'resolve'>);
    case 'reopen':
      return reopen(ticketCase, payload as Payload<'reopen'>);
    case 'merge':
      return mergeInto(ticketCase, payload as Payload<'merge'>);
    case 'close':
      return close(ticketCase);
    default:
      throw new Problem('not_found', `A ticket has no message ${name}.`);
  }
}

/** What a customer wrote after a reply was sent, by whatever way its message overtook it, is not answered by it. */
async function reply(ticketCase: TicketCase, { text, html }: Payload<'reply'>): Promise<Saved> {
  const { em, change, ticket, life } = ticketCase;
  const { at } = change;
  const first = ticket.firstRepliedAt;
  // So is what a merge brought here after it, though it is older.
  const owed = life.mergedAt !== null && life.mergedAt > at ? (await readOpenPromises(em, ticket)).answers : [];
  const later = new Set(owed.filter(({ since }) => since > at).map((answer) => answer.at.getTime()));
  return save(ticketCase, {
    told: null,
    values: { firstRepliedAt: first !== null && first < at ? first : at, ...remindedAt(ticket, at) },
    clocks: withClocks(
      ticketCase,
      (clock, by) => (clock.startedAt > at || later.has(clock.startedAt.getTime()) ? clock : complete(clock, by, at)),
      ['first_response', 'next_response'],
    ),
    rows: await messageRows(em, change, ticket, { kind: 'reply', text, html }),
  });
}

async function note(ticketCase: TicketCase, { text }: Payload<'note'>): Promise<Saved> {
  const { em, change, ticket } = ticketCase;
  return save(ticketCase, { told: null, rows: await messageRows(em, change, ticket, { kind: 'note', text }) });
}

async function setPriority(ticketCase: TicketCase, { priority }: Payload<'setPriority'>): Promise<Saved> {
  const cause = `priority ${ticketCase.ticket.priority} → ${priority}`;
  if (priority === ticketCase.ticket.priority) return save(ticketCase, { told: null });
  return save(ticketCase, {
    told: { kind: 'ticket.prioritized', summary: cause },
    ...(await withPriority(ticketCase, priority, cause)),
  });
}

/** What another priority means; one that waits in the queue is routed again, since another rule may hold for it now. */
export async function withPriority(
  ticketCase: TicketCase,
  priority: Payload<'setPriority'>['priority'],
  cause: string,
): Promise<Pick<Move, 'clocks' | 'inForce' | 'values' | 'rows' | 'statements'>> {
  const { change, ticket } = ticketCase;
  const changed = await prioritized(ticketCase, priority, cause);
  if (ticket.stage !== 'queued') return changed;
  const { values, rows, statements, told } = await route({ ...ticketCase, ticket: { ...ticket, priority } }, cause);
  return {
    ...changed,
    values: { ...changed.values, ...values },
    rows: [...rows, ...(told ? [timelineRow(change, told.kind, told.summary.slice(0, 500), told.details)] : [])],
    statements,
  };
}

/**
 * What another priority, or other facts, mean: every open clock is computed anew from its start. The policy is chosen again, too; when it
 * stays, so do the terms that the ticket has, whatever became of the policy since.
 */
export async function prioritized(
  { em, change, ticket, life, inForce }: TicketCase,
  priority: Payload<'setPriority'>['priority'],
  cause: string,
) {
  const facts = await readFacts(em, { ...ticket, priority });
  const { policy, tried } = choosePolicy(await readPolicies(em), facts);
  const chosen = { priority, policiesTried: tried as unknown as Record<string, unknown>[] };
  const { status } = ticket;
  const by: TermsInForce | null =
    policy === null
      ? null
      : inForce && policy.id === inForce.policyId
        ? { ...inForce, priority }
        : {
            policyId: policy.id,
            policyVersion: policy.version,
            terms: policy.terms,
            calendar: policy.calendar,
            priority,
            status,
          };
  const terms = {
    slaPolicyId: by?.policyId ?? null,
    slaPolicyVersion: by?.policyVersion ?? null,
    slaTerms: by?.terms ?? null,
  };
  const clocks = by
    ? recomputeAll(life, by, change, cause, await readOpenPromises(em, ticket))
    : life.clocks.map((clock) => (inForce ? cancel(clock, inForce, change.at, `${cause}: no policy holds`) : clock));
  return { values: { ...chosen, ...terms }, clocks, inForce: by };
}

async function setStatus(ticketCase: TicketCase, { status }: Payload<'setStatus'>): Promise<Saved> {
  const before = ticketCase.ticket.status;
  if (status === before) return save(ticketCase, { told: null });
  return save(ticketCase, {
    told: { kind: 'ticket.status', summary: `status ${before} → ${status}` },
    ...withStatus(ticketCase, status, `status ${status}`),
  });
}

async function assign(ticketCase: TicketCase, { userId, teamId }: Payload<'assign'>): Promise<Saved> {
  const present = ticketCase.ticket.assignedUserId;
  // Asked for anybody, the rules choose somebody else than who has it, whichever team was chosen before.
  const excludeUserIds = userId === undefined && present !== null ? [present] : [];
  const wish = { userId, teamId: teamId ?? null, excludeUserIds };
  const { values, rows, statements, told } = await route(ticketCase, 'assigned', wish);
  return save(ticketCase, { told, values, rows, statements });
}

async function resolve(ticketCase: TicketCase, { note: text }: Payload<'resolve'>): Promise<Saved> {
  const { em, change, ticket } = ticketCase;
  return save(ticketCase, {
    told: { kind: 'ticket.resolved', summary: 'resolved' },
    ...resolvedAt(ticketCase, change.at),
    rows: text === undefined ? [] : await messageRows(em, change, ticket, { kind: 'note', text }),
  });
}

async function reopen(ticketCase: TicketCase, { reason }: Payload<'reopen'>): Promise<Saved> {
  const { em, change, ticket } = ticketCase;
  const rows = reason === undefined ? [] : await messageRows(em, change, ticket, { kind: 'note', text: reason });
  return save(ticketCase, await reopened(ticketCase, { isCustomer: false, why: 'reopened by command' }, rows));
}

async function close(ticketCase: TicketCase): Promise<Saved> {
  const { at } = ticketCase.change;
  return save(ticketCase, {
    told: { kind: 'ticket.closed', summary: 'closed by command' },
    values: { stage: 'closed', status: 'closed', closedAt: at, routeAgainAt: null },
    clocks: withClocks(ticketCase, (clock, by) => cancel(clock, by, at, 'ticket closed')),
  });
}
