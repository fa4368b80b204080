import type { CalendarHours, Shift } from '../../../workflows/calendars/calendar.ts';
import { weekdays } from '../../../workflows/calendars/calendar.ts';

const minuteMs = 60_000;

interface Stop {
  from: Date;
  to: Date | null;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** What a wall clock in the zone shows, by Intl: an independent source of zone rules. */
export function wallClock(timeZone: string, at: number): { date: string; weekday: string; time: string } {
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('en-GB', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      weekday: 'long',
      hour: '2-digit',
      minute: '2-digit',
    });
  formats.set(timeZone, format);
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  return {
    date: `${part.year}-${part.month}-${part.day}`,
    weekday: String(part.weekday).toLowerCase(),
    time: `${part.hour}:${part.minute}`,
  };
}

function shiftsOf(calendar: CalendarHours, date: string, weekdayName: string): Shift[] {
  const exception = calendar.exceptions.find((day) => day.date === date);
  if (exception) return exception.hours;
  const closed = calendar.holidays.some(
    (day) => day.date === date || (day.yearly && day.date.slice(5) === date.slice(5)),
  );
  const weekday = weekdays.find((name) => name === weekdayName);
  return closed || weekday === undefined ? [] : (calendar.hours[weekday] ?? []);
}

/** Whether the UTC minute that begins at `at` is open and unpaused. */
function counts(calendar: CalendarHours, at: number, pauses: Stop[]): boolean {
  if (pauses.some((pause) => pause.from.getTime() <= at && (pause.to === null || at < pause.to.getTime())))
    return false;
  const { date, weekday, time } = wallClock(calendar.timeZone, at);
  return shiftsOf(calendar, date, weekday).some((shift) => shift.from <= time && time < shift.to);
}

/** Business minutes between two whole minutes, counted one by one. */
export function countedMinutes(calendar: CalendarHours, from: Date, to: Date, pauses: Stop[]): number {
  let count = 0;
  for (let at = from.getTime(); at < to.getTime(); at += minuteMs) if (counts(calendar, at, pauses)) count += 1;
  return count;
}

/** Due time found minute by minute, or null when `limit` comes first. */
export function countedDue(
  calendar: CalendarHours,
  start: Date,
  minutes: number,
  pauses: Stop[],
  limit: Date,
): Date | null {
  if (minutes === 0) return start;
  let count = 0;
  for (let at = start.getTime(); at < limit.getTime(); at += minuteMs) {
    if (counts(calendar, at, pauses)) count += 1;
    if (count === minutes) return new Date(at + minuteMs);
  }
  return null;
}
