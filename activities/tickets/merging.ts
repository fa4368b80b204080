import { v7 as uuidv7 } from 'uuid';
import { Merge } from '../../db/governance/merge.ts';
import { baseColumns, type Change } from '../../db/model/changes.ts';
import { Problem } from '../../db/model/problem.ts';
import type { Insertion } from '../../db/model/set-based.ts';
import { readOpenPromises } from '../../db/tickets/life.queries.ts';
import { findTicket, type TicketRow } from '../../db/tickets/ticket-state.queries.ts';
import { cancel, type TermsInForce } from '../../workflows/tickets/clocks.ts';
import { finalTicketStages, isOpenStage, type TicketStatus } from '../../workflows/tickets/policy.ts';
import { type OpenPromises, type OwedAnswer, withMerged } from '../../workflows/tickets/promises.ts';
import { remindedAt } from '../../workflows/tickets/waiting.ts';
import { takeOverClocks } from './merged-clocks.ts';
import { conversationMoved } from './moved-conversation.ts';
import { notify, otherThanActor } from './notifications.ts';
import { type Move, save, type Saved } from './save.ts';
import { openCase, recomputeAll, type TicketCase, withClocks } from './ticket-case.ts';

/**
 * Merges a ticket into another one: its conversation moves, and so does what is owed to its customer, with the clocks of
 * that; its others are cancelled, its process ends, and the other's hears of it. Who asked stays on record with the
 * merge. Problem `rule_violation` for a ticket that cannot take it. Both have to be locked.
 */
export async function mergeInto(ticketCase: TicketCase, { intoTicketId }: { intoTicketId: string }): Promise<Saved> {
  const { em, change, ticket } = ticketCase;
  const { at } = change;
  const survivor = await findTicket(em, intoTicketId);
  const hindrance = hindranceOf(ticket, survivor);
  if (!survivor || hindrance !== null)
    throw new Problem('rule_violation', 'The ticket cannot be merged into that one; see errors.', [
      { path: 'intoTicketId', message: hindrance ?? 'is not a ticket of this organisation' },
    ]);

  const { id: survivorId } = survivor;
  const before = { ...ticket };
  const taking = await openCase(em, { ...change, subjectId: survivorId }, survivor);
  const owed = await readOpenPromises(em, ticket);
  const both = withMerged(await readOpenPromises(em, survivor), owed, at);
  const cause = `merged into ticket #${survivor.number}`;
  const moved = await conversationMoved(em, change, ticket.id, survivorId);
  const { from, into, statements } = takeOverClocks(ticketCase, taking, owed, cause);
  const merged = await save(from, {
    told: { kind: 'ticket.merged', summary: cause, details: { intoTicketId: survivorId } },
    values: { stage: 'merged', status: 'merged', mergedIntoTicketId: survivorId, closedAt: at, routeAgainAt: null },
    clocks: withClocks(from, (clock, by) => cancel(clock, by, at, cause)),
    rows: [mergeRow(change, ticket, survivorId, both.answers), ...moved.rows],
    statements: [...moved.statements, ...statements],
  });
  await save(into, absorption(into, before, both, ticketCase.life));
  return merged;
}

/** Why a ticket cannot be merged into another one; null: it can. */
function hindranceOf({ id, stage }: TicketRow, survivor: TicketRow | null): string | null {
  if (survivor === null) return null;
  if (survivor.id === id) return 'is the ticket itself';
  if (survivor.deletedAt !== null) return 'is not a ticket of this organisation';
  if (finalTicketStages.some((final) => final === survivor.stage)) return `is ${survivor.stage}`;
  if (isOpenStage(stage) && !isOpenStage(survivor.stage))
    return 'is resolved, and this ticket is not: reopen that one first, or resolve this one';
  return null;
}

/**
 * What the other ticket does on taking one over: it has the clocks of what it owes now, and tells its agent. Without a
 * policy it keeps none; those that were taken over counted by `calendar`.
 */
function absorption(
  { change, ticket, life, inForce }: TicketCase,
  merged: TicketRow,
  owed: OpenPromises,
  { calendar }: Pick<TermsInForce, 'calendar'>,
): Move {
  const summary = `ticket #${merged.number} was merged into this one`;
  const told = { kind: 'ticket.absorbed', summary, details: { ticketId: merged.id } };
  const isAwaited = owed.answers.some(({ ticketId, since }) => ticketId !== ticket.id && since >= change.at);
  if (!isAwaited) return { told, values: askedToo(ticket, merged) };
  // As when its own customer writes: nobody waits for customers any more.
  const status: TicketStatus = ticket.status === 'waiting_for_customer' ? 'open' : ticket.status;
  const by = inForce && { ...inForce, status };
  const promises = { ...owed, statuses: [...owed.statuses, { at: change.at, status }] };
  const clocks = by
    ? recomputeAll(life, by, change, summary, promises)
    : life.clocks.map((clock) => cancel(clock, { calendar }, change.at, `${summary}: no policy holds`));
  return {
    told,
    values: { status, lastCustomerMessageAt: latest(ticket.lastCustomerMessageAt, merged.lastCustomerMessageAt) },
    clocks,
    inForce: by,
    rows: notify(change, otherThanActor(change, ticket.assignedUserId), 'absorbed', ticket),
  };
}

/** The customer of the merged ticket was asked something as well, maybe later: they have the whole time, too. */
function askedToo(ticket: TicketRow, { status, waitingSince }: TicketRow): Move['values'] {
  return status === 'waiting_for_customer' && waitingSince !== null ? remindedAt(ticket, waitingSince) : {};
}

const latest = (one: Date | null, other: Date | null): Date | null =>
  one !== null && (other === null || one > other) ? one : other;

function mergeRow(
  change: Change,
  { id, number, requesterPersonId, subject }: TicketRow,
  survivorId: string,
  owed: readonly OwedAnswer[],
): Insertion {
  const evidence = { rule: 'by command', number, subject, requesterPersonId, owed };
  const row = { subjectType: 'ticket', survivorId, mergedId: id, evidence, mergedAt: change.at, undoneAt: null };
  return { into: Merge, rows: [{ id: uuidv7(), ...baseColumns(change), ...row }] };
}
