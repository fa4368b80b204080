import { pausesOf } from '../../workflows/tickets/clock-time.ts';
import type { Clock } from '../../workflows/tickets/clocks.ts';
import { inOrder, stepName } from '../../workflows/tickets/plan.ts';
import type { ClockView, TicketState } from '../tickets.types.ts';
import type { Saved } from './save.ts';

/** Clocks that people are shown at once; the rest is told by `/process`. */
const shown = 8;

/** A ticket as its process knows it: the open clocks, the most recent of the others, and what is next. */
export function stateOf({ ticket, clocks, next }: Saved): TicketState {
  const { number, stage, status, priority, round } = ticket;
  const isOpen = ({ endedAt }: Clock) => endedAt === null;
  const ended = clocks
    .filter((clock) => !isOpen(clock))
    .toSorted((one, other) => (other.endedAt?.getTime() ?? 0) - (one.endedAt?.getTime() ?? 0));
  const views = [...clocks.filter(isOpen), ...ended].slice(0, shown);
  return {
    number,
    stage,
    status,
    priority,
    sla: ticket.sla ?? undefined,
    teamId: ticket.teamId ?? undefined,
    assignedUserId: ticket.assignedUserId ?? undefined,
    round,
    clocks: inOrder(views).map(clockView),
    next: next ? { step: stepName(next), dueAt: next.dueAt.toISOString(), clause: next.clause } : undefined,
    mergedIntoTicketId: ticket.mergedIntoTicketId ?? undefined,
    isDeleted: ticket.deletedAt === null ? undefined : true,
  };
}

function clockView(clock: Clock): ClockView {
  const { target, ordinal, state, dueAt, metAt, intervals } = clock;
  const last = intervals.at(-1);
  return {
    target,
    ordinal: ordinal === 1 ? undefined : ordinal,
    state,
    dueAt: dueAt?.toISOString(),
    pausedSince: last?.kind === 'paused' && last.to === null ? last.from : undefined,
    pauses: pausesOf(clock).length || undefined,
    metAt: metAt?.toISOString(),
  };
}
