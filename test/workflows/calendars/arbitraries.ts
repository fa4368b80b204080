import fc from 'fast-check';
import { type CalendarHours, type Shift, weekdays } from '../../../workflows/calendars/calendar.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;

/** Instants at which a zone's clock jumps: gaps and overlaps, whole and half hours, at midnight, a whole day. */
export const jumps: [timeZone: string, at: string][] = [
  ['Europe/Berlin', '2026-03-29T01:00:00Z'],
  ['Europe/Berlin', '2026-10-25T01:00:00Z'],
  ['America/New_York', '2026-03-08T07:00:00Z'],
  ['America/New_York', '2026-11-01T06:00:00Z'],
  ['Australia/Lord_Howe', '2026-04-04T15:00:00Z'],
  ['Australia/Lord_Howe', '2026-10-03T15:30:00Z'],
  ['Pacific/Auckland', '2026-04-04T14:00:00Z'],
  ['Pacific/Auckland', '2026-09-26T14:00:00Z'],
  ['Pacific/Chatham', '2026-04-04T14:00:00Z'],
  ['America/Santiago', '2026-09-06T04:00:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00:00Z'],
  ['Pacific/Kwajalein', '1993-08-21T12:00:00Z'],
  ['America/St_Johns', '2009-11-01T02:31:00Z'],
  ['America/Sao_Paulo', '2017-10-15T03:00:00Z'],
  ['America/Sao_Paulo', '2018-02-18T02:00:00Z'],
  ['America/Havana', '2026-03-08T05:00:00Z'],
  ['America/Havana', '2026-11-01T05:00:00Z'],
  ['Asia/Beirut', '2026-03-28T22:00:00Z'],
  ['Asia/Beirut', '2026-10-24T21:00:00Z'],
  ['Africa/Casablanca', '2026-02-15T02:00:00Z'],
  ['Africa/Casablanca', '2026-03-22T02:00:00Z'],
  ['Antarctica/Troll', '2026-03-29T01:00:00Z'],
  ['Asia/Pyongyang', '2015-08-14T15:00:00Z'],
];

/** Noon of a 29 February, in zones east and west of Greenwich. */
const leapDays: [timeZone: string, at: string][] = [
  ['Pacific/Auckland', '2028-02-28T23:00:00Z'],
  ['America/New_York', '2024-02-29T17:00:00Z'],
  ['UTC', '2000-02-29T12:00:00Z'],
];

const quietZones = ['UTC', 'Asia/Kathmandu', 'Asia/Kolkata', 'America/Santiago', 'Pacific/Chatham', 'Africa/Cairo'];

const clock = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

const minuteOfDay = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
const minutesOf = ({ from, to }: Shift): number => minuteOfDay(to) - minuteOfDay(from);

/** Up to three shifts of one day; quarter hours often, so that shifts meet midnight, jumps and each other. */
const dayHours: fc.Arbitrary<Shift[]> = fc
  .uniqueArray(
    fc.oneof(
      fc.integer({ min: 0, max: 96 }).map((n) => n * 15),
      fc.integer({ min: 0, max: 1440 }),
    ),
    {
      maxLength: 6,
    },
  )
  .map((edges) => {
    const sorted = edges.sort((one, other) => one - other);
    return Array.from({ length: Math.floor(sorted.length / 2) }, (_, index) => ({
      from: clock(sorted[2 * index] ?? 0),
      to: clock(sorted[2 * index + 1] ?? 1440),
    }));
  });

const dateNear = (at: number): fc.Arbitrary<string> =>
  fc.integer({ min: -2, max: 5 }).map((days) => new Date(at + days * dayMs).toISOString().slice(0, 10));

export interface Scene {
  calendar: CalendarHours;
  start: Date;
}

const place: fc.Arbitrary<{ timeZone: string; near: number }> = fc.oneof(
  fc.constantFrom(...jumps, ...leapDays).map(([timeZone, at]) => ({ timeZone, near: Date.parse(at) })),
  fc.record({
    timeZone: fc.constantFrom(...quietZones, ...jumps.map(([timeZone]) => timeZone)),
    near: fc
      .integer({ min: Date.UTC(2000, 0, 1) / minuteMs, max: Date.UTC(2035, 0, 1) / minuteMs })
      .map((n) => n * minuteMs),
  }),
);

/** A valid calendar and a whole minute at most two days before a jump of its clock, or anywhere. */
export const scenes: fc.Arbitrary<Scene> = place.chain(({ timeZone, near }) =>
  fc
    .record({
      hours: fc.record(Object.fromEntries(weekdays.map((weekday) => [weekday, dayHours])), { requiredKeys: [] }),
      holidays: fc.uniqueArray(fc.record({ date: dateNear(near), yearly: fc.boolean() }), {
        selector: (day) => day.date,
        maxLength: 2,
      }),
      exceptions: fc.uniqueArray(fc.record({ date: dateNear(near), hours: dayHours }), {
        selector: (day) => day.date,
        maxLength: 2,
      }),
      before: fc.integer({ min: 0, max: 2 * 1440 }),
    })
    .map(({ before, ...parts }) => ({ calendar: { timeZone, ...parts }, start: new Date(near - before * minuteMs) }))
    // Enough hours in a week that the minutes of these tests pass within the horizon.
    .filter(({ calendar }) => {
      const shifts = weekdays.flatMap((weekday) => calendar.hours[weekday] ?? []);
      return shifts.reduce((sum, shift) => sum + minutesOf(shift), 0) >= 15;
    }),
);

/** Pauses within five days of `start`, in any order, overlapping or empty, in whole multiples of `grainMs`. */
export const pausesAfter = (start: Date, grainMs: number): fc.Arbitrary<{ from: Date; to: Date }[]> =>
  fc.array(
    fc
      .record({
        from: fc.integer({ min: -dayMs / grainMs, max: (5 * dayMs) / grainMs }),
        length: fc.integer({ min: 0, max: dayMs / grainMs }),
      })
      .map(({ from, length }) => ({
        from: new Date(start.getTime() + from * grainMs),
        to: new Date(start.getTime() + (from + length) * grainMs),
      })),
    { maxLength: 4 },
  );
