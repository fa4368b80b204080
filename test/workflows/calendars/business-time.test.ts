import { describe, expect, it } from '@jest/globals';
import {
  addBusinessMinutes,
  BusinessTimeError,
  businessMinutesBetween,
  compileCalendar,
  isOpen,
  nextOpening,
} from '../../../workflows/calendars/business-time.ts';
import { type Calendar, calendarSchema, type Shift, weekdays } from '../../../workflows/calendars/calendar.ts';

const everyDay = (...shifts: Shift[]) => Object.fromEntries(weekdays.map((weekday) => [weekday, shifts]));
const shift = (from: string, to: string): Shift => ({ from, to });
const office = {
  monday: [shift('09:00', '12:30'), shift('13:30', '17:00')],
  tuesday: [shift('09:00', '17:00')],
  wednesday: [shift('09:00', '17:00')],
  thursday: [shift('09:00', '17:00')],
  friday: [shift('09:00', '17:00')],
};
const nightShift = {
  friday: [shift('22:00', '24:00')],
  saturday: [shift('00:00', '06:00')],
};

function calendar(timeZone: string, hours: object, rest: object = {}): Calendar {
  return calendarSchema.parse({ name: 'Example', timeZone, hours, ...rest });
}

type Example = [title: string, calendar: Calendar, start: string, minutes: number, dueAt: string];

