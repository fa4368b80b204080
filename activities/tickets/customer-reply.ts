import type { Insertion } from '../../db/model/set-based.ts';
import { hasLeftTeam, readPresence } from '../../db/tickets/facts.queries.ts';
import { clockNumbers } from '../../db/tickets/life.queries.ts';
import type { TicketRow } from '../../db/tickets/ticket-state.queries.ts';
import { beginClock, type Clock, followStatus } from '../../workflows/tickets/clocks.ts';
import { isOpenStage, type SlaTarget, type TicketStatus } from '../../workflows/tickets/policy.ts';
import { isPromised } from '../../workflows/tickets/promises.ts';
import { keptTerms } from '../../workflows/tickets/terms.ts';
import { isKnownMessage, messageRows } from './conversation.ts';
import { notify, otherThanActor } from './notifications.ts';
import { followUp, forward, type Written } from './passing-on.ts';
import { route } from './rerouting.ts';
import { type Move, save, type Saved } from './save.ts';
import { termsInForce, type TicketCase } from './ticket-case.ts';

/**
 * The customer wrote. At work: a clock of next response begins, and nobody waits for the customer any more. Resolved or
 * closed: within the window of the policy the ticket is open again; later, and when the ticket was deleted, a follow-up
 * ticket is opened with the message, and those after it go on to that. A message whose Message-ID the ticket knows changes
 * nothing; one on a merged ticket goes on to where that went.
 */
export async function customerReply(ticketCase: TicketCase, { messageId, text }: Written): Promise<Saved> {
  const { em, change, ticket } = ticketCase;
  if (ticket.mergedIntoTicketId !== null)
    return forward(ticketCase, ticket.mergedIntoTicketId, { messageId, text }, 'the ticket that this one went into');
  if (isOver(ticket, change.at)) {
    if (await isKnownMessage(em, change, ticket.id, messageId)) return save(ticketCase, { told: null });
    return followUp(ticketCase, { messageId, text });
  }
  const rows = await messageRows(em, change, ticket, { kind: 'customer', text, messageId });
  if (rows.length === 0) return save(ticketCase, { told: null });
  if (!isOpenStage(ticket.stage)) {
    const cause = { isCustomer: true, why: 'the customer wrote again' };
    return save(ticketCase, await reopened(ticketCase, cause, rows));
  }
  const status: TicketStatus = ticket.status === 'waiting_for_customer' ? 'open' : ticket.status;
  return save(ticketCase, {
    told: null,
    values: { status, lastCustomerMessageAt: change.at },
    ...clocksAt(ticketCase, status, ['next_response']),
    rows: [...rows, ...notify(change, ticket.assignedUserId, 'customer_replied', ticket)],
  });
}

/** Whether nothing that its customer writes opens a ticket again. */
function isOver({ stage, deletedAt, resolvedAt, closedAt, slaTerms }: TicketRow, at: Date): boolean {
  if (deletedAt !== null) return true;
  if (isOpenStage(stage)) return false;
  const since = resolvedAt ?? closedAt;
  const minutes = keptTerms(slaTerms).reopenWithinMinutes;
  return since === null || at.getTime() > since.getTime() + minutes * 60_000;
}

/** The clocks in a status, with new ones of these targets that begin with the change. */
function clocksAt(
  ticketCase: TicketCase,
  status: TicketStatus,
  targets: readonly SlaTarget[],
): Pick<Move, 'clocks' | 'inForce'> {
  const { change, life, inForce, ticket } = ticketCase;
  if (!inForce) return {};
  const by = { ...inForce, status };
  const followed = life.clocks.map((clock) => followStatus(clock, by, change.at, `status ${status}`));
  const next = clockNumbers(life);
  // The answer that the opening waits for answers this message as well.
  const isFirstLife = ticket.reopenCount === 0 && isOpenStage(ticket.stage);
  const awaitsFirst = isFirstLife && ticket.firstRepliedAt === null && isPromised('first_response', by);
  const begun = targets
    .filter((target) => target !== 'next_response' || !awaitsFirst)
    .map((target) =>
      beginClock(
        {
          ...next(target),
          target,
          startedAt: change.at,
          cause: target === 'resolution' ? 'reopened' : 'message of the customer',
        },
        by,
      ),
    )
    .filter((clock): clock is Clock => clock !== null);
  return { clocks: [...followed, ...begun], inForce: by };
}

/**
 * A resolved or closed ticket is at work again: with the agent who had it, if they are there, else routed. A new clock of
 * resolution begins; when the customer wrote, one of next response as well. A policy version that was applied to open
 * tickets in the meantime holds from here on.
 */
export async function reopened(
  ticketCase: TicketCase,
  { isCustomer, why }: { isCustomer: boolean; why: string },
  rows: Insertion[],
): Promise<Move> {
  const { em, change, ticket } = ticketCase;
  const inForce = termsInForce(ticketCase);
  const agent = ticket.assignedUserId;
  const presence = agent === null ? null : await readPresence(em, agent, change.at);
  const stays = presence?.isThere === true && !(await hasLeftTeam(em, ticket));
  const told = isCustomer
    ? notify(change, agent, 'customer_replied', ticket)
    : notify(change, otherThanActor(change, agent), 'reopened', ticket);
  const routed = stays ? null : await route(ticketCase, why, { excludeUserIds: agent === null ? [] : [agent] });
  return {
    told: { kind: 'ticket.reopened', summary: routed?.told ? `reopened; ${routed.told.summary}` : why },
    values: {
      stage: 'assigned',
      routeAgainAt: presence?.awayFrom ?? null,
      ...routed?.values,
      status: 'open',
      resolvedAt: null,
      closedAt: null,
      reopenCount: ticket.reopenCount + 1,
      ...(isCustomer ? { lastCustomerMessageAt: change.at } : {}),
      ...inForce.values,
    },
    ...clocksAt(
      { ...ticketCase, inForce: inForce.inForce },
      'open',
      isCustomer ? ['next_response', 'resolution'] : ['resolution'],
    ),
    rows: [...rows, ...(routed?.rows ?? []), ...(stays ? told : [])],
    statements: routed?.statements ?? [],
  };
}
