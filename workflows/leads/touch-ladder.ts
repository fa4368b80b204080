import { z } from 'zod';
import { addBusinessMinutes, BusinessTimeError, type CompiledCalendar } from '../calendars/business-time.ts';
import { type ChasingStep, idleSteps, noTouchLadder } from './policy.ts';

const minutes = z.int().min(1).max(525_600);

/**
 * When a lead that waits is chased, in business minutes of its assignee's calendar: the no-touch ladder since the
 * assignment, at most `maxRounds` assignments, and the idle steps since the last touch. `closeStaleAfterMinutes` ends
 * both: that of a touched lead, and that of one which nobody touched by the end of its last round.
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

const delays: Readonly<Record<ChasingStep, Exclude<keyof TouchLadder, 'maxRounds'>>> = {
  remind_owner: 'remindOwnerAfterMinutes',
  tell_manager: 'tellManagerAfterMinutes',
  reassign: 'reassignAfterMinutes',
  tell_manager_again: 'tellManagerAfterMinutes',
  remind_idle: 'remindIdleAfterMinutes',
  close_stale: 'closeStaleAfterMinutes',
};

/** A step of the ladder and the UTC instant at which it falls due. */
export interface LadderStep {
  step: ChasingStep;
  dueAt: Date;
}

/** A step that was taken, and the UTC instant at which it was noticed to be due. */
export interface TakenStep {
  step: ChasingStep;
  detectedAt: Date;
}

/** A lead that waits for somebody: since when, and by whose business time. */
export interface Waiting {
  ladder: TouchLadder;
  stage: 'assigned' | 'touched';
  /** 1 for the first assignment; the last round (`maxRounds`) reassigns no more. */
  round: number;
  /** The assignee's. */
  calendar: CompiledCalendar;
  /** The assignment of an `assigned` lead, the last activity on a `touched` one. */
  startedAt: Date;
}

/**
 * The next step of a lead, after those taken since `startedAt`. An assigned lead always has one: when its ladder is
 * climbed and nobody else got it, its manager is told again each `tellManagerAfterMinutes` after the last step; the first
 * of these that is due `closeStaleAfterMinutes` or more after the assignment closes the lead as stale instead.
 */
export function nextStep(waiting: Waiting, taken: readonly TakenStep[]): LadderStep | null {
  const { ladder, stage, calendar, startedAt } = waiting;
  const step = stepsOf(waiting).find((planned) => !taken.some((done) => done.step === planned));
  if (step) return { step, dueAt: dueAt(calendar, startedAt, ladder[delays[step]]) };
  if (stage === 'touched') return null;
  const lastAt = new Date(Math.max(...taken.map(({ detectedAt }) => detectedAt.getTime())));
  const againAt = dueAt(calendar, lastAt, ladder[delays.tell_manager_again]);
  const staleAt = dueAt(calendar, startedAt, ladder[delays.close_stale]);
  return { step: againAt < staleAt ? 'tell_manager_again' : 'close_stale', dueAt: againAt };
}

function stepsOf({ ladder, stage, round }: Waiting): readonly ChasingStep[] {
  if (stage === 'touched') return idleSteps;
  return noTouchLadder.filter((step) => step !== 'reassign' || round < ladder.maxRounds);
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
