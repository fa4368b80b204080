import { describe, expect, it } from '@jest/globals';
import { compileCalendar } from '../../../workflows/calendars/business-time.ts';
import { defaultTouchLadder, nextStep, planLadder, touchLadderSchema } from '../../../workflows/leads/touch-ladder.ts';

const nineToFive = [{ from: '09:00', to: '17:00' }];
const calendar = compileCalendar({
  timeZone: 'Europe/Berlin',
  hours: { monday: nineToFive, tuesday: nineToFive, wednesday: nineToFive, thursday: nineToFive, friday: nineToFive },
  holidays: [{ date: '2026-12-01', yearly: false }],
  exceptions: [],
});

// A Friday, 16:00 in Berlin: one business hour before the weekend.
const startedAt = new Date('2026-11-20T15:00:00.000Z');
const plan = (stage: 'assigned' | 'touched', round = 1) =>
  planLadder({ ladder: defaultTouchLadder, stage, round, calendar, startedAt }).map(({ step, dueAt }) => [
    step,
    dueAt.toISOString(),
  ]);

describe('the no-touch ladder', () => {
  it('falls due in the business hours of the assignee', () => {
    expect(plan('assigned')).toEqual([
      ['remind_owner', '2026-11-20T15:30:00.000Z'],
      ['tell_manager', '2026-11-23T09:00:00.000Z'],
      ['reassign', '2026-11-23T11:00:00.000Z'],
    ]);
  });

  it('reassigns no more in the last round', () => {
    expect(plan('assigned', 2).map(([step]) => step)).toContain('reassign');
    expect(plan('assigned', 3).map(([step]) => step)).toEqual(['remind_owner', 'tell_manager']);
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
    const [first] = planLadder({ ladder: defaultTouchLadder, stage: 'assigned', round: 1, calendar: past, startedAt });
    expect(first).toEqual({ step: 'remind_owner', dueAt: new Date('2026-11-20T15:30:00.000Z') });
  });

  it('knows the next step', () => {
    const steps = planLadder({ ladder: defaultTouchLadder, stage: 'assigned', round: 1, calendar, startedAt });
    expect(nextStep(steps, [])?.step).toBe('remind_owner');
    expect(nextStep(steps, ['remind_owner', 'tell_manager'])?.step).toBe('reassign');
    expect(nextStep(steps, ['remind_owner', 'tell_manager', 'reassign'])).toBeNull();
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
