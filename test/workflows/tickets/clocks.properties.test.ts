import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aroundTheClock } from '../../../workflows/calendars/around-the-clock.ts';
import {
  addBusinessMinutes,
  businessMinutesBetween,
  compileCalendar,
} from '../../../workflows/calendars/business-time.ts';
import { pausesOf } from '../../../workflows/tickets/clock-time.ts';
import {
  beginClock,
  breach,
  type Clock,
  complete,
  followStatus,
  type TermsInForce,
  recompute,
} from '../../../workflows/tickets/clocks.ts';
import { slaOf, stepsOfClock } from '../../../workflows/tickets/plan.ts';
import type { TicketStatus } from '../../../workflows/tickets/policy.ts';
import { defaultTerms } from '../../../workflows/tickets/terms.ts';

const day = [
  { from: '09:00', to: '12:30' },
  { from: '13:30', to: '17:00' },
];
const office = compileCalendar({
  timeZone: 'Europe/Berlin',
  hours: { monday: day, tuesday: day, wednesday: day, thursday: day, friday: day },
  holidays: [{ date: '2026-12-25', yearly: true }],
  exceptions: [],
});

const openedAt = new Date('2026-11-20T08:17:00Z');
const after = (minutes: number) => new Date(openedAt.getTime() + minutes * 60_000);

const inForce = (minutes: number, calendar = office): TermsInForce => ({
  policyId: '01990000-0000-7000-8000-000000000001',
  policyVersion: 1,
  terms: {
    ...defaultTerms,
    name: 'Standard',
    calendarId: null,
    targets: { P1: { resolution: Math.max(1, Math.ceil(minutes / 3)) }, P2: { resolution: minutes } },
    pauseStatuses: ['waiting_for_customer', 'on_hold'],
  },
  calendar,
  priority: 'P2',
  status: 'open',
});

function begun(by: TermsInForce): Clock {
  const clock = beginClock({ id: 'clock', target: 'resolution', ordinal: 1, startedAt: openedAt, cause: 'opened' }, by);
  if (!clock) throw new Error('Nothing is promised');
  return clock;
}

/** Statuses that follow each other, each after some minutes. */
const statuses = fc.array(
  fc.record({
    // Often none: several changes at one instant.
    minutes: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3_000 })),
    status: fc.constantFrom<TicketStatus>('open', 'waiting_for_customer', 'on_hold'),
  }),
  { maxLength: 8 },
);
const target = fc.integer({ min: 1, max: 5_000 });
const calendar = fc.constantFrom(office, aroundTheClock);

/** Its second status lasts for no time at all. */
const interrupted: { minutes: number; status: TicketStatus }[] = [
  { minutes: 0, status: 'on_hold' },
  { minutes: 1, status: 'open' },
  { minutes: 0, status: 'waiting_for_customer' },
];

/** Lets a clock live through statuses; answers it with the last instant and status. */
function lived(by: TermsInForce, changes: readonly { minutes: number; status: TicketStatus }[]) {
  let at = openedAt;
  let clock = begun(by);
  let status: TicketStatus = 'open';
  for (const change of changes) {
    at = new Date(at.getTime() + change.minutes * 60_000);
    status = change.status;
    clock = followStatus(clock, { ...by, status }, at, `status ${status}`);
  }
  return { clock, at, by: { ...by, status } };
}

