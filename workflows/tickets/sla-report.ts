import { z } from 'zod';
import { slaTargets, ticketPriorities } from './policy.ts';

/** What the clocks of a report are gathered by; a week is an ISO week of the organisation's time zone. */
export const slaReportGroupings = ['policy', 'team', 'agent', 'priority', 'week'] as const;
export type SlaReportGrouping = (typeof slaReportGroupings)[number];

const dayMs = 86_400_000;
const usualDays = 28;
const mostDays = 731;

const instantSchema = z.iso
  .datetime({ offset: true, abort: true, error: 'must be an instant with offset, such as 2026-11-01T00:00:00Z' })
  .refine((text) => Date.parse(text) >= 0, 'must not lie before 1970');

/** The query of `GET /crm/v1/reports/sla`; left out, the range ends at the receipt and is four weeks long. */
export const slaReportParameters = z.strictObject({
  from: instantSchema.optional(),
  to: instantSchema.optional(),
  groupBy: z.enum(slaReportGroupings).default('policy'),
});

/** The query with its range `[from, to)` filled in, as seen at `at`. */
export function slaReportQuery(at: Date) {
  return slaReportParameters
    .transform(({ from, to, groupBy }) => {
      const end = to === undefined ? at : new Date(to);
      return {
        from: from === undefined ? new Date(end.getTime() - usualDays * dayMs) : new Date(from),
        to: end,
        groupBy,
      };
    })
    .refine(({ from, to }) => from < to, { path: ['from'], error: 'must be before "to"' })
    .refine(({ from, to }) => to.getTime() - from.getTime() <= mostDays * dayMs, {
      path: ['from'],
      error: `must not be more than ${mostDays} days before "to"`,
    });
}

/** Clocks by their outcome; `metPercent` is the share of the decided ones, null when none is decided. */
const compliance = z.object({
  met: z.int(),
  breached: z.int(),
  running: z.int(),
  metPercent: z.number().nullable(),
});

/** Business minutes that the answers took, those after a breach included; null when there is none. */
const times = z.object({ count: z.int(), median: z.number().nullable(), p90: z.number().nullable() });

const figures = {
  compliance: z.object({
    all: compliance,
    ...(Object.fromEntries(slaTargets.map((target) => [target, compliance])) as Record<
      (typeof slaTargets)[number],
      typeof compliance
    >),
  }),
  firstResponseMinutes: times,
  resolutionMinutes: times,
};

/** Ages of open tickets in hours since they were opened, by the wall clock: `[fromHours, toHours)`. */
export const backlogBounds = [4, 24, 72, 168, 720] as const;

/**
 * Service levels of the clocks that started in `[from, to)`, as a whole and by group, without those that were cancelled before
 * they were due; and the tickets open at `backlog.at`, by age and priority.
 */
export const slaReport = z.object({
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  groupBy: z.enum(slaReportGroupings),
  total: z.object(figures),
  groups: z.array(z.object({ key: z.string().nullable(), name: z.string().nullable(), ...figures })),
  backlog: z.object({
    at: z.iso.datetime(),
    open: z.int(),
    bands: z.array(
      z.object({
        fromHours: z.int(),
        toHours: z.int().nullable(),
        open: z.int(),
        byPriority: z.object(
          Object.fromEntries(ticketPriorities.map((priority) => [priority, z.int()])) as Record<
            (typeof ticketPriorities)[number],
            z.ZodInt
          >,
        ),
      }),
    ),
  }),
});

export type SlaReport = z.output<typeof slaReport>;
export type SlaFigures = SlaReport['total'];
