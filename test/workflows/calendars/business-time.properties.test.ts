import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  addBusinessMinutes,
  businessMinutesBetween,
  compileCalendar,
  isOpen,
  nextOpening,
} from '../../../workflows/calendars/business-time.ts';
import type { CalendarHours, Shift } from '../../../workflows/calendars/calendar.ts';
import { jumps, pausesAfter, scenes } from './arbitraries.ts';
import { countedDue, countedMinutes, wallClock } from './reference.ts';

const minuteMs = 60_000;
const later = (start: Date, ms: number): Date => new Date(start.getTime() + ms);

/** A scene with pauses on whole minutes. */
const wholeScenes = scenes.chain((scene) => pausesAfter(scene.start, minuteMs).map((pauses) => ({ ...scene, pauses })));
/** A scene whose start and pauses lie on any millisecond. */
const exactScenes = scenes.chain(({ calendar, start }) =>
  fc.integer({ min: 0, max: minuteMs }).chain((ms) => {
    const exact = later(start, ms);
    return pausesAfter(exact, 8).map((pauses) => ({ calendar, start: exact, pauses }));
  }),
);
/** Business minutes with three decimals of a second. */
const amounts = fc.integer({ min: 1, max: 6000 * minuteMs }).map((ms) => ms / minuteMs);

/** Every shift longer than a minute cut in two where `cut` (0–1) says. */
function splitShifts(calendar: CalendarHours, cut: number): CalendarHours {
  const minute = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
  const split = (shifts: Shift[]): Shift[] =>
    shifts.flatMap((shift) => {
      const at = minute(shift.from) + Math.floor((minute(shift.to) - minute(shift.from)) * cut);
      if (at === minute(shift.from)) return [shift];
      const time = `${String(Math.floor(at / 60)).padStart(2, '0')}:${String(at % 60).padStart(2, '0')}`;
      return [
        { from: time, to: shift.to },
        { from: shift.from, to: time },
      ];
    });
  return {
    ...calendar,
    hours: Object.fromEntries(Object.entries(calendar.hours).map(([weekday, shifts]) => [weekday, split(shifts)])),
    exceptions: calendar.exceptions.map((day) => ({ ...day, hours: split(day.hours) })),
  };
}

describe('the zones that these properties meet', () => {
  it.each(jumps)('%s jumps at %s', (timeZone, at) => {
    const reading = (instant: number) => {
      const { date, time } = wallClock(timeZone, instant);
      return Date.parse(`${date}T${time}Z`);
    };
    const jump = Date.parse(at);
    expect(reading(jump) - reading(jump - minuteMs)).not.toBe(minuteMs);
  });
});

