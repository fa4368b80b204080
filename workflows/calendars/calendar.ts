import { Temporal } from 'temporal-polyfill';
import { z } from 'zod';

export const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;

const clockTime = /^([01]\d|2[0-3]):[0-5]\d$/;
const clockTimeOrMidnight = /^(([01]\d|2[0-3]):[0-5]\d|24:00)$/;

// A time that cannot be read ends the checks: comparing it with others would only add noise.
const timeSchema = (pattern: RegExp, error: string) => z.string().regex(pattern, { error, abort: true });

/** One shift of a local day, `[from, to)`: wall-clock times `HH:MM`, `to` up to `24:00`. */
const shiftSchema = z
  .strictObject({
    from: timeSchema(clockTime, 'must be a time of day from 00:00 to 23:59, such as 09:00'),
    to: timeSchema(clockTimeOrMidnight, 'must be a time of day from 00:01 to 24:00, such as 17:30'),
  })
  .refine(({ from, to }) => from < to, {
    path: ['to'],
    abort: true,
    error: 'must be later than "from"; split a night shift at midnight: 22:00–24:00 and, on the next day, 00:00–06:00',
  });

/** The shifts of one local day in any order, without overlap; an empty list is a closed day. */
const dayHoursSchema = z
  .array(shiftSchema)
  .max(12, 'has at most 12 shifts')
  .superRefine((shifts, context) => {
    for (const [index, shift] of shifts.entries()) {
      const other = shifts.slice(0, index).find((earlier) => earlier.from < shift.to && shift.from < earlier.to);
      if (other === undefined) continue;
      const message = `${shift.from}–${shift.to} overlaps ${other.from}–${other.to}; join the two shifts or move one`;
      context.addIssue({ code: 'custom', path: [index], message });
    }
  });

/** Weekly hours; a weekday that is absent is closed. */
export const hoursSchema = z
  .strictObject({
    monday: dayHoursSchema,
    tuesday: dayHoursSchema,
    wednesday: dayHoursSchema,
    thursday: dayHoursSchema,
    friday: dayHoursSchema,
    saturday: dayHoursSchema,
    sunday: dayHoursSchema,
  })
  .partial();

const dateSchema = z.iso.date('must be a real date, YYYY-MM-DD');

function refuseRepeatedDates(days: { date: string }[], context: z.RefinementCtx): void {
  for (const [index, { date }] of days.entries()) {
    if (days.findIndex((day) => day.date === date) === index) continue;
    context.addIssue({ code: 'custom', path: [index, 'date'], message: `${date} is listed twice; keep one` });
  }
}

/** Closed dates; a `yearly` one closes its month and day in every year (29 February in leap years). */
export const holidaysSchema = z
  .array(z.strictObject({ date: dateSchema, yearly: z.boolean().default(false) }))
  .max(1000, 'has at most 1,000 dates')
  .superRefine(refuseRepeatedDates);

/** Dates with hours of their own instead of the weekly ones; they win over holidays, and no hours means closed. */
export const exceptionsSchema = z
  .array(z.strictObject({ date: dateSchema, hours: dayHoursSchema }))
  .max(1000, 'has at most 1,000 dates')
  .superRefine(refuseRepeatedDates);

/** The name of a zone as the IANA database spells it, or undefined when it has no such zone. */
function zoneName(text: string): string | undefined {
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(text).timeZoneId;
  } catch {
    return undefined;
  }
}

/** An IANA time zone such as `Europe/Berlin`, spelt as the database spells it; offsets such as `+02:00` are none. */
export const timeZoneSchema = z
  .string()
  .max(64)
  .superRefine((text, context) => {
    const name = /^[A-Za-z]/.test(text) ? zoneName(text) : undefined;
    if (name === text) return;
    const advice = name === undefined ? 'use a name such as Europe/Berlin' : `write ${name}`;
    context.addIssue({ code: 'custom', message: `is not the name of an IANA time zone; ${advice}` });
  });

/** A whole calendar as a client sends it; unknown keys are refused. `calendarRules` is what binds its parts. */
export const calendarSchema = z.strictObject({
  name: z.string().trim().min(1).max(120),
  timeZone: timeZoneSchema,
  hours: hoursSchema,
  holidays: holidaysSchema.default([]),
  exceptions: exceptionsSchema.default([]),
});

/** A business calendar: time zone, weekly shifts, holidays, exceptional hours (DOMAIN, calendars). */
export type Calendar = z.output<typeof calendarSchema>;

/** What business time depends on; a calendar row satisfies it as well. */
export type CalendarHours = Pick<Calendar, 'timeZone' | 'hours' | 'holidays' | 'exceptions'>;

export type Shift = z.output<typeof shiftSchema>;
