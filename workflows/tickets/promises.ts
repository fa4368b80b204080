import { beginClock, cancel, type Clock, followStatus, type TermsInForce, recompute, resume } from './clocks.ts';
import type { SlaTarget, TicketStatus } from './policy.ts';

/** A change of a ticket's status, in order. */
export interface StatusChange {
  at: Date;
  status: TicketStatus;
}

/** Something that a customer wrote and nobody has answered. */
export interface OwedAnswer {
  /** The ticket by which it came: this one, or one that was merged into it. */
  ticketId: string;
  asked: 'opening' | 'message';
  at: Date;
  /** From when on a reply of this ticket answers it: when it came, or when a merge brought it here. */
  since: Date;
  /** What its own ticket went through between the two; nothing where it came here. */
  before: readonly StatusChange[];
}

/** What of a ticket's past says which promises are still to be kept. */
export interface OpenPromises {
  /** Since when the end of it is owed: its opening, or the latest reopening. */
  begunAt: Date;
  answers: readonly OwedAnswer[];
  /** Every change of status since the opening. */
  statuses: readonly StatusChange[];
}

/** A ticket as its rows tell it, so far as promises follow from it. */
export interface TicketPast {
  ticketId: string;
  openedAt: Date;
  firstRepliedAt: Date | null;
  isAtWork: boolean;
  statuses: readonly { at: Date; before: TicketStatus | null; after: TicketStatus }[];
  /** Messages of the customer, later than the opening, that no reply has answered; after a merge those that came since. */
  unanswered: readonly Date[];
  /** What was owed when another ticket was merged into this one (the latest), less what was answered since. */
  merged: { at: Date; owed: readonly OwedAnswer[] } | null;
}

const isDone = (status: TicketStatus | null): boolean => status === 'resolved' || status === 'closed';

/**
 * What is owed on a ticket. Resolving or closing settles all that was owed until then, answered or not: after a reopening
 * the answers to what was written since are owed, and never a first one.
 */
export function openPromises(past: TicketPast): OpenPromises {
  const { ticketId, openedAt, firstRepliedAt, merged } = past;
  const reopenedAt = past.statuses.findLast(({ before, after }) => isDone(before) && !isDone(after))?.at ?? null;
  const statuses = [
    { at: openedAt, status: 'open' as const },
    ...past.statuses.map(({ at, after }) => ({ at, status: after })),
  ];
  const begunAt = reopenedAt ?? openedAt;
  if (!past.isAtWork) return { begunAt, answers: [], statuses };
  const own = (asked: OwedAnswer['asked'], at: Date) => ({ ticketId, asked, at, since: at, before: [] });
  const isOpeningOwed = merged === null && firstRepliedAt === null;
  const answers = [
    ...(isOpeningOwed ? [own('opening', openedAt)] : []),
    ...(merged?.owed ?? []),
    ...past.unanswered.map((at) => own('message', at)),
  ];
  return { begunAt, answers: answers.filter(({ since }) => since >= begunAt), statuses };
}

/** The promises of a ticket with those of one that is merged into it at `at`: its own replies so far answered none of them. */
export function withMerged(survivor: OpenPromises, merged: OpenPromises, at: Date): OpenPromises {
  const carried = merged.answers.map((answer) => ({
    ...answer,
    since: at,
    before: shortened(statusesOf(answer, merged.statuses), answer.at),
  }));
  return { ...survivor, answers: [...survivor.answers, ...carried] };
}

/** The statuses that matter to a promise: the one in which it was made, and those that followed. */
function shortened(statuses: readonly StatusChange[], madeAt: Date): StatusChange[] {
  return [{ at: madeAt, status: statusAt(statuses, madeAt) }, ...statuses.filter(({ at }) => at > madeAt)];
}

/** What a promise lives through: what its own ticket did before a merge, then what this one does. */
function statusesOf({ before, since }: OwedAnswer, statuses: readonly StatusChange[]): readonly StatusChange[] {
  if (before.length === 0) return statuses;
  return [...before, { at: since, status: statusAt(statuses, since) }, ...statuses.filter(({ at }) => at > since)];
}

