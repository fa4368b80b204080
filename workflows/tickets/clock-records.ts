import { z } from 'zod';

const instant = z.iso.datetime();

/** A stretch of a clock's life, `[from, to)`; `to: null` while it lasts. */
export const clockIntervalSchema = z.strictObject({
  from: instant,
  to: instant.nullable(),
  kind: z.enum(['running', 'paused']),
  /** What began it: `opened`, `status waiting_for_customer`, … */
  cause: z.string().max(200),
});
export type ClockInterval = z.output<typeof clockIntervalSchema>;

/** One move of a clock's due instant, its state or what it counts by, in words: the explanation of every minute. */
export const clockChangeSchema = z.strictObject({
  at: instant,
  cause: z.string().max(200),
  /** What it was before and after; null: none while paused. */
  dueFrom: instant.nullable(),
  dueTo: instant.nullable(),
  note: z.string().max(500),
  /** Version of the calendar that it counts by from here on; left out where there is no record of one. */
  calendarVersion: z.int().optional(),
  /** The ticket on which it ran until then, which was merged into another one; left out for every other change. */
  fromTicketId: z.uuid().optional(),
});
export type ClockChange = z.output<typeof clockChangeSchema>;
