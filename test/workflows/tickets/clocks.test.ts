import { describe, expect, it } from '@jest/globals';
import { aroundTheClock } from '../../../workflows/calendars/around-the-clock.ts';
import { compileCalendar } from '../../../workflows/calendars/business-time.ts';
import { instantAfter } from '../../../workflows/tickets/clock-time.ts';
import {
  beginClock,
  breach,
  cancel,
  type Clock,
  complete,
  followStatus,
  type TermsInForce,
  recompute,
} from '../../../workflows/tickets/clocks.ts';
import { defaultTerms } from '../../../workflows/tickets/terms.ts';

const openedAt = new Date('2026-11-23T09:00:00Z');
const at = (minutes: number) => new Date(openedAt.getTime() + minutes * 60_000);

const running: TermsInForce = {
  policyId: '01990000-0000-7000-8000-000000000001',
  policyVersion: 1,
  terms: { ...defaultTerms, name: 'Standard', calendarId: null, targets: { P1: { resolution: 60 } } },
  calendar: aroundTheClock,
  priority: 'P1',
  status: 'open',
};
const paused: TermsInForce = { ...running, status: 'waiting_for_customer' };
const promising = (resolution: number, by = running): TermsInForce => ({
  ...by,
  terms: { ...by.terms, targets: { P1: { resolution } } },
});

function begun(by = running): Clock {
  const clock = beginClock({ id: 'clock', target: 'resolution', ordinal: 1, startedAt: openedAt, cause: 'opened' }, by);
  if (!clock) throw new Error('Nothing is promised');
  return clock;
}

describe('a clock that has ended', () => {
  it.each<[string, Clock]>([
    ['met', complete(begun(), running, at(30))],
    ['late', complete(begun(), running, at(90))],
    ['cancelled', cancel(begun(), running, at(30), 'closed')],
  ])('%s, stays as it is whatever comes', (_name, ended) => {
    expect(followStatus(ended, paused, at(100), 'status')).toBe(ended);
    expect(breach({ ...ended, breached: false, dueAt: at(60) }, at(100)).breached).toBe(false);
    expect(complete(ended, running, at(100))).toBe(ended);
    expect(cancel(ended, running, at(100), 'closed')).toBe(ended);
    expect(recompute(ended, promising(10), at(100), 'priority')).toBe(ended);
  });

  it('keeps the intervals up to its end, and none after it', () => {
    const lived = followStatus(followStatus(begun(), paused, at(10), 'pause'), running, at(20), 'resume');
    const { intervals, elapsedMinutes } = complete(lived, running, at(15));
    expect(intervals.map(({ from, to }) => [from, to])).toEqual([
      [at(0).toISOString(), at(10).toISOString()],
      [at(10).toISOString(), at(15).toISOString()],
    ]);
    expect(elapsedMinutes).toBe(10);
    expect(complete(lived, running, at(20)).intervals).toHaveLength(2);
    expect(complete(lived, running, at(30))).toMatchObject({ elapsedMinutes: 20, endedAt: at(30) });
  });

  it('before it began, ends where it began', () => {
    expect(complete(begun(), running, at(-5))).toMatchObject({ state: 'met', endedAt: at(0), elapsedMinutes: 0 });
  });
});

describe('a cancelled clock', () => {
  it('is due no more, and says so; a breach up to then stays on record', () => {
    expect(cancel(begun(), running, at(30), 'ticket closed')).toMatchObject({
      state: 'cancelled',
      dueAt: null,
      breached: false,
      endedAt: at(30),
      changes: [{ cause: 'ticket closed', dueFrom: at(60).toISOString(), dueTo: null, note: 'cancelled' }],
    });
    expect(cancel(begun(), running, at(60), 'ticket closed')).toMatchObject({ breached: false, breachedAt: null });
    expect(cancel(begun(), running, at(61), 'ticket closed')).toMatchObject({
      state: 'cancelled',
      breached: true,
      breachedAt: at(60),
      breachDetectedAt: at(61),
    });
    const noticed = breach(begun(), at(61));
    expect(cancel(noticed, running, at(60), 'ticket closed')).toMatchObject({
      breached: false,
      breachDetectedAt: null,
    });
    expect(cancel(noticed, running, at(62), 'ticket closed')).toMatchObject({ breached: true, breachedAt: at(60) });
  });

  it('was late by its own hours, whatever those of the terms are that promise it no more', () => {
    const hours = { tuesday: [{ from: '09:00', to: '17:00' }] };
    const calendar = compileCalendar({ timeZone: 'UTC', hours, holidays: [], exceptions: [] });
    const promisingNone = { ...running, calendar, terms: { ...running.terms, calendarId: 'another', targets: {} } };
    for (const late of [begun(), breach(begun(), at(60))])
      expect(recompute(late, promisingNone, at(90), 'priority')).toMatchObject({
        state: 'cancelled',
        breached: true,
        breachedAt: at(60),
        changes: [{ note: 'cancelled' }],
      });
  });
});

