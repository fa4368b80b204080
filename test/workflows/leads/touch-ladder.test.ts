import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compileCalendar } from '../../../workflows/calendars/business-time.ts';
import {
  defaultTouchLadder,
  type LadderStep,
  nextStep,
  touchLadderSchema,
  type TouchLadder,
} from '../../../workflows/leads/touch-ladder.ts';

const nineToFive = [{ from: '09:00', to: '17:00' }];
const calendar = compileCalendar({
  timeZone: 'Europe/Berlin',
  hours: { monday: nineToFive, tuesday: nineToFive, wednesday: nineToFive, thursday: nineToFive, friday: nineToFive },
  holidays: [{ date: '2026-12-01', yearly: false }],
  exceptions: [],
});

// A Friday, 16:00 in Berlin: one business hour before the weekend.
const startedAt = new Date('2026-11-20T15:00:00.000Z');
interface Life {
  round?: number;
  ladder?: TouchLadder;
  /** Minutes from each due instant to the one at which it is noticed. */
  lateMinutes?: number;
}

/** Every step of a lead that nobody touches, each taken when it is noticed, until it is closed or given away. */
function untouched(
  stage: 'assigned' | 'touched',
  { round = 1, ladder = defaultTouchLadder, lateMinutes = 0 }: Life = {},
) {
  const taken: { step: LadderStep['step']; detectedAt: Date }[] = [];
  const steps: LadderStep[] = [];
  for (;;) {
    const next = nextStep({ ladder, stage, round, calendar, startedAt }, taken);
    if (!next) return steps;
    steps.push(next);
    if (next.step === 'reassign' || next.step === 'close_stale') return steps;
    taken.push({ step: next.step, detectedAt: new Date(next.dueAt.getTime() + lateMinutes * 60_000) });
  }
}
const plan = (stage: 'assigned' | 'touched', life: Life = {}) =>
  untouched(stage, life).map(({ step, dueAt }) => [step, dueAt.toISOString()]);

describe('the no-touch ladder', () => {
  it('falls due in the business hours of the assignee', () => {
    expect(plan('assigned')).toEqual([
      ['remind_owner', '2026-11-20T15:30:00.000Z'],
      ['tell_manager', '2026-11-23T09:00:00.000Z'],
      ['reassign', '2026-11-23T11:00:00.000Z'],
    ]);
  });

  it('reassigns no more in the last round: the manager is told again and again, until it is closed as stale', () => {
    expect(plan('assigned', { round: 2 }).at(-1)?.[0]).toBe('reassign');
    const last = plan('assigned', { round: 3 });
    expect(last.slice(0, 4)).toEqual([
      ['remind_owner', '2026-11-20T15:30:00.000Z'],
      ['tell_manager', '2026-11-23T09:00:00.000Z'],
      ['tell_manager_again', '2026-11-23T11:00:00.000Z'],
      ['tell_manager_again', '2026-11-23T13:00:00.000Z'],
    ]);
    // Ten business days of eight hours, one step each two hours; the second of December was a holiday less.
    expect(last).toHaveLength(1 + 4_800 / 120);
    expect(last.at(-1)).toEqual(['close_stale', '2026-12-07T15:00:00.000Z']);
  });

  it('goes on from the step at which nobody else could get the lead', () => {
    const at = new Date('2026-11-23T11:00:00.000Z');
    const taken = (['remind_owner', 'tell_manager', 'reassign'] as const).map((step) => ({ step, detectedAt: at }));
    const wait = { ladder: defaultTouchLadder, stage: 'assigned', round: 1, calendar, startedAt } as const;
    expect(nextStep(wait, taken)).toEqual({
      step: 'tell_manager_again',
      dueAt: new Date('2026-11-23T13:00:00.000Z'),
    });
  });

  it('leaves the manager time after an outage before it closes', () => {
    const late = untouched('assigned', { round: 3, lateMinutes: 30 * 24 * 60 });
    expect(late.map(({ step }) => step)).toEqual(['remind_owner', 'tell_manager', 'close_stale']);
    const toldAt = late[1]!.dueAt.getTime() + 30 * 24 * 3_600_000;
    expect(late[2]!.dueAt.getTime()).toBeGreaterThanOrEqual(toldAt + 120 * 60_000);
  });

  it('ends for every ladder: no assigned lead is without a next step, and none is chased for ever', () => {
    const minutes = fc.integer({ min: 1, max: 20_000 });
    fc.assert(
      fc.property(minutes, minutes, minutes, minutes, fc.integer({ min: 0, max: 5_000 }), (a, b, c, d, lateMinutes) => {
        const ladder = {
          remindOwnerAfterMinutes: a,
          tellManagerAfterMinutes: a + b,
          reassignAfterMinutes: a + b + c,
          maxRounds: 1,
          remindIdleAfterMinutes: 1,
          closeStaleAfterMinutes: 1 + d,
        };
        const steps = untouched('assigned', { ladder, lateMinutes });
        expect(steps.at(-1)?.step).toBe('close_stale');
        expect(steps.slice(0, 2).map(({ step }) => step)).toEqual(['remind_owner', 'tell_manager']);
        expect(steps.map(({ dueAt }) => dueAt.getTime())).toEqual(
          steps.map(({ dueAt }) => dueAt.getTime()).toSorted((one, other) => one - other),
        );
      }),
      { numRuns: 50 },
    );
  });

  it('reminds of an idle lead after three business days, and closes it after ten', () => {
    expect(plan('touched')).toEqual([
      ['remind_idle', '2026-11-25T15:00:00.000Z'],
      ['close_stale', '2026-12-07T15:00:00.000Z'],
    ]);
  });

  it('goes on by plain minutes when a calendar has run out of hours', () => {
    const past = compileCalendar({
      timeZone: 'UTC',
      hours: {},
      holidays: [],
      exceptions: [{ date: '2020-01-01', hours: nineToFive }],
    });
    const wait = { ladder: defaultTouchLadder, stage: 'assigned', round: 1, calendar: past, startedAt } as const;
    expect(nextStep(wait, [])).toEqual({ step: 'remind_owner', dueAt: new Date('2026-11-20T15:30:00.000Z') });
  });

  it('can be set by a rule, in rising order', () => {
    expect(touchLadderSchema.parse(defaultTouchLadder)).toEqual(defaultTouchLadder);
    const issues = touchLadderSchema.safeParse({
      ...defaultTouchLadder,
      tellManagerAfterMinutes: 30,
      closeStaleAfterMinutes: 1,
    }).error?.issues;
    expect(issues?.map(({ path, message }) => `${path.join()} ${message}`)).toEqual([
      'tellManagerAfterMinutes must be later than remindOwnerAfterMinutes',
      'closeStaleAfterMinutes must be later than remindIdleAfterMinutes',
    ]);
    expect(touchLadderSchema.safeParse({ ...defaultTouchLadder, maxRounds: 0 }).success).toBe(false);
    expect(touchLadderSchema.safeParse({ remindOwnerAfterMinutes: 5 }).success).toBe(false);
  });
});