describe('business time against a count of single minutes by Intl', () => {
  it('adds minutes to the same due time', () => {
    fc.assert(
      fc.property(wholeScenes, fc.integer({ min: 0, max: 3000 }), ({ calendar, start, pauses }, minutes) => {
        const limit = later(start, 4 * 1440 * minuteMs);
        const expected = countedDue(calendar, start, minutes, pauses, limit);
        const { dueAt } = addBusinessMinutes(compileCalendar(calendar), start, minutes, pauses);
        if (expected === null) expect(dueAt.getTime()).toBeGreaterThan(limit.getTime());
        else expect(dueAt).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });

  it('counts the same minutes between two instants, and opens at the same minutes', () => {
    fc.assert(
      fc.property(wholeScenes, fc.integer({ min: 0, max: 4 * 1440 }), ({ calendar, start, pauses }, length) => {
        const compiled = compileCalendar(calendar);
        const end = later(start, length * minuteMs);
        expect(businessMinutesBetween(compiled, start, end, pauses)).toBe(countedMinutes(calendar, start, end, pauses));
        expect(isOpen(compiled, end)).toBe(countedMinutes(calendar, end, later(end, minuteMs), []) === 1);
      }),
      { numRuns: 100 },
    );
  });
});

describe('business time', () => {
  it('adding and counting are inverse of each other, to the millisecond', () => {
    fc.assert(
      fc.property(exactScenes, amounts, ({ calendar, start, pauses }, minutes) => {
        const compiled = compileCalendar(calendar);
        const { dueAt, intervals } = addBusinessMinutes(compiled, start, minutes, pauses);
        expect(businessMinutesBetween(compiled, start, dueAt, pauses)).toBe(minutes);
        // The earliest such instant: a millisecond before, something is missing.
        expect(businessMinutesBetween(compiled, start, later(dueAt, -1), pauses)).toBeLessThan(minutes);
        expect(intervals.at(-1)?.to).toEqual(dueAt);
      }),
    );
  });

  it('comes back to the last counted instant when what passed is added again', () => {
    fc.assert(
      fc.property(exactScenes, fc.integer({ min: 0, max: 7 * 86_400_000 }), ({ calendar, start, pauses }, ms) => {
        const compiled = compileCalendar(calendar);
        const passed = businessMinutesBetween(compiled, start, later(start, ms), pauses);
        const { dueAt } = addBusinessMinutes(compiled, start, passed, pauses);
        expect(dueAt.getTime()).toBeLessThanOrEqual(start.getTime() + ms);
        expect(businessMinutesBetween(compiled, dueAt, later(start, ms), pauses)).toBe(0);
      }),
    );
  });

  it('is additive: two steps reach what one step of both reaches', () => {
    fc.assert(
      fc.property(exactScenes, amounts, amounts, ({ calendar, start, pauses }, first, second) => {
        const compiled = compileCalendar(calendar);
        const middle = addBusinessMinutes(compiled, start, first, pauses).dueAt;
        const end = addBusinessMinutes(compiled, middle, second, pauses).dueAt;
        expect(addBusinessMinutes(compiled, start, first + second, pauses).dueAt).toEqual(end);
        expect(businessMinutesBetween(compiled, start, end, pauses)).toBeCloseTo(first + second, 9);
      }),
    );
  });

  it('counts additively: what lies between two instants is what lies before and after any third', () => {
    fc.assert(
      fc.property(
        exactScenes,
        fc.nat(7 * 86_400_000),
        fc.nat(7 * 86_400_000),
        ({ calendar, start, pauses }, one, other) => {
          const compiled = compileCalendar(calendar);
          const between = (from: number, to: number) =>
            businessMinutesBetween(compiled, later(start, from), later(start, to), pauses);
          expect(between(0, one) + between(one, other)).toBeCloseTo(between(0, other), 9);
          expect(between(one, other)).toBeCloseTo(-between(other, one), 9);
          expect(Math.abs(between(one, other)) * minuteMs).toBeLessThanOrEqual(Math.abs(other - one) + 1e-6);
        },
      ),
    );
  });

  it('is monotonic in start and minutes', () => {
    fc.assert(
      fc.property(
        exactScenes,
        amounts,
        amounts,
        fc.nat(86_400_000),
        ({ calendar, start, pauses }, minutes, more, ms) => {
          const compiled = compileCalendar(calendar);
          const due = addBusinessMinutes(compiled, start, minutes, pauses).dueAt.getTime();
          expect(
            addBusinessMinutes(compiled, later(start, ms), minutes, pauses).dueAt.getTime(),
          ).toBeGreaterThanOrEqual(due);
          expect(addBusinessMinutes(compiled, start, minutes + more, pauses).dueAt.getTime()).toBeGreaterThan(due);
        },
      ),
    );
  });

  it('does not change when shifts are split or listed in another order', () => {
    fc.assert(
      fc.property(
        exactScenes,
        amounts,
        fc.double({ min: 0, max: 1, noNaN: true }),
        ({ calendar, start, pauses }, minutes, cut) => {
          const split = compileCalendar(splitShifts(calendar, Math.min(cut, 0.99)));
          expect(addBusinessMinutes(split, start, minutes, pauses)).toEqual(
            addBusinessMinutes(compileCalendar(calendar), start, minutes, pauses),
          );
        },
      ),
    );
  });

  it('pauses: order and overlap are without meaning, and paused open time is added at the end', () => {
    fc.assert(
      fc.property(exactScenes, amounts, ({ calendar, start, pauses }, minutes) => {
        const compiled = compileCalendar(calendar);
        const { dueAt, intervals } = addBusinessMinutes(compiled, start, minutes, pauses);
        expect(addBusinessMinutes(compiled, start, minutes, [...pauses, ...pauses].reverse()).dueAt).toEqual(dueAt);
        const open = businessMinutesBetween(compiled, start, dueAt);
        expect(addBusinessMinutes(compiled, start, open).dueAt).toEqual(dueAt);
        for (const { from, to } of intervals) {
          expect(pauses.some((pause) => pause.from < pause.to && pause.from < to && from < pause.to)).toBe(false);
        }
      }),
    );
  });

  it('pauses: two that touch are one, and one outside the time asked for is none', () => {
    fc.assert(
      fc.property(
        exactScenes,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(5 * 86_400_000),
        ({ calendar, start, pauses }, cut, ms) => {
          const compiled = compileCalendar(calendar);
          const end = later(start, ms);
          const halves = pauses.flatMap(({ from, to }) => {
            const middle = later(from, Math.floor((to.getTime() - from.getTime()) * cut));
            return [
              { from: middle, to },
              { from, to: middle },
            ];
          });
          const outside = [
            { from: later(start, -minuteMs), to: start },
            { from: end, to: later(end, minuteMs) },
          ];
          const minutes = businessMinutesBetween(compiled, start, end, pauses);
          expect(businessMinutesBetween(compiled, start, end, halves)).toBe(minutes);
          expect(businessMinutesBetween(compiled, start, end, [...outside, ...pauses])).toBe(minutes);
          expect(businessMinutesBetween(compiled, start, end)).toBeGreaterThanOrEqual(minutes);
        },
      ),
    );
  });

  it('intervals are open, apart, in order, and add up', () => {
    fc.assert(
      fc.property(exactScenes, amounts, ({ calendar, start, pauses }, minutes) => {
        const compiled = compileCalendar(calendar);
        const { intervals } = addBusinessMinutes(compiled, start, minutes, pauses);
        let previous = -Infinity;
        let sumMs = 0;
        for (const interval of intervals) {
          expect(interval.from.getTime()).toBeGreaterThan(previous);
          expect(isOpen(compiled, interval.from) && isOpen(compiled, later(interval.to, -1))).toBe(true);
          expect(businessMinutesBetween(compiled, interval.from, interval.to)).toBe(interval.minutes);
          previous = interval.to.getTime();
          sumMs += Math.round(interval.minutes * minuteMs);
        }
        expect(sumMs).toBe(Math.round(minutes * minuteMs));
      }),
    );
  });

  it('the next opening is the first open instant', () => {
    fc.assert(
      fc.property(exactScenes, ({ calendar, start }) => {
        const compiled = compileCalendar(calendar);
        const opening = nextOpening(compiled, start) ?? start;
        expect(isOpen(compiled, opening)).toBe(true);
        expect(businessMinutesBetween(compiled, start, opening)).toBe(0);
        expect(opening.getTime() === start.getTime()).toBe(isOpen(compiled, start));
      }),
    );
  });
});
