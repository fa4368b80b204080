import { describe, expect, it } from '@jest/globals';
import {
  addBusinessMinutes,
  BusinessTimeError,
  businessMinutesBetween,
  compileCalendar,
  isOpen,
  nextOpening,
} from '../../../workflows/calendars/business-time.ts';
import { calendar, examples, nightShift, office, shift } from './business-time-examples.ts';

describe('addBusinessMinutes', () => {
  it.each(examples)('%s', (_title, hours, start, minutes, dueAt) => {
    const compiled = compileCalendar(hours);
    const answer = addBusinessMinutes(compiled, new Date(start), minutes);
    expect(answer.dueAt).toEqual(new Date(dueAt));
    expect(businessMinutesBetween(compiled, new Date(start), answer.dueAt)).toBe(minutes);
  });

  it('names the open intervals that it counted, joined where they touch', () => {
    const { intervals } = addBusinessMinutes(
      compileCalendar(calendar('Europe/Berlin', nightShift)),
      new Date('2026-11-20T12:00:00Z'),
      500,
    );
    expect(intervals).toEqual([
      { from: new Date('2026-11-20T21:00:00Z'), to: new Date('2026-11-21T05:00:00Z'), minutes: 480 },
      { from: new Date('2026-11-27T21:00:00Z'), to: new Date('2026-11-27T21:20:00Z'), minutes: 20 },
    ]);
  });

  it('stands still while paused, also when pauses overlap or lie outside the hours', () => {
    const pauses = [
      { from: new Date('2026-11-20T15:00:00Z'), to: new Date('2026-11-20T15:30:00Z') },
      { from: new Date('2026-11-20T14:30:00Z'), to: new Date('2026-11-20T15:15:00Z') },
      { from: new Date('2026-11-21T00:00:00Z'), to: new Date('2026-11-22T00:00:00Z') },
    ];
    const { dueAt, intervals } = addBusinessMinutes(
      compileCalendar(calendar('Europe/Berlin', office)),
      new Date('2026-11-20T14:00:00Z'),
      90,
      pauses,
    );
    expect(dueAt).toEqual(new Date('2026-11-23T08:30:00Z'));
    expect(intervals.map(({ minutes }) => minutes)).toEqual([30, 30, 30]);
  });

  it('refuses minutes that never pass because a pause has no end, and meets those before it', () => {
    const compiled = compileCalendar(calendar('Europe/Berlin', office));
    const start = new Date('2026-11-20T14:00:00Z');
    const pauses = [{ from: new Date('2026-11-20T15:00:00Z'), to: null }];
    expect(addBusinessMinutes(compiled, start, 60, pauses).dueAt).toEqual(new Date('2026-11-20T15:00:00Z'));
    expect(() => addBusinessMinutes(compiled, start, 61, pauses)).toThrow(
      expect.objectContaining({ reason: 'paused' }),
    );
  });

  it('refuses minutes that the calendar does not have, instead of looking for ever', () => {
    const past = compileCalendar(
      calendar('UTC', {}, { exceptions: [{ date: '2020-01-01', hours: [shift('09:00', '10:00')] }] }),
    );
    const start = new Date('2026-01-01T00:00:00Z');
    expect(() => addBusinessMinutes(past, start, 1)).toThrow(BusinessTimeError);
    expect(() => addBusinessMinutes(past, start, 1)).toThrow(
      'fewer than 1 open minutes in the 50 years after 2026-01-01',
    );
    expect(nextOpening(past, start)).toBeNull();
    expect(addBusinessMinutes(past, start, 0).dueAt).toEqual(start);
  });

  it('refuses what is no number of minutes, no instant or no pause', () => {
    const compiled = compileCalendar(calendar('UTC', office));
    const now = new Date('2026-01-01T00:00:00Z');
    for (const minutes of [-1, Number.NaN, Infinity])
      expect(() => addBusinessMinutes(compiled, now, minutes)).toThrow(RangeError);
    expect(() => addBusinessMinutes(compiled, new Date('soon'), 1)).toThrow(RangeError);
    const reversed = [{ from: now, to: new Date(now.getTime() - 1) }];
    expect(() => addBusinessMinutes(compiled, now, 1, reversed)).toThrow('A pause ends before it begins.');
  });

  it('looks at each date once for each offset of the zone, over years', () => {
    const compiled = compileCalendar(calendar('Europe/Berlin', office));
    const looked: number[] = [];
    const counting = { ...compiled, shiftsOn: (day: number) => (looked.push(day), compiled.shiftsOn(day)) };
    const start = new Date('2026-01-01T00:00:00Z');
    const { dueAt } = addBusinessMinutes(counting, start, 1_000_000);
    const days = (dueAt.getTime() - start.getTime()) / 86_400_000;
    expect(days).toBeGreaterThan(2_500);
    // Two clock changes a year.
    expect(looked.length).toBeLessThan(days + 2 * (days / 365 + 1) + 2);
  });
});

describe('businessMinutesBetween', () => {
  const compiled = compileCalendar(calendar('Europe/Berlin', office));
  const friday = new Date('2026-11-20T15:00:00Z');
  const monday = new Date('2026-11-23T08:30:00Z');

  it('counts what is open, in fractions too, and backwards as negative', () => {
    expect(businessMinutesBetween(compiled, friday, monday)).toBe(90);
    expect(businessMinutesBetween(compiled, monday, friday)).toBe(-90);
    expect(businessMinutesBetween(compiled, friday, new Date(friday.getTime() + 1500))).toBe(0.025);
    expect(businessMinutesBetween(compiled, friday, friday)).toBe(0);
  });

  it('takes a pause that has not ended', () => {
    expect(
      businessMinutesBetween(compiled, friday, monday, [{ from: new Date('2026-11-20T15:10:00Z'), to: null }]),
    ).toBe(10);
  });
});

describe('isOpen and nextOpening', () => {
  const compiled = compileCalendar(calendar('Europe/Berlin', office));

  it('a shift includes its beginning and not its end', () => {
    expect(isOpen(compiled, new Date('2026-11-23T09:00:00+01:00'))).toBe(true);
    expect(isOpen(compiled, new Date('2026-11-23T08:59:59.999+01:00'))).toBe(false);
    expect(isOpen(compiled, new Date('2026-11-23T12:29:59.999+01:00'))).toBe(true);
    expect(isOpen(compiled, new Date('2026-11-23T12:30:00+01:00'))).toBe(false);
  });

  it('opens now when open, else when the next shift begins', () => {
    const open = new Date('2026-11-20T16:00:00+01:00');
    expect(nextOpening(compiled, open)).toEqual(open);
    expect(nextOpening(compiled, new Date('2026-11-20T17:00:00+01:00'))).toEqual(new Date('2026-11-23T09:00:00+01:00'));
  });
});
