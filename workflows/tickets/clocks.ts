import { businessMinutesBetween, type CompiledCalendar } from '../calendars/business-time.ts';
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
const mostChanges = 100;

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
  return { ...clock, dueAt: dueOf(clock, inForce) };
}

/** When an open clock is due by its intervals; null while it stands still. */
export function dueOf(clock: Clock, { calendar }: Pick<TermsInForce, 'calendar'>): Date | null {
  return instantAfter(calendar, clock.startedAt, clock.targetMinutes, pausesOf(clock));
}

/** Lets an open clock follow the ticket's status from `at` on: it stands still, runs on, or goes on as it was. */
export function followStatus(clock: Clock, inForce: TermsInForce, at: Date, cause: string): Clock {
  const last = clock.intervals.at(-1);
  const kind = isPaused(clock.target, inForce) ? 'paused' : 'running';
  if (clock.endedAt || !last || last.kind === kind) return clock;
  const settled = settle(clock, at);
  const from = latest(at, new Date(last.from)).toISOString();
  const before = clock.intervals.slice(0, -1);
  const closed = last.from === from ? before : [...before, { ...last, to: from }];
  return withDue({ ...settled, intervals: begun(closed, { from, kind, cause }) }, inForce, at, cause);
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

/**
 * What was promised is done at `at`: in time up to and including the due instant, even if the breach was noticed before
 * this was known.
 */
export function complete(clock: Clock, { calendar }: Pick<TermsInForce, 'calendar'>, at: Date): Clock {
  if (clock.endedAt) return clock;
  const settled = settle(clock, at);
  const isLate = settled.breachedAt !== null && settled.breachedAt < at;
  const ended = endedAt(settled, at, calendar);
  if (isLate) return { ...ended, metAt: at };
  return { ...ended, state: 'met', metAt: at, breached: false, breachedAt: null, breachDetectedAt: null };
}

/** Nobody waits for it any more; a breach that happened stays on record. */
export function cancel(clock: Clock, { calendar }: Pick<TermsInForce, 'calendar'>, at: Date, cause: string): Clock {
  if (clock.endedAt) return clock;
  const settled = settle(clock, at);
  const ended = endedAt(settled, at, calendar);
  return {
    ...ended,
    state: 'cancelled',
    dueAt: null,
    changes: told(settled, { at, cause, dueTo: null, note: 'cancelled' }),
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
  if (targetMinutes === undefined) return cancel(clock, inForce, at, `${cause}: not promised any more`);
  const recomputed = {
    ...clock,
    targetMinutes,
    priority,
    slaPolicyId: policyId,
    slaPolicyVersion: policyVersion,
    calendarId: terms.calendarId,
  };
  const after = withDue(followStatus(recomputed, inForce, at, cause), inForce, at, cause);
  const isUntouched =
    after === recomputed &&
    targetMinutes === clock.targetMinutes &&
    priority === clock.priority &&
    policyVersion === clock.slaPolicyVersion &&
    policyId === clock.slaPolicyId &&
    terms.calendarId === clock.calendarId;
  return isUntouched ? clock : after;
}

/** Computes the due instant again, takes back a breach that did not happen, and says what moved. */
function withDue(clock: Clock, inForce: TermsInForce, at: Date, cause: string): Clock {
  const dueAt = dueOf(clock, inForce);
  const isTakenBack = clock.breached && (dueAt === null || dueAt > at);
  const kind = clock.intervals.at(-1)?.kind ?? 'running';
  const life = isTakenBack
    ? { breached: false, breachedAt: null, breachDetectedAt: null, life: clock.life + 1 }
    : { breached: clock.breached };
  const state = life.breached ? 'breached' : kind;
  const moved = dueAt?.getTime() !== clock.dueAt?.getTime();
  if (!moved && !isTakenBack && state === clock.state) return clock;
  const note = isTakenBack ? 'the breach is taken back' : dueAt === null ? 'stands still' : 'due anew';
  return { ...clock, ...life, state, dueAt, changes: told(clock, { at, cause, dueTo: dueAt, note }) };
}

function told(
  clock: Clock,
  { at, cause, dueTo, note }: { at: Date; cause: string; dueTo: Date | null; note: string },
): ClockChange[] {
  const dueFrom = clock.dueAt?.toISOString() ?? null;
  const change = {
    at: at.toISOString(),
    cause: cause.slice(0, 200),
    dueFrom,
    dueTo: dueTo?.toISOString() ?? null,
    note,
  };
  return [...clock.changes, change].slice(-mostChanges);
}
