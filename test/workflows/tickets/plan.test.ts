import { describe, expect, it } from '@jest/globals';
import { aroundTheClock } from '../../../workflows/calendars/around-the-clock.ts';
import { compileCalendar } from '../../../workflows/calendars/business-time.ts';
import {
  beginClock,
  breach,
  cancel,
  type Clock,
  complete,
  followStatus,
  type TermsInForce,
} from '../../../workflows/tickets/clocks.ts';
import { inOrder, nextPlanned, type PlannedTicket, slaOf, stepsOfClock } from '../../../workflows/tickets/plan.ts';
import type { SlaTarget } from '../../../workflows/tickets/policy.ts';
import { defaultTerms } from '../../../workflows/tickets/terms.ts';

const openedAt = new Date('2026-11-23T09:00:00Z');
const at = (minutes: number) => new Date(openedAt.getTime() + minutes * 60_000);

const by: TermsInForce = {
  policyId: '01990000-0000-7000-8000-000000000001',
  policyVersion: 1,
  terms: {
    ...defaultTerms,
    name: 'Standard',
    calendarId: null,
    targets: { P1: { first_response: 45, next_response: 45, resolution: 60 } },
    escalation: [
      { target: 'resolution', afterMinutes: 0, clock: 'business', action: 'notify_manager' },
      { target: 'first_response', afterMinutes: 5, clock: 'business', action: 'reassign' },
      { target: 'resolution', afterMinutes: 30, clock: 'wall', action: 'raise_priority' },
    ],
  },
  calendar: aroundTheClock,
  priority: 'P1',
  status: 'open',
};
const paused: TermsInForce = { ...by, status: 'waiting_for_customer' };

function begun(target: SlaTarget = 'resolution', ordinal = 1, startedAt = openedAt): Clock {
  const clock = beginClock({ id: `${target} ${ordinal}`, target, ordinal, startedAt, cause: 'opened' }, by);
  if (!clock) throw new Error('Nothing is promised');
  return clock;
}
const late = (target?: SlaTarget) => breach(begun(target), at(61));
const taken = (step: string, clock = begun(), life = clock.life) => ({ step, clockId: clock.id, life });
const planned = (clock: Clock, inForce = by, done: ReturnType<typeof taken>[] = []) =>
  stepsOfClock(clock, inForce, done).map(({ step, dueAt }) => [step, dueAt]);

describe('the steps of a clock', () => {
  it('are its warnings, at fractions of a minute if need be, and its breach; each warning once in all its lives', () => {
    expect(planned(begun('first_response'))).toEqual([
      ['warning_50', at(22.5)],
      ['warning_75', at(33.75)],
      ['breach', at(45)],
    ]);
    const again = { ...begun(), life: 1 };
    expect(planned(again, by, [taken('warning_50', again, 0)]).map(([step]) => step)).toEqual(['warning_75', 'breach']);
    expect(planned(begun(), by, [taken('warning_50', begun('first_response'))])).toHaveLength(3);
    expect(planned(complete(begun(), by, at(10)))).toEqual([]);
  });

  it('are the rungs of its own target once it is late, by wall or business time, each once in a life', () => {
    expect(planned(late())).toEqual([
      ['rung_notify_manager_0', at(60)],
      ['rung_raise_priority_30_wall', at(90)],
    ]);
    expect(planned(late('first_response'))).toEqual([['rung_reassign_5', at(50)]]);
    expect(planned(late(), by, [taken('rung_notify_manager_0', late())])).toEqual([
      ['rung_raise_priority_30_wall', at(90)],
    ]);
    const again = { ...late(), life: 1 };
    expect(
      planned(again, by, [taken('rung_notify_manager_0', again, 0), taken('rung_raise_priority_30_wall', again, 1)]),
    ).toEqual([['rung_notify_manager_0', at(60)]]);
    expect(planned(complete(late(), by, at(70)))).toEqual([]);
  });

  it('on the ladder count by the calendar or by the wall, and stand still where the clock does', () => {
    const hours = [{ from: '09:00', to: '10:00' }];
    const days = { monday: hours, tuesday: hours };
    const calendar = compileCalendar({ timeZone: 'UTC', hours: days, holidays: [], exceptions: [] });
    const ladder = (clock: 'business' | 'wall'): TermsInForce => ({
      ...by,
      calendar,
      terms: { ...by.terms, escalation: [{ target: 'resolution', afterMinutes: 5, clock, action: 'notify_manager' }] },
    });
    const tuesday = new Date('2026-11-24T09:05:00Z');
    expect(planned(late(), ladder('business'))).toEqual([['rung_notify_manager_5', tuesday]]);
    expect(planned(late(), ladder('wall'))).toEqual([['rung_notify_manager_5_wall', at(65)]]);
    const held = followStatus(late(), paused, at(62), 'status');
    expect(stepsOfClock(held, paused, []).map(({ step }) => step)).toEqual([
      'rung_notify_manager_0',
      'rung_raise_priority_30_wall',
    ]);
    const aroundLadder = { ...ladder('business'), calendar: aroundTheClock };
    expect(planned(held, aroundLadder)).toEqual([]);
    expect(planned(followStatus(held, by, at(72), 'status'), aroundLadder)).toEqual([
      ['rung_notify_manager_5', at(75)],
    ]);
  });

  it('are none while it stands still, whatever due instant it had', () => {
    expect(planned({ ...followStatus(begun(), paused, at(10), 'status'), dueAt: at(60) })).toEqual([]);
  });
});