describe('a clock', () => {
  it('that stands still is never due, never breaches, and plans nothing', () => {
    fc.assert(
      fc.property(target, calendar, statuses, (minutes, hours, changes) => {
        const { clock, by } = lived(inForce(minutes, hours), changes);
        if (clock.state !== 'paused') return;
        expect(clock.dueAt).toBeNull();
        expect(breach(clock, after(1_000_000)).breached).toBe(false);
        expect(stepsOfClock(clock, by, [])).toEqual([]);
        expect(slaOf([clock], [], { met: false, breached: false })).toBe('paused');
      }),
    );
  });

  it('is due after its pauses as much later as business time passed in them', () => {
    fc.assert(
      fc.property(
        target,
        calendar,
        fc.integer({ min: 1, max: 4_000 }),
        fc.integer({ min: 1, max: 4_000 }),
        (minutes, hours, from, length) => {
          const by = inForce(minutes, hours);
          const before = begun(by);
          const pausedAt = after(from);
          if (!before.dueAt || pausedAt >= before.dueAt) return;
          const paused = followStatus(before, { ...by, status: 'on_hold' }, pausedAt, 'on hold');
          const resumed = followStatus(paused, by, after(from + length), 'open');
          const passed = businessMinutesBetween(hours, pausedAt, after(from + length));
          expect(resumed.dueAt).toEqual(
            passed === 0 ? before.dueAt : addBusinessMinutes(hours, before.dueAt, passed).dueAt,
          );
        },
      ),
    );
  });

  it('has, while it is neither done nor late, exactly its target of unpaused minutes until it is due', () => {
    fc.assert(
      fc.property(target, calendar, statuses, (minutes, hours, changes) => {
        const { clock } = lived(inForce(minutes, hours), changes);
        if (clock.dueAt === null) return;
        expect(businessMinutesBetween(hours, openedAt, clock.dueAt, pausesOf(clock))).toBeCloseTo(minutes, 6);
      }),
    );
  });

  it('keeps its intervals without gap and overlap, from its start on', () => {
    fc.assert(
      fc.property(target, statuses, (minutes, changes) => {
        const { intervals } = lived(inForce(minutes), changes).clock;
        expect(intervals[0]?.from).toBe(openedAt.toISOString());
        for (const [index, { to }] of intervals.entries()) expect(to).toBe(intervals[index + 1]?.from ?? null);
        for (const [index, { kind }] of intervals.entries()) expect(kind).not.toBe(intervals[index + 1]?.kind);
      }),
      { examples: [[1, interrupted]] },
    );
  });

  it('computed anew by the same terms stays as it is, and by others there and back is due as before', () => {
    fc.assert(
      fc.property(target, calendar, statuses, (minutes, hours, changes) => {
        const { clock, at, by } = lived(inForce(minutes, hours), changes);
        const same = recompute(clock, by, at, 'again');
        expect(recompute(same, by, at, 'again')).toEqual(same);
        const raised = recompute(clock, { ...by, priority: 'P1' }, at, 'priority P2 → P1');
        expect(recompute(raised, { ...by, priority: 'P1' }, at, 'again').dueAt).toEqual(raised.dueAt);
        expect(recompute(raised, by, at, 'priority P1 → P2').dueAt).toEqual(clock.dueAt);
      }),
    );
  });

  it('warns in the order of its percents, each before the breach', () => {
    fc.assert(
      fc.property(
        target,
        calendar,
        fc.array(fc.integer({ min: 1, max: 99 }), { maxLength: 5 }),
        (minutes, hours, warnAt) => {
          const by = inForce(minutes, hours);
          const steps = stepsOfClock(begun(by), { ...by, terms: { ...by.terms, warnAt } }, []);
          const percents = [...new Set(warnAt)].sort((one, other) => one - other);
          expect(steps.map(({ step }) => step)).toEqual([...percents.map((percent) => `warning_${percent}`), 'breach']);
          for (const [index, { dueAt }] of steps.entries()) {
            const next = steps[index + 1];
            if (next) expect(dueAt.getTime()).toBeLessThanOrEqual(next.dueAt.getTime());
          }
        },
      ),
    );
  });

  it('is met up to and including its due instant, and late from then on, noticed or not', () => {
    fc.assert(
      fc.property(
        target,
        calendar,
        fc.boolean(),
        fc.integer({ min: 0, max: 90_000 }),
        (minutes, hours, noticed, late) => {
          const by = inForce(minutes, hours);
          const clock = begun(by);
          if (!clock.dueAt) throw new Error('not due');
          const known = noticed ? breach(clock, after(1_000_000)) : clock;
          expect(complete(known, by, clock.dueAt)).toMatchObject({ state: 'met', breached: false, breachedAt: null });
          const doneAt = new Date(clock.dueAt.getTime() + 1 + late);
          expect(complete(known, by, doneAt)).toMatchObject({
            state: 'breached',
            breached: true,
            breachedAt: clock.dueAt,
            metAt: doneAt,
          });
        },
      ),
    );
  });
});
