import { z } from 'zod';
import { addBusinessMinutes, businessMinutesBetween, compileCalendar } from './business-time.ts';
import type { CalendarHours } from './calendar.ts';

const earliest = Date.UTC(1970, 0, 1);
const latest = Date.UTC(2200, 0, 1);

const instantSchema = z.iso
  .datetime({ offset: true, error: 'must be an instant with offset, such as 2026-03-27T16:00:00+01:00' })
  .refine((text) => Date.parse(text) >= earliest && Date.parse(text) < latest, 'must lie between 1970 and 2199');

const pauseSchema = z
  .strictObject({ from: instantSchema, to: instantSchema })
  .refine(({ from, to }) => Date.parse(from) < Date.parse(to), { path: ['to'], error: 'must be later than "from"' });

const pausesSchema = z.array(pauseSchema).max(1000).default([]);

/** When `minutes` of business time from `start` have passed; pauses may overlap, touch or lie outside. */
const dueTimeInput = z
  .strictObject({ start: instantSchema, minutes: z.number().min(0).max(1_000_000), pauses: pausesSchema })
  .meta({ title: 'When so many minutes have passed' });

/** How many business minutes lie in `[from, to)`; pauses as above. */
const minutesInput = z
  .strictObject({ from: instantSchema, to: instantSchema, pauses: pausesSchema })
  .refine(({ from, to }) => Date.parse(from) <= Date.parse(to), { path: ['to'], error: 'must not be before "from"' })
  .meta({ title: 'How many minutes lie between two instants' });

/** Body of `POST /crm/v1/calendars/{id}/preview`: one of the two forms, not both. */
export const previewInput = z.union([dueTimeInput, minutesInput]);

/**
 * The answer of either form, in UTC instants: when the minutes have passed with the open intervals `[from, to)` that
 * were counted, or the minutes. Minutes are exact to the millisecond, so they may be fractions.
 */
export const previewOutput = z.union([
  z.object({
    dueAt: z.iso.datetime(),
    intervals: z.array(z.object({ from: z.iso.datetime(), to: z.iso.datetime(), minutes: z.number() })),
  }),
  z.object({ minutes: z.number() }),
]);

type Preview = z.output<typeof previewInput>;

/** The form that a body means, by its keys: a mistake in it is told in the words of that form, not of both. */
export function previewFormOf(body: unknown): z.ZodType<Preview> {
  return typeof body === 'object' && body !== null && ('from' in body || 'to' in body) ? minutesInput : dueTimeInput;
}

/** What a clock of this calendar would do. Throws BusinessTimeError when the calendar has too few hours. */
export function previewBusinessTime(calendar: CalendarHours, preview: Preview): z.output<typeof previewOutput> {
  const compiled = compileCalendar(calendar);
  const pauses = preview.pauses.map(({ from, to }) => ({ from: new Date(from), to: new Date(to) }));
  if ('from' in preview) {
    return { minutes: businessMinutesBetween(compiled, new Date(preview.from), new Date(preview.to), pauses) };
  }
  const { dueAt, intervals } = addBusinessMinutes(compiled, new Date(preview.start), preview.minutes, pauses);
  return {
    dueAt: dueAt.toISOString(),
    intervals: intervals.map((open) => ({ ...open, from: open.from.toISOString(), to: open.to.toISOString() })),
  };
}
