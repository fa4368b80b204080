import { businessMinutesBetween, type CompiledCalendar } from '../calendars/business-time.ts';
import { calendarChanged, termsChanged, told } from './clock-changes.ts';
import type { ClockChange, ClockInterval } from './clock-records.ts';
import { instantAfter, pausesOf } from './clock-time.ts';
import type { ClockState, SlaTarget, TicketPriority, TicketStatus } from './policy.ts';
import type { SlaTerms } from './terms.ts';

/** One promise on one ticket as arithmetic sees it; a row of crm_sla_clocks is one. */
export interface Clock {
  id: string;
  target: SlaTarget;
  ordinal: number;
  state: ClockState;
  breached: boolean;
  priority: TicketPriority;
  targetMinutes: number;
  slaPolicyId: string;
  slaPolicyVersion: number;
  calendarId: string | null;
  startedAt: Date;
  dueAt: Date | null;
  intervals: ClockInterval[];
  changes: ClockChange[];
  metAt: Date | null;
  breachedAt: Date | null;
  breachDetectedAt: Date | null;
  endedAt: Date | null;
  elapsedMinutes: number | null;
  life: number;
}

/** What the clocks of a ticket run by at a moment: the terms that it keeps, its priority and its status. */
export interface TermsInForce {
  policyId: string;
  policyVersion: number;
  terms: SlaTerms;
  /** The policy's, as it is now. */
  calendar: CompiledCalendar;
  priority: TicketPriority;
  status: TicketStatus;
}

const latest = (one: Date, other: Date): Date => (one > other ? one : other);

/** Whether a clock of this target stands still in this status, by these terms. */
export function isPaused(target: SlaTarget, { terms, status }: TermsInForce): boolean {
  return terms.pausedTargets.includes(target) && terms.pauseStatuses.some((pausing) => pausing === status);
}

/** Begins a clock at `startedAt` (UTC); null when nothing is promised for this target and priority. */
export function beginClock(
  { id, target, ordinal, startedAt, cause }: Pick<Clock, 'id' | 'target' | 'ordinal' | 'startedAt'> & { cause: string },
  inForce: TermsInForce,
): Clock | null {
  const { policyId, policyVersion, terms, priority } = inForce;
  const targetMinutes = terms.targets[priority]?.[target];
  if (targetMinutes === undefined) return null;
  const kind = isPaused(target, inForce) ? 'paused' : 'running';
  const clock: Clock = {
    id,
    target,
    ordinal,
    state: kind,
    breached: false,
    priority,
    targetMinutes,
    slaPolicyId: policyId,
    slaPolicyVersion: policyVersion,
    calendarId: terms.calendarId,
    startedAt,
    dueAt: null,
    intervals: [{ from: startedAt.toISOString(), to: null, kind, cause: cause.slice(0, 200) }],
    changes: [],
    metAt: null,
    breachedAt: null,
    breachDetectedAt: null,
    endedAt: null,
    elapsedMinutes: null,
    life: 0,
  };
  const begun = { ...clock, dueAt: dueOf(clock, inForce) };
  if (kind === 'running') return begun;
  return {
    ...begun,
    changes: told(begun, inForce, { at: startedAt, cause, dueTo: begun.dueAt, note: 'stands still' }),
  };
}

/** When an open clock is due by its intervals; null while it stands still. */
export function dueOf(clock: Clock, { calendar }: Pick<TermsInForce, 'calendar'>): Date | null {
  return instantAfter(calendar, clock.startedAt, clock.targetMinutes, pausesOf(clock));
}

/** Lets an open clock follow the ticket's status from `at` on: it stands still, runs on, or goes on as it was. */
export function followStatus(clock: Clock, inForce: TermsInForce, at: Date, cause: string): Clock {
  return clock.endedAt ? clock : withDue(clock, inStatus(clock, inForce, at, cause), inForce, at, cause);
}

/** A clock with the interval that the ticket's status means from `at` on. */
function inStatus(clock: Clock, inForce: TermsInForce, at: Date, cause: string): Clock {
  const last = clock.intervals.at(-1);
  const kind = isPaused(clock.target, inForce) ? 'paused' : 'running';
  if (!last || last.kind === kind) return clock;
  const from = latest(at, new Date(last.from)).toISOString();
  const before = clock.intervals.slice(0, -1);
  const closed = last.from === from ? before : [...before, { ...last, to: from }];
  return { ...clock, intervals: begun(closed, { from, kind, cause }) };
}

