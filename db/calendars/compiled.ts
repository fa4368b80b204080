import { type CompiledCalendar, compileCalendar } from '../../workflows/calendars/business-time.ts';
import type { CalendarHours } from '../../workflows/calendars/calendar.ts';

const compiled = new Map<string, CompiledCalendar>();
const most = 1_000;

/** A stored calendar ready for arithmetic; compiled once for each version. */
export function compiledCalendar(calendar: CalendarHours & { id: string; version: number }): CompiledCalendar {
  const key = `${calendar.id}:${calendar.version}`;
  const known = compiled.get(key);
  if (known) return known;
  if (compiled.size >= most) compiled.clear();
  const made = { ...compileCalendar(calendar), version: calendar.version };
  compiled.set(key, made);
  return made;
}