describe('a breach', () => {
  it('is noticed once', () => {
    const noticed = breach(begun(), at(61));
    expect(noticed).toMatchObject({ state: 'breached', breachedAt: at(60), breachDetectedAt: at(61) });
    expect(breach(noticed, at(90))).toBe(noticed);
  });

  it('is not what happens to a clock that is paused at the very due instant, and is that a millisecond later', () => {
    expect(followStatus(begun(), paused, at(60), 'status')).toMatchObject({ breached: false, life: 0, dueAt: null });
    const tooLate = new Date(at(60).getTime() + 1);
    expect(followStatus(begun(), paused, tooLate, 'status')).toMatchObject({ breached: true, breachedAt: at(60) });
  });

  it('is taken back only by a due instant that is still to come', () => {
    const late = breach(begun(), at(70));
    expect(recompute(late, promising(80), at(80), 'priority')).toMatchObject({
      breached: true,
      life: 0,
      dueAt: at(80),
    });
    expect(recompute(late, promising(81), at(80), 'priority')).toMatchObject({
      state: 'running',
      breached: false,
      breachedAt: null,
      breachDetectedAt: null,
      life: 1,
      changes: [
        {
          note: 'the breach is taken back; 60 → 81 minutes',
          dueFrom: at(60).toISOString(),
          dueTo: at(81).toISOString(),
        },
      ],
    });
  });

  it('has happened when the clock is due by what is known now, noticed no earlier than that', () => {
    const late = breach(begun(), at(60));
    const later = recompute(late, promising(120), at(125), 'priority');
    expect(later).toMatchObject({ state: 'breached', dueAt: at(120), breachedAt: at(120), breachDetectedAt: at(125) });
    expect(later.life).toBe(0);
    expect(complete(later, running, at(110))).toMatchObject({ state: 'met', breached: false, breachedAt: null });
    const earlier = recompute(late, promising(30), at(70), 'priority');
    expect(earlier).toMatchObject({ dueAt: at(30), breachedAt: at(30), breachDetectedAt: at(60) });
    // Paused for a time that was not known of.
    const paused40 = followStatus(followStatus(late, paused, at(20), 'status'), running, at(60), 'status');
    expect(followStatus(late, paused, at(200), 'status')).toMatchObject({ breachedAt: at(60), dueAt: at(60) });
    expect(paused40).toMatchObject({ state: 'running', dueAt: at(100), breachedAt: null });
  });

  it('comes to light when other terms make a clock that stands still due before it did', () => {
    const still = followStatus(begun(), paused, at(40), 'status');
    expect(recompute(still, promising(30, paused), at(50), 'priority')).toMatchObject({
      state: 'breached',
      dueAt: at(30),
      breachedAt: at(30),
      breachDetectedAt: at(50),
    });
    expect(recompute(still, promising(40, paused), at(50), 'priority')).toMatchObject({ state: 'paused', dueAt: null });
  });

  it('is taken back when the clock turns out to have stood still before', () => {
    const late = breach(begun(), at(70));
    const stopped = followStatus(late, paused, at(20), 'status');
    expect(stopped).toMatchObject({ state: 'paused', breached: false, dueAt: null, life: 1 });
  });
});

