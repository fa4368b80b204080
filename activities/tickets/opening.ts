import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import { answerStatement } from '../../db/automation/answers.queries.ts';
import { baseColumns, type Change, timelineRow } from '../../db/model/changes.ts';
import { gather, type Insertion, insertRows } from '../../db/model/set-based.ts';
import { readPresence } from '../../db/tickets/facts.queries.ts';
import {
  nextTicketNumber,
  type Opening,
  type OpeningContext,
  readOpeningContext,
} from '../../db/tickets/opening.queries.ts';
import { SlaClock } from '../../db/tickets/sla-clock.ts';
import { answerJson, type TicketRow } from '../../db/tickets/ticket-state.queries.ts';
import { Ticket } from '../../db/tickets/ticket.ts';
import { beginClock, type Clock, type TermsInForce } from '../../workflows/tickets/clocks.ts';
import { ticketFacts } from '../../workflows/tickets/facts.ts';
import { isWatched } from '../../workflows/tickets/plan.ts';
import { choosePolicy } from '../../workflows/tickets/policy-choice.ts';
import { completePerson, newPerson } from '../leads/people.ts';
import { messageRows } from './conversation.ts';
import { notify, unattended } from './notifications.ts';
import { routeTicket } from './routing.ts';
import { clockRow, plan, type Saved } from './save.ts';

/**
 * The whole decision on an opening in the transaction that locked it: requester matched or made, policy, routing, clocks,
 * audit trail, notification, answer. Keyed on the ticket: a second call finds the row (null here) and changes nothing.
 */
export async function open(em: EntityManager, opening: Opening, at: Date): Promise<Saved | null> {
  const context = await readOpeningContext(em, opening);
  if (context.isDecided) return null;
  const { organizationId, ticketId, actor, commandId, receivedAt, body } = opening;
  const change: Change = { organizationId, actor, at, subjectType: 'ticket', subjectId: ticketId, commandId };
  // What the customer did was done when it came, however late the decision.
  const asReceived: Change = { ...change, at: receivedAt };
  const { requester } = body;
  const emailStatus = context.person?.emailStatus ?? 'unknown';
  const described = requester && { ...requester, country: null, consent: null };
  const known =
    context.person && described
      ? {
          ...(await completePerson(em, change, context.person, described, emailStatus)),
          country: context.person.country,
        }
      : context.person;
  const person = known ?? {
    id: uuidv7(),
    fullName: requester?.fullName ?? '',
    primaryEmail: requester?.email ?? null,
    primaryPhone: requester?.phone ?? null,
    emailStatus,
    country: null,
  };

  const facts = ticketFacts(body, { account: context.account, requester: person });
  const { policy, tried } = choosePolicy(context.policies, facts);
  const received: TicketRow = {
    ...receivedTicket(change, opening, context, person.id),
    number: await nextTicketNumber(em, organizationId),
    slaPolicyId: policy?.id ?? null,
    slaPolicyVersion: policy?.version ?? null,
    slaTerms: policy?.terms ?? null,
    policiesTried: tried as unknown as Record<string, unknown>[],
  };
  const inForce: TermsInForce | null = policy && {
    policyId: policy.id,
    policyVersion: policy.version,
    terms: policy.terms,
    calendar: policy.calendar,
    priority: body.priority,
    status: 'open',
  };
  const clocks = inForce ? firstClocks(receivedAt, inForce) : [];
  const routed = await routeTicket(em, change, received, facts, { excludeUserIds: [] });
  const awayFrom = routed.userId === null ? null : (await readPresence(em, routed.userId, at)).awayFrom;
  const given: TicketRow = {
    ...received,
    ...routed.values,
    routeAgainAt: routed.userId === null ? routed.retryAt : awayFrom,
  };
  const { next, values } = plan(given, clocks, inForce, [], { met: false, breached: false });
  const ticket: TicketRow = { ...given, ...values };
  const { mail, messageId, description, followUpOfTicketId } = body;
  const said =
    mail === undefined && followUpOfTicketId === null
      ? []
      : await messageRows(em, asReceived, ticket, { kind: 'customer', text: description ?? undefined, messageId });
  const rows: Insertion[] = [
    ...(known || !described ? [] : [newPerson(change, person.id, described, emailStatus)]),
    { into: Ticket, rows: [ticket as unknown as Record<string, unknown>] },
    { into: SlaClock, rows: clocks.map((clock) => clockRow(change, ticketId, clock)) },
    timelineRow(asReceived, 'ticket.opened', `ticket #${ticket.number} opened by ${ticket.channel}`, {
      followUpOfTicketId: ticket.followUpOfTicketId,
    }),
    timelineRow(change, routed.userId === null ? 'ticket.queued' : 'ticket.assigned', routed.reason.slice(0, 500), {
      userId: routed.userId,
      round: ticket.round,
    }),
    ...routed.rows,
    ...said,
    ...(routed.userId === null
      ? isWatched(clocks, inForce, [])
        ? []
        : await unattended(em, change, ticket)
      : notify(change, routed.userId, 'assigned', ticket)),
  ];
  await insertRows(em, gather(rows), [
    ...routed.statements,
    answerStatement(organizationId, commandId, 201, answerJson(actor, ticket, person)),
  ]);
  return { ticket, clocks, next };
}

/** The promises that begin with the opening; they count from its receipt. */
function firstClocks(startedAt: Date, inForce: TermsInForce): Clock[] {
  return (['first_response', 'resolution'] as const)
    .map((target) => beginClock({ id: uuidv7(), target, ordinal: 1, startedAt, cause: 'opened' }, inForce))
    .filter((clock): clock is Clock => clock !== null);
}

/** The row of a ticket before anything was decided on it. */
function receivedTicket(
  change: Change,
  { receivedAt, body }: Opening,
  { account }: OpeningContext,
  requesterPersonId: string,
): TicketRow {
  const { subject, description, channel, category, priority, skills, followUpOfTicketId } = body;
  return {
    id: change.subjectId,
    ...baseColumns(change),
    number: 0,
    subject,
    description,
    requesterPersonId,
    accountId: account?.id ?? null,
    channel,
    category,
    priority,
    skills,
    status: 'open',
    stage: 'received',
    sla: null,
    slaPolicyId: null,
    slaPolicyVersion: null,
    slaTerms: null,
    routingRuleId: null,
    routingRuleVersion: null,
    teamId: null,
    assignedUserId: null,
    assignedAt: null,
    round: 0,
    nextStep: null,
    nextDueAt: null,
    routeAgainAt: null,
    openedAt: receivedAt,
    firstRepliedAt: null,
    lastCustomerMessageAt: null,
    waitingSince: null,
    waitCount: 0,
    resolvedAt: null,
    closedAt: null,
    reopenCount: 0,
    mergedIntoTicketId: null,
    followUpOfTicketId,
    policiesTried: null,
  } as TicketRow;
}
