import type { Change } from '../../db/model/changes.ts';
import type { Statement } from '../../db/model/set-based.ts';
import { clockNumbers } from '../../db/tickets/life.queries.ts';
import { type Clock, takenOver } from '../../workflows/tickets/clocks.ts';
import type { OpenPromises } from '../../workflows/tickets/promises.ts';
import type { TicketCase } from './ticket-case.ts';

/**
 * Gives the clocks of what a merged ticket owes its customer to the ticket that it goes into, with the steps that they took:
 * a promise stays one, and what was told of it is not told again. Answers the two cases as they are then, and what writes it.
 */
export function takeOverClocks(
  from: TicketCase,
  into: TicketCase,
  { answers }: OpenPromises,
  cause: string,
): { from: TicketCase; into: TicketCase; statements: Statement[] } {
  const { at, subjectId: fromTicketId } = from.change;
  const next = clockNumbers(into.life);
  const isOwed = ({ target, state, endedAt, startedAt }: Clock) =>
    target !== 'resolution' &&
    (endedAt === null || state === 'cancelled') &&
    answers.some((answer) => answer.at.getTime() === startedAt.getTime());
  const taken = from.life.clocks
    .filter(isOwed)
    .map((clock) => takenOver(clock, next(clock.target).ordinal, from.life, { at, cause, fromTicketId }));
  if (taken.length === 0) return { from, into, statements: [] };
  const ids = new Set<string | null>(taken.map(({ id }) => id));
  const ordinals = Object.fromEntries(taken.map(({ target, ordinal }) => [target, ordinal]));
  return {
    from: { ...from, life: { ...from.life, clocks: from.life.clocks.filter(({ id }) => !ids.has(id)) } },
    into: {
      ...into,
      life: {
        ...into.life,
        clocks: [...into.life.clocks, ...taken],
        taken: [...into.life.taken, ...from.life.taken.filter(({ clockId }) => ids.has(clockId))],
        ordinals: { ...into.life.ordinals, ...ordinals },
      },
    },
    statements: clocksMoved(from.change, taken, into.ticket.id),
  };
}

function clocksMoved({ at, organizationId }: Change, clocks: readonly Clock[], into: string): Statement[] {
  const rows = clocks.map(({ id, ordinal, changes }) => ({ id, ordinal, changes }));
  return [
    {
      sql: `update crm_core.crm_sla_clocks k set ticket_id = ?, ordinal = n.ordinal, changes = n.changes, updated_at = ?, version = k.version + 1
        from jsonb_to_recordset(?::jsonb) n (id uuid, ordinal int, changes jsonb)
        where k.organization_id = ? and k.sla_clock_id = n.id returning 1`,
      parameters: [into, at, JSON.stringify(rows), organizationId],
    },
    {
      sql: `update crm_core.crm_ticket_steps set ticket_id = ?, updated_at = ?, version = version + 1
        where organization_id = ? and sla_clock_id = any(?::uuid[]) returning 1`,
      parameters: [into, at, organizationId, `{${clocks.map(({ id }) => id).join(',')}}`],
    },
  ];
}