function statusAt(statuses: readonly StatusChange[], at: Date): TicketStatus {
  return statuses.findLast((change) => change.at <= at)?.status ?? 'open';
}

/** Whether terms promise anything of a kind for the priority. */
export function isPromised(target: SlaTarget, { terms, priority }: Pick<TermsInForce, 'terms' | 'priority'>): boolean {
  return terms.targets[priority]?.[target] !== undefined;
}

/**
 * Computes every open clock anew by other terms, another priority, or with a merged ticket's promises; begins those that are
 * promised now, from where the promise began, or takes up those that were cancelled; cancels those that would not be there
 * had this been in force from then on.
 */
export function reconcile(
  clocks: readonly Clock[],
  promises: OpenPromises,
  by: TermsInForce,
  told: { at: Date; cause: string },
  next: (target: SlaTarget) => { id: string; ordinal: number },
): Clock[] {
  const { at, cause } = told;
  const isCovered = (answer: OwedAnswer) =>
    answer.asked === 'message' &&
    isPromised('first_response', by) &&
    promises.answers.some(({ asked, ticketId }) => asked === 'opening' && ticketId === answer.ticketId);
  const covered = new Set(promises.answers.filter(isCovered).map((answer) => answer.at.getTime()));
  const recomputed = clocks
    .map((clock) => recompute(clock, by, at, cause))
    .map((clock) =>
      clock.target === 'next_response' && covered.has(clock.startedAt.getTime())
        ? cancel(clock, by, at, `${cause}: the first response answers it`)
        : clock,
    );
  const owed = promises.answers.filter((answer) => !isCovered(answer));
  const missing = missingClocks(recomputed, { ...promises, answers: owed }, by, told, next);
  const resumed = new Set(missing.map(({ id }) => id));
  return [...recomputed.filter(({ id }) => !resumed.has(id)), ...missing];
}

/**
 * Clocks that a ticket at work should have by its terms and has not, with the pauses that statuses mean for them. One that
 * was cancelled is the same promise: it goes on, and what was told of it is not told again.
 */
function missingClocks(
  clocks: readonly Clock[],
  { begunAt, answers, statuses }: OpenPromises,
  by: TermsInForce,
  { at, cause }: { at: Date; cause: string },
  next: (target: SlaTarget) => { id: string; ordinal: number },
): Clock[] {
  const open = clocks.filter(({ endedAt }) => endedAt === null);
  const has = (target: SlaTarget, startedAt?: Date) =>
    open.some(
      (clock) =>
        clock.target === target && (startedAt === undefined || clock.startedAt.getTime() === startedAt.getTime()),
    );
  const wanted = [
    ...answers.map((answer) => ({
      target: answer.asked === 'opening' ? ('first_response' as const) : ('next_response' as const),
      startedAt: answer.at,
      lived: statusesOf(answer, statuses),
    })),
    ...(has('resolution') ? [] : [{ target: 'resolution' as const, startedAt: begunAt, lived: statuses }]),
  ];
  return wanted.flatMap(({ target, startedAt, lived }) => {
    if (!isPromised(target, by) || has(target, startedAt)) return [];
    const cancelled = clocks.findLast(
      (clock) =>
        clock.state === 'cancelled' && clock.target === target && clock.startedAt.getTime() === startedAt.getTime(),
    );
    const clock = beginClock(
      { ...(cancelled ?? next(target)), target, startedAt, cause: 'promised from here on' },
      { ...by, status: statusAt(lived, startedAt) },
    );
    if (!clock) return [];
    const missing = replayed(clock, by, lived, at);
    return [cancelled ? resume(cancelled, missing, by, at, cause) : missing];
  });
}

/** Lets a clock live through the statuses that followed its start; a breach among them is noticed only now, at `at`. */
function replayed(clock: Clock, inForce: TermsInForce, statuses: readonly StatusChange[], at: Date): Clock {
  const replayed = statuses
    .filter((change) => change.at > clock.startedAt)
    .reduce(
      (lived, change) =>
        followStatus(lived, { ...inForce, status: change.status }, change.at, `status ${change.status}`),
      clock,
    );
  return replayed.breached ? { ...replayed, breachDetectedAt: at } : replayed;
}
