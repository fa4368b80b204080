import { type CalendarHours, type Shift, weekdays } from './calendar.ts';
import { offsetPeriodAt } from './local-clock.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;
const horizonYears = 50;
const horizonMs = horizonYears * 365.25 * dayMs;

/** `[from, to)` in milliseconds: of the epoch, or since midnight for a shift. */
interface Span {
  from: number;
  to: number;
}

/** A calendar made ready for arithmetic; `shiftsOn` takes a local date as days since 1970-01-01. */
export interface CompiledCalendar {
  readonly timeZone: string;
  /** Of the record that it was made from; left out where there is none. */
  readonly version?: number;
  readonly shiftsOn: (day: number) => readonly Span[];
}

/** A time in which the clock stands still, `[from, to)`; `to: null` while it has not ended. */
export interface Pause {
  from: Date;
  to: Date | null;
}

/** Open time that was counted, `[from, to)`, with its length in minutes. */
export interface OpenInterval {
  from: Date;
  to: Date;
  minutes: number;
}

/** The minutes never pass: the calendar has too little open time within 50 years, or a pause has no end. */
export class BusinessTimeError extends Error {
  override readonly name = 'BusinessTimeError';
  readonly reason: 'too_few_hours' | 'paused';

  constructor(reason: 'too_few_hours' | 'paused', message: string) {
    super(message);
    this.reason = reason;
  }
}

const sinceMidnight = (time: string): number => (Number(time.slice(0, 2)) * 60 + Number(time.slice(3))) * minuteMs;
const dayNumber = (date: string): number => Date.parse(date) / dayMs;

const toSpans = (shifts: readonly Shift[]): Span[] =>
  shifts
    .map(({ from, to }) => ({ from: sinceMidnight(from), to: sinceMidnight(to) }))
    .sort((one, other) => one.from - other.from);

/**
 * Prepares a valid calendar for the functions below. Keep the result as long as the calendar's version: it answers
 * each local date by three look-ups. Exceptions replace the weekly hours and win over holidays; holidays close a date.
 */
export function compileCalendar(calendar: CalendarHours): CompiledCalendar {
  const weekly = weekdays.map((weekday) => toSpans(calendar.hours[weekday] ?? []));
  const exceptions = new Map(calendar.exceptions.map(({ date, hours }) => [dayNumber(date), toSpans(hours)]));
  const fixed = new Set(calendar.holidays.filter((day) => !day.yearly).map((day) => dayNumber(day.date)));
  const yearly = new Set(calendar.holidays.filter((day) => day.yearly).map((day) => day.date.slice(-5)));

  const regularShiftsOn = (day: number): readonly Span[] => {
    const midnight = new Date(day * dayMs);
    if (fixed.has(day) || (yearly.size > 0 && yearly.has(midnight.toISOString().slice(-19, -14)))) return [];
    return weekly[(midnight.getUTCDay() + 6) % 7] ?? [];
  };
  return { timeZone: calendar.timeZone, shiftsOn: (day) => exceptions.get(day) ?? regularShiftsOn(day) };
}

/**
 * Open time within `[from, until)` in order. It walks stretches of one offset, so that an hour which the clock
 * repeats is met twice, one that it skips never, and a date may come back after midnight.
 */
function* openSpans(calendar: CompiledCalendar, from: number, until: number): Generator<Span> {
  for (let at = from; at < until;) {
    const period = offsetPeriodAt(calendar.timeZone, at);
    const end = Math.min(period.to, until);
    const lastDay = Math.floor((end - 1 + period.offset) / dayMs);
    for (let day = Math.floor((at + period.offset) / dayMs); day <= lastDay; day += 1) {
      const midnight = day * dayMs - period.offset;
      for (const shift of calendar.shiftsOn(day)) {
        const open = { from: Math.max(midnight + shift.from, at), to: Math.min(midnight + shift.to, end) };
        if (open.from < open.to) yield open;
      }
    }
    at = end;
  }
}

