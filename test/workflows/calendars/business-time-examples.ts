import { type Calendar, calendarSchema, type Shift, weekdays } from '../../../workflows/calendars/calendar.ts';

const everyDay = (...shifts: Shift[]) => Object.fromEntries(weekdays.map((weekday) => [weekday, shifts]));
/** A shift of a day, local times. */
export const shift = (from: string, to: string): Shift => ({ from, to });
/** Monday to Friday, with a break on Monday. */
export const office = {
  monday: [shift('09:00', '12:30'), shift('13:30', '17:00')],
  tuesday: [shift('09:00', '17:00')],
  wednesday: [shift('09:00', '17:00')],
  thursday: [shift('09:00', '17:00')],
  friday: [shift('09:00', '17:00')],
};
/** From Friday evening to Saturday morning. */
export const nightShift = {
  friday: [shift('22:00', '24:00')],
  saturday: [shift('00:00', '06:00')],
};

/** A calendar with these hours. */
export function calendar(timeZone: string, hours: object, rest: object = {}): Calendar {
  return calendarSchema.parse({ name: 'Example', timeZone, hours, ...rest });
}

/** From a start, after so many business minutes, it is due. */
type Example = [title: string, calendar: Calendar, start: string, minutes: number, dueAt: string];

/** What is due when, worked out by hand. */
export const examples: Example[] = [
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
