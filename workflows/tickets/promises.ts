import { beginClock, type Clock, followStatus, type Judgement } from './clocks.ts';
import type { SlaTarget, TicketStatus } from './policy.ts';

/** A change of a ticket's status, in order. */
export interface StatusChange {
  at: Date;
  status: TicketStatus;
}

/** What of a ticket's past says which promises are still to be kept. */
export interface OpenPromises {
  openedAt: Date;
  /** The latest reopening, else null. */
  reopenedAt: Date | null;
  firstRepliedAt: Date | null;
  /** When each message of the customer came that nobody has answered, since the first reply. */
  unanswered: readonly Date[];
  /** Every change of status since the opening. */
  statuses: readonly StatusChange[];
}

/**
 * Clocks that a ticket at work should have by its terms and has not: promises that another priority or policy makes.
 * They count from where the promise began, with the pauses that the ticket's statuses mean for them.
 */
export function missingClocks(
  open: readonly Clock[],
  { openedAt, reopenedAt, firstRepliedAt, unanswered, statuses }: OpenPromises,
  judgement: Judgement,
  next: (target: SlaTarget) => { id: string; ordinal: number },
): Clock[] {
  const has = (target: SlaTarget, startedAt?: Date) =>
    open.some(
      (clock) =>
        clock.target === target && (startedAt === undefined || clock.startedAt.getTime() === startedAt.getTime()),
    );
  const wanted: { target: SlaTarget; startedAt: Date }[] = [
    ...(firstRepliedAt === null && !has('first_response')
      ? [{ target: 'first_response', startedAt: openedAt } as const]
      : []),
    ...unanswered
      .filter((at) => firstRepliedAt !== null && !has('next_response', at))
      .map((startedAt) => ({ target: 'next_response', startedAt }) as const),
    ...(has('resolution') ? [] : [{ target: 'resolution', startedAt: reopenedAt ?? openedAt } as const]),
  ];
  return wanted.flatMap(({ target, startedAt }) => {
    if (judgement.terms.targets[judgement.priority]?.[target] === undefined) return [];
    const begun = statusAt(statuses, startedAt);
    const clock = beginClock(
      { ...next(target), target, startedAt, cause: 'promised from here on' },
      { ...judgement, status: begun },
    );
    return clock ? [replayed(clock, judgement, statuses)] : [];
  });
}

function statusAt(statuses: readonly StatusChange[], at: Date): TicketStatus {
  return statuses.findLast((change) => change.at <= at)?.status ?? 'open';
}

/** Lets a clock live through the statuses that followed its start. */
function replayed(clock: Clock, judgement: Judgement, statuses: readonly StatusChange[]): Clock {
  return statuses
    .filter(({ at }) => at > clock.startedAt)
    .reduce((lived, { at, status }) => followStatus(lived, { ...judgement, status }, at, `status ${status}`), clock);
}