describe('a clock recomputed again', () => {
  it('is the same one when nothing changes, and another one when anything does', () => {
    const clock = begun();
    expect(recompute(clock, running, at(5), 'again')).toBe(clock);
    const calendarId = '01990000-0000-7000-8000-000000000002';
    const changes: [TermsInForce, Partial<Clock>][] = [
      [{ ...running, policyVersion: 2 }, { slaPolicyVersion: 2 }],
      [{ ...running, policyId: calendarId }, { slaPolicyId: calendarId }],
      [{ ...running, terms: { ...running.terms, calendarId } }, { calendarId }],
      [
        { ...running, priority: 'P2', terms: { ...running.terms, targets: { P2: { resolution: 60 } } } },
        { priority: 'P2' },
      ],
    ];
    for (const [by, expected] of changes) expect(recompute(clock, by, at(5), 'again')).toMatchObject(expected);
    // Due when it was, by another promise that stands still as well.
    const still = followStatus(clock, paused, at(5), 'status');
    expect(recompute(still, promising(90, paused), at(6), 'again')).toMatchObject({ targetMinutes: 90, dueAt: null });
  });

  it('tells of every change of what it counts by, also while it stands still', () => {
    const version = (number: number): TermsInForce => ({ ...paused, calendar: { ...aroundTheClock, version: number } });
    const still = followStatus(begun(), version(1), at(5), 'status');
    const changes: [TermsInForce, string][] = [
      [promising(90, version(1)), 'stands still; 60 → 90 minutes'],
      [{ ...version(1), policyVersion: 2 }, 'stands still; policy version 1 → 2'],
      [{ ...version(1), policyId: 'another' }, 'stands still; another policy'],
      [{ ...version(1), terms: { ...running.terms, calendarId: 'another' } }, 'stands still; another calendar'],
      [version(2), 'stands still; calendar version 1 → 2'],
      [
        { ...version(1), priority: 'P2', terms: { ...running.terms, targets: { P2: { resolution: 30 } } } },
        'stands still; 60 → 30 minutes; P1 → P2',
      ],
    ];
    for (const [by, note] of changes) {
      const after = recompute(still, by, at(6), 'cause');
      expect(after.changes.at(-1)).toMatchObject({ at: at(6).toISOString(), cause: 'cause', dueTo: null, note });
      expect(after.changes).toHaveLength(2);
      expect(recompute(after, by, at(7), 'cause')).toBe(after);
    }
    const resumed = followStatus(still, { ...version(3), status: 'open' }, at(15), 'status open');
    expect(resumed.changes.at(-1)).toMatchObject({
      cause: 'status open',
      dueTo: at(70).toISOString(),
      note: 'due anew; calendar version 1 → 3',
      calendarVersion: 3,
    });
    // While it runs, a calendar that moves nothing is none of its business.
    expect(recompute(resumed, { ...version(4), status: 'open' }, at(16), 'calendar changed')).toBe(resumed);
    expect(recompute(resumed, { ...version(3), status: 'open', policyVersion: 2 }, at(16), 'applied')).toMatchObject({
      changes: [{}, {}, { note: 'due as before; policy version 1 → 2' }],
    });
  });

  it('follows terms that make it stand still, or run, in the status that it has', () => {
    const runs: TermsInForce = { ...paused, terms: { ...paused.terms, pauseStatuses: ['on_hold'] } };
    expect(recompute(begun(), paused, at(5), 'terms')).toMatchObject({ state: 'paused', dueAt: null });
    const still = followStatus(begun(), paused, at(5), 'status');
    expect(recompute(still, runs, at(15), 'terms')).toMatchObject({ state: 'running', dueAt: at(70) });
  });

  it('keeps the latest hundred of its changes', () => {
    let clock = begun();
    for (let count = 1; count <= 120; count += 1)
      clock = recompute(clock, promising(60 + count), at(1), `change ${count}`);
    expect(clock.changes.map(({ cause }) => cause)).toEqual(
      Array.from({ length: 100 }, (_, index) => `change ${index + 21}`),
    );
  });
});

describe('a pause', () => {
  it('is for the targets and in the statuses that the policy names', () => {
    const terms = { ...paused.terms, pausedTargets: ['first_response' as const] };
    const others: TermsInForce[] = [
      { ...paused, terms },
      { ...paused, status: 'on_hold' },
    ];
    for (const by of others) expect(followStatus(begun(), by, at(10), 'status')).toMatchObject({ state: 'running' });
    expect(followStatus(begun(), paused, at(10), 'status')).toMatchObject({ state: 'paused' });
  });

  it('that comes late in the order of messages begins no earlier than what is known', () => {
    const resumed = followStatus(followStatus(begun(), paused, at(10), 'pause'), running, at(20), 'resume');
    const { intervals } = followStatus(resumed, paused, at(15), 'late pause');
    expect(intervals.map(({ from, to, kind }) => [from, to, kind])).toEqual([
      [at(0).toISOString(), at(10).toISOString(), 'running'],
      [at(10).toISOString(), null, 'paused'],
    ]);
  });

  it('without length leaves no trace, and one that began with the clock is its beginning', () => {
    const { intervals } = followStatus(followStatus(begun(), paused, at(10), 'pause'), running, at(10), 'resume');
    expect(intervals).toEqual([{ from: at(0).toISOString(), to: null, kind: 'running', cause: 'opened' }]);
    expect(begun(paused)).toMatchObject({ state: 'paused', dueAt: null, intervals: [{ kind: 'paused' }] });
  });
});

describe('the instant after so many minutes', () => {
  const after = (pauses: [number, number | null][], minutes = 60) =>
    instantAfter(
      aroundTheClock,
      openedAt,
      minutes,
      pauses.map(([from, to]) => ({ from: at(from), to: to === null ? null : at(to) })),
    );

  it('comes after a pause, and after the next one, that begin at that very instant', () => {
    expect(after([[60, 70]])).toEqual(at(70));
    expect(after([[60, 70], [70, 90], [90, 95]])).toEqual(at(95)); // prettier-ignore
    expect(after([[60, null]])).toBeNull();
    expect(after([[60, 70], [70, null]])).toBeNull(); // prettier-ignore
  });

  it('does not heed a pause without length, or one that begins a minute later', () => {
    expect(after([[60, 60]])).toEqual(at(60));
    expect(after([[61, 90]])).toEqual(at(60));
    expect(after([[30, null]])).toBeNull();
  });

  it('is plain minutes away where the calendar has run out of hours', () => {
    const past = compileCalendar({
      timeZone: 'UTC',
      hours: {},
      holidays: [],
      exceptions: [{ date: '2020-01-01', hours: [{ from: '09:00', to: '10:00' }] }],
    });
    expect(instantAfter(past, openedAt, 90, [])).toEqual(at(90));
    const pauses = [{ from: at(30), to: at(50) }];
    expect(instantAfter(past, openedAt, 90, pauses)).toEqual(at(110));
    expect(instantAfter(past, openedAt, 90, [...pauses, { from: at(100), to: null }])).toBeNull();
  });
});
