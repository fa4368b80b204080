import { pausesOf } from '../../workflows/tickets/clock-time.ts';
import type { Clock } from '../../workflows/tickets/clocks.ts';
import { inOrder, stepName } from '../../workflows/tickets/plan.ts';
import { slaTargets } from '../../workflows/tickets/policy.ts';
import type { ClockView, TicketState } from '../tickets.types.ts';
import type { Saved } from './save.ts';

/** Clocks that people are shown at once; the rest is told by `/process`. */
const shown = 8;

/**
 * A ticket as its process knows it: of each target the open clock that began first, the other open ones, the most recent of
 * those that ended, as many as are shown; and what is next.
 */
export function stateOf({ ticket, clocks, next }: Saved): TicketState {
  const { number, stage, status, priority, round } = ticket;
  const isOpen = ({ endedAt }: Clock) => endedAt === null;
  const ended = clocks
    .filter((clock) => !isOpen(clock))
    .toSorted((one, other) => (other.endedAt?.getTime() ?? 0) - (one.endedAt?.getTime() ?? 0));
  const open = inOrder(clocks.filter(isOpen));
  const foremost = slaTargets.flatMap((target) => open.find((clock) => clock.target === target) ?? []);
  const views = [...new Set([...foremost, ...open, ...ended])].slice(0, shown);
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
