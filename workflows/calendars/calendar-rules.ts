import { z } from 'zod';
import { compileCalendar, nextOpening } from './business-time.ts';
import { exceptionsSchema, holidaysSchema, hoursSchema, timeZoneSchema } from './calendar.ts';

const calendarParts = z.object({
  timeZone: timeZoneSchema,
  hours: hoursSchema,
  holidays: holidaysSchema,
  exceptions: exceptionsSchema,
});

/**
 * The rule over a whole calendar (a row, or a client's input) that is saved at `at`: a minute of it is open from then on,
 * within the 50 years that the arithmetic looks ahead; else a clock that counts by it would never be due. Answers problem
 * entries; none when all is well, and none for parts that are wrong in themselves, which their own schemas refuse.
 */
export function calendarRules(calendar: Record<string, unknown>, at: Date): { path: string; message: string }[] {
  const { success, data } = calendarParts.safeParse(calendar);
  if (!success || nextOpening(compileCalendar(data), at) !== null) return [];
  const message = 'has no open minute from now on; give a weekday, or an exception to come, at least one shift';
  return [{ path: 'hours', message }];
}
