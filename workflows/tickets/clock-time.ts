import { aroundTheClock } from '../calendars/around-the-clock.ts';
import {
  addBusinessMinutes,
  BusinessTimeError,
  type CompiledCalendar,
  type Pause,
} from '../calendars/business-time.ts';
import type { ClockInterval } from './clock-records.ts';

/** The stretches in which a clock stands still. */
export function pausesOf({ intervals }: { intervals: readonly ClockInterval[] }): Pause[] {
  return intervals
    .filter(({ kind }) => kind === 'paused')
    .map(({ from, to }) => ({ from: new Date(from), to: to === null ? null : new Date(to) }));
}

/**
 * When so many business minutes of a clock have passed, pauses left out; null while a pause lasts. A pause that begins
 * at that very instant comes first: a clock that stands still is never late.
 */
export function instantAfter(
  calendar: CompiledCalendar,
  startedAt: Date,
  minutes: number,
  pauses: readonly Pause[],
): Date | null {
  let due = passed(calendar, startedAt, minutes, pauses);
  for (;;) {
    const at = due?.getTime();
    const pause = pauses.find(({ from, to }) => from.getTime() === at && to?.getTime() !== at);
    if (!pause) return due;
    due = pause.to;
  }
}

// A calendar whose hours have run out must not stop a clock for ever: then plain minutes count, without its pauses.
function passed(calendar: CompiledCalendar, startedAt: Date, minutes: number, pauses: readonly Pause[]): Date | null {
  try {
    return addBusinessMinutes(calendar, startedAt, minutes, pauses).dueAt;
  } catch (error) {
    if (!(error instanceof BusinessTimeError)) throw error;
    if (error.reason === 'paused') return null;
    return passed(aroundTheClock, startedAt, minutes, pauses);
  }
}