describe('the next step of a ticket', () => {
  const ticket: PlannedTicket = {
    stage: 'assigned',
    status: 'open',
    waitingSince: null,
    waitCount: 0,
    resolvedAt: null,
    reopenCount: 3,
    routeAgainAt: null,
    terms: { closeAfterMinutes: 90, resolveAfterMinutes: 200, resumeAfterMinutes: 300 },
  };
  const next = (changes: Partial<PlannedTicket>, clocks: readonly Clock[] = []) =>
    nextPlanned({ ...ticket, ...changes }, clocks, by, []);

  it('is what is due first, of its clocks before its own at one instant', () => {
    expect(next({}, [begun(), begun('first_response')])).toMatchObject({ step: 'warning_50', dueAt: at(22.5) });
    expect(next({ routeAgainAt: at(20) }, [begun()])).toMatchObject({ step: 'route', clockId: null, life: 3 });
    expect(next({ routeAgainAt: at(30) }, [begun()])).toMatchObject({ step: 'warning_50', clockId: begun().id });
    expect(nextPlanned(ticket, [begun()], null, [])).toBeNull();
  });

  it('is the end of a wait before a breach at that instant: what is resolved then is in time', () => {
    const taken = [50, 75].map((percent) => ({ step: `warning_${percent}`, clockId: begun().id, life: 0 }));
    const waits = { ...ticket, status: 'waiting_for_customer', waitingSince: at(0), waitCount: 1 } as const;
    const endsAfter = (resolveAfterMinutes: number) =>
      nextPlanned({ ...waits, terms: { ...ticket.terms, resolveAfterMinutes } }, [begun()], by, taken)?.step;
    expect([59, 60, 61].map(endsAfter)).toEqual(['resolve', 'resolve', 'breach']);
  });

  it('is the closing once it is resolved, and the routing only while it is worked on', () => {
    const resolved = { stage: 'resolved', resolvedAt: at(10) } as const;
    expect(next(resolved)).toMatchObject({ step: 'close', dueAt: at(100), life: 3 });
    expect(next({ ...resolved, routeAgainAt: at(1) })).toMatchObject({ step: 'close' });
    expect(next({ stage: 'queued', routeAgainAt: at(1) })).toMatchObject({ step: 'route', dueAt: at(1) });
    expect(next({ stage: 'received', routeAgainAt: at(1) })).toBeNull();
    expect(next({ resolvedAt: at(1) })).toBeNull();
  });

  it('is the end of a wait for somebody outside, by what it waits for, in every wait anew', () => {
    const waits = { waitingSince: at(5), waitCount: 2 };
    expect(next({ ...waits, status: 'waiting_for_customer' })).toMatchObject({
      step: 'resolve',
      dueAt: at(205),
      life: 2,
      clause: 'resolve · no word from the customer',
    });
    expect(next({ ...waits, status: 'on_hold', stage: 'queued' })).toMatchObject({
      step: 'resume',
      dueAt: at(305),
      life: 2,
      clause: 'end of the hold',
    });
    expect(next({ ...waits, status: 'on_hold', routeAgainAt: at(6) })).toMatchObject({ step: 'route', life: 3 });
    expect(next({ ...waits, status: 'on_hold', waitingSince: null })).toBeNull();
    expect(next({ ...waits, status: 'on_hold', stage: 'received' })).toBeNull();
  });
});

describe('the clocks in order', () => {
  it('stand by target, then by age', () => {
    const mixed = [begun('resolution'), begun('next_response', 2), begun('first_response'), begun('next_response', 1)];
    expect(inOrder(mixed).map(({ id }) => id)).toEqual([
      'first_response 1',
      'next_response 1',
      'next_response 2',
      'resolution 1',
    ]);
  });
});

describe('what is said of a ticket', () => {
  const none = { met: false, breached: false };
  const still = followStatus(begun('next_response'), paused, at(10), 'status');
  const met = complete(begun(), by, at(10));
  const missed = complete(begun(), by, at(70));

  it('is nothing, when nothing was promised', () => {
    expect(slaOf([], [], none)).toBeNull();
  });

  it('is once all is done whether all was done in time, clocks that are shown no more included', () => {
    expect(slaOf([met], [], none)).toBe('met');
    expect(slaOf([met, missed], [], none)).toBe('breached');
    expect(slaOf([], [], { met: true, breached: false })).toBe('met');
    expect(slaOf([met], [], { met: true, breached: true })).toBe('breached');
  });

  it('is nothing where nothing was done, since nobody waits for it any more', () => {
    const cancelled = cancel(begun(), by, at(10), 'ticket closed');
    expect(slaOf([], [], none)).toBeNull();
    expect(slaOf([cancelled], [], none)).toBeNull();
    expect(slaOf([cancelled, met], [], none)).toBe('met');
    expect(slaOf([cancelled], [], { met: false, breached: true })).toBe('breached');
  });

  it('is otherwise the worst of the open clocks', () => {
    expect(slaOf([begun(), late('first_response')], [], none)).toBe('breached');
    expect(slaOf([begun(), missed], [], none)).toBe('on_track');
    expect(slaOf([still], [], none)).toBe('paused');
    expect(slaOf([still, begun()], [], none)).toBe('on_track');
    expect(slaOf([begun()], [taken('warning_50')], none)).toBe('warning');
    expect(slaOf([still, begun()], [taken('warning_50', still)], none)).toBe('on_track');
    expect(slaOf([begun()], [taken('warning_50', still)], none)).toBe('on_track');
    // A clock whose breach was taken back was never warned of.
    expect(slaOf([begun()], [taken('breach'), taken('rung_notify_manager_0')], none)).toBe('on_track');
  });
});