/** Intervals with another one; what a status interrupted for no time at all just goes on. */
function begun(
  intervals: readonly ClockInterval[],
  { from, kind, cause }: Pick<ClockInterval, 'from' | 'kind' | 'cause'>,
): ClockInterval[] {
  const last = intervals.at(-1);
  if (last?.kind === kind) return [...intervals.slice(0, -1), { ...last, to: null }];
  return [...intervals, { from, to: null, kind, cause: cause.slice(0, 200) }];
}

/** Marks an open clock as late from its due instant on; noticed at `detectedAt`. */
export function breach(clock: Clock, detectedAt: Date): Clock {
  if (clock.endedAt || clock.breached || clock.dueAt === null) return clock;
  return { ...clock, state: 'breached', breached: true, breachedAt: clock.dueAt, breachDetectedAt: detectedAt };
}

/** A clock as it stands at `at`: late when its due instant has passed, noticed or not. */
function settle(clock: Clock, at: Date): Clock {
  return clock.dueAt !== null && clock.dueAt < at ? breach(clock, at) : clock;
}

/** The same by the hours that its calendar has now: of their change its ticket may not have heard yet. */
function settleBy(clock: Clock, by: Pick<TermsInForce, 'calendar'>, at: Date): Clock {
  return settle(withDue(clock, clock, by, at, 'calendar changed'), at);
}

const inTime = { breached: false, breachedAt: null, breachDetectedAt: null };

const isLateBy = ({ breachedAt }: Clock, at: Date): boolean => breachedAt !== null && breachedAt < at;

/**
 * What was promised is done at `at`: in time up to and including the due instant, even if the breach was noticed before
 * this was known.
 */
export function complete(clock: Clock, by: Pick<TermsInForce, 'calendar'>, at: Date): Clock {
  if (clock.endedAt) return clock;
  const settled = settleBy(clock, by, at);
  const ended = endedAt(settled, at, by.calendar);
  if (isLateBy(settled, at)) return { ...ended, metAt: at };
  return { ...ended, state: 'met', metAt: at, ...inTime };
}

/** Nobody waits for it any more from `at` on; a breach that happened before stays on record. */
export function cancel(clock: Clock, by: Pick<TermsInForce, 'calendar'>, at: Date, cause: string): Clock {
  return clock.endedAt ? clock : cancelled(settleBy(clock, by, at), by, at, cause);
}

function cancelled(settled: Clock, by: Pick<TermsInForce, 'calendar'>, at: Date, cause: string): Clock {
  const ended = endedAt(settled, at, by.calendar);
  return {
    ...ended,
    state: 'cancelled',
    ...(isLateBy(settled, at) ? {} : inTime),
    dueAt: null,
    changes: told(settled, by, { at, cause, dueTo: null, note: 'cancelled' }),
  };
}

function endedAt(clock: Clock, at: Date, calendar: CompiledCalendar): Clock {
  const end = latest(at, clock.startedAt);
  const before = clock.intervals.filter(({ from }, index) => index === 0 || new Date(from) < end);
  const intervals = before.map((interval) =>
    interval.to === null || new Date(interval.to) > end ? { ...interval, to: end.toISOString() } : interval,
  );
  const elapsedMinutes = businessMinutesBetween(calendar, clock.startedAt, end, pausesOf({ intervals }));
  return { ...clock, intervals, endedAt: end, elapsedMinutes };
}

/**
 * Computes an open clock anew again from its own start, by other terms, another priority, or a calendar that has changed; its
 * pauses stay. A breach that would not have happened is taken back; a target that is not promised any more is cancelled. A
 * clock for which nothing changes is answered as it is.
 */