const examples: Example[] = [
  // Europe/Berlin: at 02:00 on 29 March the clock shows 03:00; at 03:00 on 25 October it shows 02:00 again.
  [
    'a gap inside a shift passes in no time',
    calendar('Europe/Berlin', everyDay(shift('01:00', '04:00'))),
    '2026-03-29T01:00:00+01:00',
    120,
    '2026-03-29T04:00:00+02:00',
  ],
  [
    'a shift within the gap does not take place',
    calendar('Europe/Berlin', everyDay(shift('02:00', '03:00'))),
    '2026-03-28T12:00:00+01:00',
    60,
    '2026-03-30T03:00:00+02:00',
  ],
  [
    'an overlap inside a shift counts twice',
    calendar('Europe/Berlin', everyDay(shift('01:00', '04:00'))),
    '2026-10-25T01:00:00+02:00',
    240,
    '2026-10-25T04:00:00+01:00',
  ],
  [
    'a shift within the overlap takes place twice',
    calendar('Europe/Berlin', everyDay(shift('02:15', '02:45'))),
    '2026-10-25T00:00:00+02:00',
    45,
    '2026-10-25T02:30:00+01:00',
  ],
  [
    'a shift that ends in the overlap opens again',
    calendar('Europe/Berlin', everyDay(shift('00:00', '02:30'))),
    '2026-10-25T02:00:00+02:00',
    60,
    '2026-10-25T02:30:00+01:00',
  ],
  [
    'New York loses an hour in March',
    calendar('America/New_York', everyDay(shift('00:00', '24:00'))),
    '2026-03-08T00:00:00-05:00',
    1380,
    '2026-03-09T00:00:00-04:00',
  ],
  [
    'New York wins an hour in November',
    calendar('America/New_York', everyDay(shift('01:00', '02:00'))),
    '2026-11-01T00:00:00-04:00',
    120,
    '2026-11-01T02:00:00-05:00',
  ],
  [
    'Lord Howe loses half an hour in October',
    calendar('Australia/Lord_Howe', everyDay(shift('01:00', '03:00'))),
    '2026-10-04T01:00:00+10:30',
    90,
    '2026-10-04T03:00:00+11:00',
  ],
  [
    'Lord Howe wins half an hour in April',
    calendar('Australia/Lord_Howe', everyDay(shift('01:00', '03:00'))),
    '2026-04-05T01:00:00+11:00',
    150,
    '2026-04-05T03:00:00+10:30',
  ],
  [
    'Apia has no 30 December 2011',
    calendar('Pacific/Apia', everyDay(shift('09:00', '10:00'))),
    '2011-12-29T09:30:00-10:00',
    60,
    '2011-12-31T09:30:00+14:00',
  ],
  [
    'midnight follows midnight where Apia skips a day',
    calendar('Pacific/Apia', everyDay(shift('00:00', '24:00'))),
    '2011-12-29T23:00:00-10:00',
    120,
    '2011-12-31T01:00:00+14:00',
  ],
  [
    'Kwajalein has no 21 August 1993',
    calendar('Pacific/Kwajalein', { saturday: [shift('09:00', '10:00')], sunday: [shift('09:00', '10:00')] }),
    '1993-08-20T12:00:00-12:00',
    60,
    '1993-08-22T10:00:00+12:00',
  ],
  [
    'a day of Havana that begins at one o’clock has no first hour',
    calendar('America/Havana', everyDay(shift('00:00', '02:00'))),
    '2026-03-07T23:00:00-05:00',
    120,
    '2026-03-09T01:00:00-04:00',
  ],
  [
    'Havana’s hour after midnight comes twice in November',
    calendar('America/Havana', everyDay(shift('00:00', '02:00'))),
    '2026-10-31T23:00:00-04:00',
    180,
    '2026-11-01T02:00:00-05:00',
  ],
  [
    'a day of Beirut that begins at one o’clock has no first hour',
    calendar('Asia/Beirut', { sunday: [shift('00:00', '01:00')], monday: [shift('09:00', '10:00')] }),
    '2026-03-28T12:00:00+02:00',
    30,
    '2026-03-30T09:30:00+03:00',
  ],
  [
    'Beirut’s last hour before midnight comes twice in October',
    calendar('Asia/Beirut', { saturday: [shift('23:00', '24:00')] }),
    '2026-10-24T12:00:00+03:00',
    120,
    '2026-10-25T00:00:00+02:00',
  ],
  [
    'Auckland loses an hour in September',
    calendar('Pacific/Auckland', everyDay(shift('01:00', '04:00'))),
    '2026-09-27T01:00:00+12:00',
    120,
    '2026-09-27T04:00:00+13:00',
  ],
  [
    'Auckland wins an hour in April',
    calendar('Pacific/Auckland', everyDay(shift('01:00', '04:00'))),
    '2026-04-05T01:00:00+13:00',
    240,
    '2026-04-05T04:00:00+12:00',
  ],
  [
    'a date that comes back after midnight is open again',
    calendar('America/St_Johns', { saturday: [shift('23:00', '24:00')] }),
    '2009-10-31T23:30:00-02:30',
    60,
    '2009-10-31T23:31:00-03:30',
  ],
  [
    '29 February is a date like any other',
    calendar('UTC', everyDay(shift('09:00', '10:00'))),
    '2028-02-28T09:00:00Z',
    150,
    '2028-03-01T09:30:00Z',
  ],
  [
    'a yearly holiday on 29 February closes leap years',
    calendar('UTC', everyDay(shift('09:00', '10:00')), { holidays: [{ date: '2024-02-29', yearly: true }] }),
    '2028-02-28T09:00:00Z',
    61,
    '2028-03-01T09:01:00Z',
  ],
  [
    'and no day of other years',
    calendar('UTC', everyDay(shift('09:00', '10:00')), { holidays: [{ date: '2024-02-29', yearly: true }] }),
    '2027-02-28T09:00:00Z',
    61,
    '2027-03-01T09:01:00Z',
  ],
  [
    'a yearly holiday closes its date in every year',
    calendar('Europe/Berlin', office, { holidays: [{ date: '2020-12-25', yearly: true }] }),
    '2026-12-24T16:30:00+01:00',
    60,
    '2026-12-28T09:30:00+01:00',
  ],
  [
    'a fixed holiday closes one year only',
    calendar('Europe/Berlin', office, { holidays: [{ date: '2020-12-25' }] }),
    '2026-12-24T16:30:00+01:00',
    60,
    '2026-12-25T09:30:00+01:00',
  ],
  [
    'an exception replaces the weekly hours',
    calendar('Europe/Berlin', office, { exceptions: [{ date: '2026-12-24', hours: [shift('10:00', '12:00')] }] }),
    '2026-12-24T08:00:00+01:00',
    150,
    '2026-12-25T09:30:00+01:00',
  ],
  [
    'an exception without hours closes the date',
    calendar('Europe/Berlin', office, { exceptions: [{ date: '2026-12-24', hours: [] }] }),
    '2026-12-24T08:00:00+01:00',
    30,
    '2026-12-25T09:30:00+01:00',
  ],
  [
    'an exception wins over a holiday',
    calendar('Europe/Berlin', office, {
      holidays: [{ date: '2026-12-24' }],
      exceptions: [{ date: '2026-12-24', hours: [shift('10:00', '12:00')] }],
    }),
    '2026-12-24T08:00:00+01:00',
    30,
    '2026-12-24T10:30:00+01:00',
  ],
  [
    'a lunch break is skipped',
    calendar('Europe/Berlin', office),
    '2026-11-23T12:00:00+01:00',
    60,
    '2026-11-23T14:00:00+01:00',
  ],
  [
    'the last minute of a shift ends when it closes, not when the next one opens',
    calendar('Europe/Berlin', office),
    '2026-11-20T16:00:00+01:00',
    60,
    '2026-11-20T17:00:00+01:00',
  ],
  [
    'a weekend is skipped',
    calendar('Europe/Berlin', office),
    '2026-11-20T16:00:00+01:00',
    61,
    '2026-11-23T09:01:00+01:00',
  ],
  [
    'no minutes are due at once, closed or not',
    calendar('Europe/Berlin', office),
    '2026-11-21T03:00:00+01:00',
    0,
    '2026-11-21T03:00:00+01:00',
  ],
  [
    '24:00 is the midnight at the end of the day',
    calendar('UTC', { monday: [shift('23:00', '24:00')] }),
    '2026-11-23T23:59:30Z',
    1,
    '2026-11-30T23:00:30Z',
  ],
  [
    'a night shift split at midnight runs through',
    calendar('Europe/Berlin', nightShift),
    '2026-11-20T21:00:00+01:00',
    480,
    '2026-11-21T06:00:00+01:00',
  ],
  [
    '24x7 is the wall clock',
    calendar('Europe/Berlin', everyDay(shift('00:00', '24:00'))),
    '2026-01-01T00:00:00Z',
    525_600,
    '2027-01-01T00:00:00Z',
  ],
  [
    'fractions count to the millisecond',
    calendar('Europe/Berlin', office),
    '2026-11-20T16:59:59.999+01:00',
    1,
    '2026-11-23T09:00:59.999+01:00',
  ],
];

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
