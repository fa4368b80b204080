import { readDeletedMeanwhile } from '../../db/tickets/deletion.queries.ts';
import { readOpenPromises } from '../../db/tickets/life.queries.ts';
import { readLastReply } from '../../db/tickets/replies.queries.ts';
import { cancel, complete, followStatus } from '../../workflows/tickets/clocks.ts';
import type { Planned } from '../../workflows/tickets/plan.ts';
import type { TicketStatus } from '../../workflows/tickets/policy.ts';
import { remindedAt } from '../../workflows/tickets/waiting.ts';
import { notify, watchersOf } from './notifications.ts';
import type { Move } from './save.ts';
import { type TicketCase, withClocks } from './ticket-case.ts';

/** What another status means: the clocks stand still, run on, or go on as they were. */
export function withStatus(
  ticketCase: TicketCase,
  status: TicketStatus,
  cause: string,
): Pick<Move, 'values' | 'clocks' | 'inForce'> {
  const by = ticketCase.inForce && { ...ticketCase.inForce, status };
  const clocks = withClocks(ticketCase, (clock) => (by ? followStatus(clock, by, ticketCase.change.at, cause) : clock));
  return { values: { status }, clocks, inForce: by };
}

/**
 * What the resolution at `at` means. What nobody has answered is not waited for any more: that is no answer in time, and
 * has no time to answer.
 */
export function resolvedAt(ticketCase: TicketCase, at: Date): Pick<Move, 'values' | 'clocks'> {
  return {
    values: { stage: 'resolved', status: 'resolved', resolvedAt: at, routeAgainAt: null },
    clocks: withClocks(ticketCase, (clock, by) =>
      clock.target === 'resolution' ? complete(clock, by, at) : cancel(clock, by, at, 'resolved without an answer'),
    ),
  };
}

/**
 * The customer has stayed silent for as long as the policy waits: resolved as of the end of that time, however late it
 * was noticed. Whoever is owed an answer, or never got the last one, was asked nothing, and whoever wrote while the
 * ticket was deleted was not silent: their ticket is open again instead. They have the whole time from when the last
 * reply has left, which may be long after it was written, and from a restoration of the ticket.
 */
export async function endOfSilence(ticketCase: TicketCase, planned: Planned): Promise<Move> {
  const { em, change, ticket } = ticketCase;
  const { answers } = await readOpenPromises(em, ticket);
  if (answers.length > 0) return resumed(ticketCase, planned, 'the customer is owed an answer');
  const last = await readLastReply(em, ticket);
  if (last?.isUndelivered) return resumed(ticketCase, planned, 'the last reply did not reach the customer');
  const { restoredAt, hasFollowUp } = await readDeletedMeanwhile(em, ticket);
  if (hasFollowUp) return resumed(ticketCase, planned, 'the customer wrote to a follow-up ticket');
  const leftAt = last?.isLeaving ? change.at : (last?.deliveredAt ?? null);
  const since = [leftAt, restoredAt].find(
    (at) => at !== null && ticket.waitingSince !== null && at > ticket.waitingSince,
  );
  if (since) return { told: null, values: remindedAt(ticket, since) };
  const watchers = await watchersOf(em, ticket);
  const summary = 'resolved by itself: no word from the customer';
  return {
    told: { kind: 'ticket.resolved', summary, details: { dueAt: planned.dueAt.toISOString() } },
    ...resolvedAt(ticketCase, planned.dueAt),
    rows: watchers.flatMap((userId) => notify(change, userId, 'resolved', ticket)),
    step: { planned, userId: watchers[0] ?? null, outcome: 'resolved by itself' },
  };
}

/** A hold has lasted for as long as the policy lets it. */
export function endOfHold(ticketCase: TicketCase, planned: Planned): Promise<Move> {
  return resumed(ticketCase, planned, 'the hold has ended');
}

async function resumed(ticketCase: TicketCase, planned: Planned, why: string): Promise<Move> {
  const { em, change, ticket } = ticketCase;
  const watchers = await watchersOf(em, ticket);
  return {
    told: { kind: 'ticket.status', summary: `status ${ticket.status} → open by itself: ${why}` },
    ...withStatus(ticketCase, 'open', why),
    rows: watchers.flatMap((userId) => notify(change, userId, 'resumed', ticket)),
    step: { planned, userId: watchers[0] ?? null, outcome: `open again: ${why}` },
  };
}