export function recompute(clock: Clock, inForce: TermsInForce, at: Date, cause: string): Clock {
  if (clock.endedAt) return clock;
  const { policyId, policyVersion, terms, priority } = inForce;
  const targetMinutes = terms.targets[priority]?.[clock.target];
  // Whether it was late is said by the hours that it had, not by those of terms that do not promise it.
  if (targetMinutes === undefined) return cancelled(settle(clock, at), inForce, at, `${cause}: not promised any more`);
  const recomputed = {
    ...clock,
    targetMinutes,
    priority,
    slaPolicyId: policyId,
    slaPolicyVersion: policyVersion,
    calendarId: terms.calendarId,
  };
  return withDue(clock, inStatus(recomputed, inForce, at, cause), inForce, at, cause);
}

/**
 * A clock that was cancelled goes on, since it is promised again: `lived` is the same promise as the terms in force would
 * have had it from its start. Its breach stays on record if they would have broken it as well.
 */
export function resume(cancelled: Clock, lived: Clock, inForce: TermsInForce, at: Date, cause: string): Clock {
  const { breached, breachedAt, breachDetectedAt, life } = cancelled;
  return withDue(cancelled, { ...lived, breached, breachedAt, breachDetectedAt, life }, inForce, at, cause);
}

/** An open or cancelled clock of the ticket `fromTicketId` goes on with another one, as its `ordinal`-th of the target. */
export function takenOver(
  clock: Clock,
  ordinal: number,
  inForce: Pick<TermsInForce, 'calendar'>,
  taking: { at: Date; cause: string; fromTicketId: string },
): Clock {
  return { ...clock, ordinal, changes: told(clock, inForce, { ...taking, dueTo: clock.dueAt, note: 'taken over' }) };
}

/**
 * Computes the due instant of an open clock anew by its intervals and its terms, which may differ from those of `before`; a
 * breach follows it, or is taken back. Says what has changed; `before` itself when nothing has.
 */
function withDue(before: Clock, clock: Clock, inForce: Pick<TermsInForce, 'calendar'>, at: Date, cause: string): Clock {
  const dueAt = dueOf(clock, inForce);
  const kind = clock.intervals.at(-1)?.kind ?? 'running';
  const lateness = latenessOf(clock, kind, dueAt, at);
  const after = { ...clock, ...lateness, state: lateness.breached ? 'breached' : kind, dueAt } as const;
  const terms = termsChanged(before, after);
  const calendar = calendarChanged(before, after, inForce);
  const outcome = outcomeOf(before, after);
  const isTold = outcome !== null || terms.length > 0;
  // A calendar that moves nothing is no news, unless nobody could see what it moves: while the clock stands still.
  if (!isTold && (dueAt !== null || calendar.length === 0))
    return clock.intervals === before.intervals ? before : clock;
  const note = [outcome ?? (dueAt === null ? 'stands still' : 'due as before'), ...terms, ...calendar].join('; ');
  return { ...after, changes: told(before, inForce, { at, cause, dueTo: dueAt, note }) };
}

/** What has become of a clock, in words; null: nothing that one could see. */
function outcomeOf(before: Clock, after: Clock): string | null {
  if (before.breached && !after.breached) return 'the breach is taken back';
  if (!before.breached && after.breached) return 'found late';
  const isMoved = !isSame(before.dueAt, after.dueAt) || !isSame(before.breachedAt, after.breachedAt);
  if (!isMoved && before.state === after.state) return null;
  return after.dueAt === null ? 'stands still' : 'due anew';
}

/**
 * Whether a clock is late when it is due at `dueAt`, and since when. A breach on record stays one, dated anew, while its
 * due instant has passed; one that comes to light on a clock that stands still would be noticed by nothing else.
 */
function latenessOf(
  { breached, breachDetectedAt, life }: Clock,
  kind: ClockInterval['kind'],
  dueAt: Date | null,
  at: Date,
): Pick<Clock, 'breached' | 'breachedAt' | 'breachDetectedAt' | 'life'> {
  const isLate = dueAt !== null && (breached ? dueAt <= at : kind === 'paused' && dueAt < at);
  if (!isLate) return { breached: false, breachedAt: null, breachDetectedAt: null, life: breached ? life + 1 : life };
  const wasDue = breachDetectedAt !== null && breachDetectedAt >= dueAt;
  return { breached: true, breachedAt: dueAt, breachDetectedAt: wasDue ? breachDetectedAt : at, life };
}

const isSame = (one: Date | null, other: Date | null): boolean => one?.getTime() === other?.getTime();
