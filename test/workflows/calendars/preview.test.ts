import { describe, expect, it } from '@jest/globals';
import { calendarSchema } from '../../../workflows/calendars/calendar.ts';
import {
  previewBusinessTime,
  previewFormOf,
  previewInput,
  previewOutput,
} from '../../../workflows/calendars/preview.ts';

const office = calendarSchema.parse({
  name: 'Office',
  timeZone: 'Europe/Berlin',
  hours: { friday: [{ from: '09:00', to: '17:00' }], monday: [{ from: '09:00', to: '17:00' }] },
});

describe('the preview of business time', () => {
  it('answers due time and counted intervals as UTC instants', () => {
    const input = previewInput.parse({
      start: '2026-03-27T16:00:00+01:00',
      minutes: 90,
      pauses: [{ from: '2026-03-27T15:30:00Z', to: '2026-03-27T15:45:00Z' }],
    });
    const answer = previewBusinessTime(office, input);
    expect(answer).toEqual({
      dueAt: '2026-03-30T07:45:00.000Z',
      intervals: [
        { from: '2026-03-27T15:00:00.000Z', to: '2026-03-27T15:30:00.000Z', minutes: 30 },
        { from: '2026-03-27T15:45:00.000Z', to: '2026-03-27T16:00:00.000Z', minutes: 15 },
        { from: '2026-03-30T07:00:00.000Z', to: '2026-03-30T07:45:00.000Z', minutes: 45 },
      ],
    });
    expect(previewOutput.parse(answer)).toEqual(answer);
  });

  it('answers the minutes between two instants, which is the inverse', () => {
    const pauses = [{ from: '2026-03-27T15:30:00Z', to: '2026-03-27T15:45:00Z' }];
    const input = previewInput.parse({ from: '2026-03-27T16:00:00+01:00', to: '2026-03-30T07:45:00Z', pauses });
    const answer = previewBusinessTime(office, input);
    expect(answer).toEqual({ minutes: 90 });
    expect(previewOutput.parse(answer)).toEqual(answer);
  });

  it.each([
    ['both forms at once', { minutes: 60, start: '2026-03-27T16:00:00Z' }, ''],
    ['an end before the beginning', { to: '2026-03-27T15:59:59.999Z' }, 'to'],
    ['one end only', { to: undefined }, 'to'],
    ['a reversed pause', { pauses: [{ from: '2026-03-28T00:00:00Z', to: '2026-03-27T00:00:00Z' }] }, 'pauses.0.to'],
  ])('refuses %s between two instants', (_title, change, path) => {
    const body = { from: '2026-03-27T16:00:00Z', to: '2026-03-27T17:00:00Z', ...change };
    expect(previewInput.safeParse(body).success).toBe(false);
    expect(
      previewFormOf(body)
        .safeParse(body)
        .error?.issues.map((issue) => issue.path.join('.')),
    ).toEqual([path]);
  });

  it.each([
    ['a start without offset', { start: '2026-03-27T16:00:00' }, 'start'],
    ['a start far away', { start: '2200-01-01T00:00:00Z' }, 'start'],
    ['a start before 1970', { start: '1969-12-31T23:59:59Z' }, 'start'],
    ['negative minutes', { minutes: -1 }, 'minutes'],
    ['too many minutes', { minutes: 1_000_001 }, 'minutes'],
    ['a reversed pause', { pauses: [{ from: '2026-03-28T00:00:00Z', to: '2026-03-27T00:00:00Z' }] }, 'pauses.0.to'],
    ['an empty pause', { pauses: [{ from: '2026-03-28T00:00:00Z', to: '2026-03-28T01:00:00+01:00' }] }, 'pauses.0.to'],
    ['an unknown key', { end: '2026-03-27T16:00:00Z' }, ''],
  ])('refuses %s', (_title, change, path) => {
    const body = { start: '2026-03-27T16:00:00Z', minutes: 60, ...change };
    const parsed = previewFormOf(body).safeParse(body);
    expect(parsed.error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
  });
});