/** What the pauses leave of `[from, until)`, in order. */
function unpausedSpans(pauses: readonly Pause[], from: number, until: number): Span[] {
  const stops = pauses.map((pause) => ({
    from: instant(pause.from),
    to: pause.to === null ? Infinity : instant(pause.to),
  }));
  if (stops.some((stop) => stop.from > stop.to)) throw new RangeError('A pause ends before it begins.');
  const spans: Span[] = [];
  let at = from;
  for (const stop of stops.sort((one, other) => one.from - other.from)) {
    spans.push({ from: at, to: Math.min(stop.from, until) });
    at = Math.max(at, stop.to);
  }
  spans.push({ from: at, to: until });
  return spans.filter((span) => span.from < span.to);
}

function* countedSpans(
  calendar: CompiledCalendar,
  from: number,
  until: number,
  pauses: readonly Pause[],
): Generator<Span> {
  for (const span of unpausedSpans(pauses, from, until)) yield* openSpans(calendar, span.from, span.to);
}

function instant(date: Date): number {
  const at = date.getTime();
  if (Number.isNaN(at)) throw new RangeError('Not a valid instant.');
  return at;
}

function toIntervals(spans: readonly Span[]): OpenInterval[] {
  return spans.map(({ from, to }) => ({ from: new Date(from), to: new Date(to), minutes: (to - from) / minuteMs }));
}

/**
 * The earliest instant by which `minutes` (≥ 0, fractions to the millisecond) of open, unpaused time have passed
 * since `start`, and the open intervals that were counted, contiguous ones merged; 0 minutes end at `start` itself.
 * Throws BusinessTimeError when they do not pass within 50 years, RangeError for input that is no number or instant.
 */
export function addBusinessMinutes(
  calendar: CompiledCalendar,
  start: Date,
  minutes: number,
  pauses: readonly Pause[] = [],
): { dueAt: Date; intervals: OpenInterval[] } {
  if (!(minutes >= 0 && minutes < Infinity)) throw new RangeError('Business minutes must be a number from 0 up.');
  const from = instant(start);
  let remaining = Math.round(minutes * minuteMs);
  if (remaining === 0) return { dueAt: new Date(from), intervals: [] };
  const counted: Span[] = [];
  for (const open of countedSpans(calendar, from, from + horizonMs, pauses)) {
    const to = Math.min(open.to, open.from + remaining);
    remaining -= to - open.from;
    const last = counted.at(-1);
    if (last?.to === open.from) last.to = to;
    else counted.push({ from: open.from, to });
    if (remaining === 0) return { dueAt: new Date(to), intervals: toIntervals(counted) };
  }
  if (pauses.some((pause) => pause.to === null)) {
    throw new BusinessTimeError('paused', `${minutes} business minutes do not pass before a pause that has no end.`);
  }
  throw new BusinessTimeError(
    'too_few_hours',
    `The calendar has fewer than ${minutes} open minutes in the ${horizonYears} years after ${start.toISOString()}; ` +
      'give it more hours or ask for fewer minutes.',
  );
}

/**
 * Open, unpaused minutes from `from` to `to`, exact to the millisecond (fractions); negative when `to` is earlier. The
 * inverse of `addBusinessMinutes`. An hour that the clock repeats counts twice, one that it skips not at all.
 */
export function businessMinutesBetween(
  calendar: CompiledCalendar,
  from: Date,
  to: Date,
  pauses: readonly Pause[] = [],
): number {
  if (instant(to) < instant(from)) return 0 - businessMinutesBetween(calendar, to, from, pauses);
  let total = 0;
  for (const span of countedSpans(calendar, instant(from), instant(to), pauses)) total += span.to - span.from;
  return total / minuteMs;
}

/** `at` itself when it is open, else the next instant that is; null when none follows within 50 years. */
export function nextOpening(calendar: CompiledCalendar, at: Date): Date | null {
  for (const span of openSpans(calendar, instant(at), instant(at) + horizonMs)) return new Date(span.from);
  return null;
}

/** Whether the local reading of `at` lies in a shift. */
export function isOpen(calendar: CompiledCalendar, at: Date): boolean {
  const local = instant(at) + offsetPeriodAt(calendar.timeZone, instant(at)).offset;
  const day = Math.floor(local / dayMs);
  return calendar.shiftsOn(day).some((shift) => shift.from <= local - day * dayMs && local - day * dayMs < shift.to);
}
