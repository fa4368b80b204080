import { z } from 'zod';
import { addBusinessMinutes, compileCalendar } from './business-time.ts';
import type { CalendarHours } from './calendar.ts';

const earliest = Date.UTC(1970, 0, 1);
const latest = Date.UTC(2200, 0, 1);

const instantSchema = z.iso
  .datetime({ offset: true, error: 'must be an instant with offset, such as 2026-03-27T16:00:00+01:00' })
  .refine((text) => Date.parse(text) >= earliest && Date.parse(text) < latest, 'must lie between 1970 and 2199');

const pauseSchema = z
  .strictObject({ from: instantSchema, to: instantSchema })
  .refine(({ from, to }) => Date.parse(from) < Date.parse(to), { path: ['to'], error: 'must be later than "from"' });

/** Body of `POST /crm/v1/calendars/{id}/preview`: `minutes` of business time from `start`; pauses may overlap. */
export const previewInput = z.strictObject({
  start: instantSchema,
  minutes: z.number().min(0).max(1_000_000),
  pauses: z.array(pauseSchema).max(1000).default([]),
});

/** When the minutes have passed, and the open intervals `[from, to)` that were counted; UTC instants. */
export const previewOutput = z.object({
  dueAt: z.iso.datetime(),
  intervals: z.array(z.object({ from: z.iso.datetime(), to: z.iso.datetime(), minutes: z.number() })),
});

/** What a clock of this calendar would do. Throws BusinessTimeError when the calendar has too few hours. */
export function previewBusinessTime(
  calendar: CalendarHours,
  { start, minutes, pauses }: z.output<typeof previewInput>,
): z.output<typeof previewOutput> {
  const { dueAt, intervals } = addBusinessMinutes(
    compileCalendar(calendar),
    new Date(start),
    minutes,
    pauses.map(({ from, to }) => ({ from: new Date(from), to: new Date(to) })),
  );
  return {
    dueAt: dueAt.toISOString(),
    intervals: intervals.map((open) => ({ ...open, from: open.from.toISOString(), to: open.to.toISOString() })),
  };
}
