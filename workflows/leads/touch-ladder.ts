import { z } from 'zod';
import { addBusinessMinutes, BusinessTimeError, type CompiledCalendar } from '../calendars/business-time.ts';
import { idleSteps, type LeadStep, noTouchLadder } from './policy.ts';

const minutes = z.int().min(1).max(525_600);

/**
 * When a lead that waits is chased, in business minutes of its assignee's calendar: the no-touch ladder since the
 * assignment, at most `maxRounds` assignments, and the idle steps since the last touch.
 */
export const touchLadderSchema = z
  .strictObject({
    remindOwnerAfterMinutes: minutes,
    tellManagerAfterMinutes: minutes,
    reassignAfterMinutes: minutes,
    maxRounds: z.int().min(1).max(20),
    remindIdleAfterMinutes: minutes,
    closeStaleAfterMinutes: minutes,
  })
  .superRefine((ladder, context) => {
    const ascending = [
      ['remindOwnerAfterMinutes', 'tellManagerAfterMinutes'],
      ['tellManagerAfterMinutes', 'reassignAfterMinutes'],
      ['remindIdleAfterMinutes', 'closeStaleAfterMinutes'],
    ] as const;
    for (const [earlier, later] of ascending) {
      if (ladder[earlier] < ladder[later]) continue;
      context.addIssue({ code: 'custom', path: [later], message: `must be later than ${earlier}` });
    }
  });

export type TouchLadder = z.output<typeof touchLadderSchema>;

const businessDayMinutes = 480;

/** The ladder of a rule that sets none; the idle steps are three and ten business days of eight hours. */
export const defaultTouchLadder: TouchLadder = {
  remindOwnerAfterMinutes: 30,
  tellManagerAfterMinutes: 120,
  reassignAfterMinutes: 240,
  maxRounds: 3,
  remindIdleAfterMinutes: 3 * businessDayMinutes,
  closeStaleAfterMinutes: 10 * businessDayMinutes,
};

const delays: Readonly<Record<LeadStep, Exclude<keyof TouchLadder, 'maxRounds'>>> = {
  remind_owner: 'remindOwnerAfterMinutes',
  tell_manager: 'tellManagerAfterMinutes',
  reassign: 'reassignAfterMinutes',
  remind_idle: 'remindIdleAfterMinutes',
  close_stale: 'closeStaleAfterMinutes',
};

/** A step of the ladder and the UTC instant at which it falls due. */
export interface LadderStep {
  step: LeadStep;
  dueAt: Date;
}

/**
 * The steps of a lead in order: of an `assigned` one since its assignment (the last round reassigns no more), of a
 * `touched` one since its last touch. The calendar is the assignee's.
 */
export function planLadder({
  ladder,
  stage,
  round,
  calendar,
  startedAt,
}: {
  ladder: TouchLadder;
  stage: 'assigned' | 'touched';
  /** 1 for the first assignment. */
  round: number;
  calendar: CompiledCalendar;
  startedAt: Date;
}): LadderStep[] {
  const ladderSteps = noTouchLadder.filter((step) => step !== 'reassign' || round < ladder.maxRounds);
  const steps: readonly LeadStep[] = stage === 'touched' ? idleSteps : ladderSteps;
  return steps.map((step) => ({ step, dueAt: dueAt(calendar, startedAt, ladder[delays[step]]) }));
}

// A calendar whose hours have run out must not leave a lead unchased: then plain minutes count.
function dueAt(calendar: CompiledCalendar, startedAt: Date, afterMinutes: number): Date {
  try {
    return addBusinessMinutes(calendar, startedAt, afterMinutes).dueAt;
  } catch (error) {
    if (!(error instanceof BusinessTimeError)) throw error;
    return new Date(startedAt.getTime() + afterMinutes * 60_000);
  }
}

/** The first step of a plan that has not been taken, or null when all have. */
export function nextStep(plan: readonly LadderStep[], doneSteps: readonly LeadStep[]): LadderStep | null {
  return plan.find(({ step }) => !doneSteps.includes(step)) ?? null;
}
