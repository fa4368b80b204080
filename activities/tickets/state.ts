import { pausesOf } from '../../workflows/tickets/clock-time.ts';
import type { Clock } from '../../workflows/tickets/clocks.ts';
import { inOrder } from '../../workflows/tickets/plan.ts';
import type { ClockView, TicketState } from '../tickets.types.ts';
import type { Saved } from './save.ts';

/** Clocks that people are shown at once; the rest is told by `/process`. */
const shown = 8;

/** A ticket as its process knows it: the open clocks, the most recent of the others, and what is next. */
export function stateOf({ ticket, clocks, next }: Saved): TicketState {
  const { number, stage, status, priority, sla, teamId, assignedUserId, round, version, mergedIntoTicketId } = ticket;
  const isOpen = ({ endedAt }: Clock) => endedAt === null;
  const ended = clocks.filter((clock) => !isOpen(clock));
  const views = [...clocks.filter(isOpen), ...ended].slice(0, shown);
  return {
    number,
    stage,
    status,
    priority,
    sla,
    teamId,
    assignedUserId,
    round,
    version,
    clocks: inOrder(views).map(clockView),
    next: next && {
      step: next.step,
      clockId: next.clockId,
      life: next.life,
      dueAt: next.dueAt.toISOString(),
      clause: next.clause,
    },
    mergedIntoTicketId,
    isDeleted: ticket.deletedAt !== null,
  };
}

function clockView(clock: Clock): ClockView {
  const { target, ordinal, state, dueAt, metAt, intervals } = clock;
  const last = intervals.at(-1);
  return {
    target,
    ordinal,
    state,
    dueAt: dueAt?.toISOString() ?? null,
    pausedSince: last?.kind === 'paused' && last.to === null ? last.from : null,
    pauses: pausesOf(clock).length,
    metAt: metAt?.toISOString() ?? null,
  };
}
