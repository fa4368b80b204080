import { describe, expect, it } from '@jest/globals';
import { calendarRules } from '../../../workflows/calendars/calendar-rules.ts';
import { calendarSchema } from '../../../workflows/calendars/calendar.ts';

const valid = {
  name: 'Office',
  timeZone: 'Europe/Berlin',
  hours: {
    monday: [
      { from: '09:00', to: '12:30' },
      { from: '13:30', to: '24:00' },
    ],
    sunday: [],
  },
  holidays: [{ date: '2026-12-25', yearly: true }, { date: '2024-02-29' }],
  exceptions: [{ date: '2026-12-25', hours: [{ from: '10:00', to: '12:00' }] }],
};

const monday = (...shifts: object[]) => ({ hours: { monday: shifts } });
const everyDateOfALeapYear = Array.from({ length: 366 }, (_, day) => ({
  date: new Date(Date.UTC(2024, 0, 1 + day)).toISOString().slice(0, 10),
  yearly: true,
}));

const refusals: [title: string, change: object, path: string, message: string][] = [
  ['a time without leading zero', monday({ from: '9:00', to: '12:00' }), 'hours.monday.0.from', 'such as 09:00'],
  ['24:00 as a beginning', monday({ from: '24:00', to: '24:00' }), 'hours.monday.0.from', '00:00 to 23:59'],
  ['25:00', monday({ from: '09:00', to: '25:00' }), 'hours.monday.0.to', '00:01 to 24:00'],
  ['an empty shift', monday({ from: '09:00', to: '09:00' }), 'hours.monday.0.to', 'must be later than "from"'],
  [
    'a night shift in one piece',
    monday({ from: '22:00', to: '06:00' }),
    'hours.monday.0.to',
    'split a night shift at midnight',
  ],
  [
    'overlapping shifts',
    monday({ from: '12:00', to: '17:00' }, { from: '09:00', to: '12:01' }),
    'hours.monday.1',
    '09:00–12:01 overlaps 12:00–17:00',
  ],
  [
    'the same shift twice',
    monday({ from: '09:00', to: '17:00' }, { from: '09:00', to: '17:00' }),
    'hours.monday.1',
    'overlaps',
  ],
  [
    'an unknown key of a shift',
    monday({ from: '09:00', to: '17:00', pause: 30 }),
    'hours.monday.0',
    'Unrecognized key: "pause"',
  ],
  ['an unknown weekday', { hours: { mon: [] } }, 'hours', 'Unrecognized key: "mon"'],
  ['an unknown key', { color: 'red' }, '', 'Unrecognized key: "color"'],
  ['an unknown zone', { timeZone: 'Europe/Atlantis' }, 'timeZone', 'use a name such as Europe/Berlin'],
  ['an offset for a zone', { timeZone: '+01:00' }, 'timeZone', 'use a name such as Europe/Berlin'],
  ['a zone in other letters', { timeZone: 'europe/berlin' }, 'timeZone', 'write Europe/Berlin'],
  ['a date that does not exist', { holidays: [{ date: '2026-02-29', yearly: true }] }, 'holidays.0.date', 'real date'],
  ['a date in another format', { holidays: [{ date: '25.12.2026' }] }, 'holidays.0.date', 'YYYY-MM-DD'],
  [
    'a repeated holiday',
    { holidays: [{ date: '2026-05-01' }, { date: '2026-05-01', yearly: true }] },
    'holidays.1.date',
    '2026-05-01 is listed twice',
  ],
  [
    'a repeated exception',
    {
      exceptions: [
        { date: '2026-05-01', hours: [] },
        { date: '2026-05-01', hours: [] },
      ],
    },
    'exceptions.1.date',
    'listed twice',
  ],
  ['an exception without hours', { exceptions: [{ date: '2026-05-01' }] }, 'exceptions.0.hours', 'expected array'],
  [
    'overlaps in an exception',
    {
      exceptions: [
        {
          date: '2026-05-01',
          hours: [
            { from: '09:00', to: '11:00' },
            { from: '10:00', to: '12:00' },
          ],
        },
      ],
    },
    'exceptions.0.hours.1',
    'overlaps',
  ],
];

describe('a calendar', () => {
  it('is accepted with split shifts, 24:00, closed weekdays and a yearly holiday on 29 February', () => {
    expect(calendarSchema.parse(valid)).toEqual({
      ...valid,
      holidays: [
        { date: '2026-12-25', yearly: true },
        { date: '2024-02-29', yearly: false },
      ],
    });
  });

  it('needs neither holidays nor exceptions; shifts may touch and come in any order', () => {
    const { name, timeZone } = valid;
    const hours = {
      friday: [
        { from: '12:00', to: '13:00' },
        { from: '00:00', to: '12:00' },
      ],
    };
    expect(calendarSchema.parse({ name, timeZone, hours })).toMatchObject({ holidays: [], exceptions: [], hours });
  });

  it.each(refusals)('is refused with %s', (_title, change, path, message) => {
    const issues = calendarSchema.safeParse({ ...valid, ...change }).error?.issues ?? [];
    expect(issues.map((issue) => issue.path.join('.'))).toEqual([path]);
    expect(issues[0]?.message).toContain(message);
  });
});

describe('a calendar that is saved', () => {
  const at = new Date('2026-11-23T09:00:00Z');
  const places = (change: object) => calendarRules({ ...valid, ...change }, at).map(({ path }) => path);
  const exception = (date: string) => ({ date, hours: [{ from: '09:00', to: '10:00' }] });
  const everyDateOf = (year: number) =>
    Array.from({ length: 366 }, (_, day) => ({
      date: new Date(Date.UTC(year, 0, 1 + day)).toISOString().slice(0, 10),
      yearly: false,
    }));

  it('has an open minute from then on, if only on an exception, or in another year', () => {
    expect(places({})).toEqual([]);
    expect(places({ hours: {}, exceptions: [exception('2030-02-01')] })).toEqual([]);
    // Berlin is open for another minute.
    const lastMinute = [{ date: '2026-11-23', hours: [{ from: '09:00', to: '10:01' }] }];
    expect(places({ hours: {}, exceptions: lastMinute })).toEqual([]);
    expect(places({ holidays: [...everyDateOf(2026), ...everyDateOf(2028)], exceptions: [] })).toEqual([]);
    expect(places({ holidays: everyDateOfALeapYear.slice(1), exceptions: [] })).toEqual([]);
  });

  it.each<[string, object]>([
    ['no shift', { hours: { monday: [] }, exceptions: [{ date: '2027-05-01', hours: [] }] }],
    ['yearly holidays on every date', { holidays: everyDateOfALeapYear, exceptions: [] }],
    ['an exception that is over', { hours: {}, exceptions: [exception('2020-01-01'), exception('2026-11-23')] }],
    ['nothing but what lies beyond the reach of the arithmetic', { hours: {}, exceptions: [exception('2120-02-01')] }],
  ])('is refused with %s', (_title, change) => {
    expect(calendarRules({ ...valid, ...change }, at)).toEqual([
      { path: 'hours', message: expect.stringContaining('has no open minute from now on') },
    ]);
  });

  it('is told of parts that are wrong in themselves by their own schemas alone', () => {
    expect(places({ hours: { monday: 'all day' } })).toEqual([]);
    expect(places({ timeZone: 'Mars/Olympus' })).toEqual([]);
  });
});
