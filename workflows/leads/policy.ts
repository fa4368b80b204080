import type { SlaState } from '../processes/search-attributes.ts';

/** How a lead ended; `open` until it has. */
export const leadStatuses = ['open', 'qualified', 'disqualified', 'merged'] as const;
export type LeadStatus = (typeof leadStatuses)[number];

/** Stages of the intake (DOMAIN, process 1). */
export const leadStages = ['captured', 'scored', 'assigned', 'touched', 'qualified', 'disqualified', 'merged'] as const;
export type LeadStage = (typeof leadStages)[number];

export const finalLeadStages = ['qualified', 'disqualified', 'merged'] as const;

/**
 * From each stage to those it may change to. In `scored` a lead waits while nobody can be given it, after its capture or
 * when its owner has left; a merge undone is assigned anew, or goes on where it was. Evidence for a qualification is itself
 * a contact, so it needs no touch before.
 */
export const leadTransitions: Readonly<Record<LeadStage, readonly LeadStage[]>> = {
  captured: ['scored', 'merged'],
  scored: ['assigned', 'disqualified', 'merged'],
  assigned: ['scored', 'assigned', 'touched', 'qualified', 'disqualified', 'merged'],
  touched: ['assigned', 'qualified', 'disqualified', 'merged'],
  qualified: [],
  disqualified: [],
  merged: ['scored', 'assigned', 'touched'],
};

/** Whether a lead may change from one stage to another. */
export function mayChangeStage(from: LeadStage, to: LeadStage): boolean {
  return leadTransitions[from].includes(to);
}

/** The status that a stage implies. */
export function statusOf(stage: LeadStage): LeadStatus {
  return stage === 'qualified' || stage === 'disqualified' || stage === 'merged' ? stage : 'open';
}

/** Why a person disqualifies a lead. */
export const disqualifyReasons = [
  'no_budget',
  'no_authority',
  'no_need',
  'bad_timing',
  'not_interested',
  'chose_competitor',
  'unreachable',
  'invalid_contact_data',
  'spam',
  'other',
] as const;

/** Every reason a disqualified lead may carry: those of people, and `stale`, which only the process gives. */
export const disqualificationReasons = [...disqualifyReasons, 'stale'] as const;

/**
 * Steps that a lead takes by itself: the look for an owner while it has none, the no-touch ladder in this order, what is
 * repeated once that is climbed, and what happens to an idle lead. `close_stale` is the end of both.
 */
export const noTouchLadder = ['remind_owner', 'tell_manager', 'reassign'] as const;
export const idleSteps = ['remind_idle', 'close_stale'] as const;
export const chasingSteps = [...noTouchLadder, 'tell_manager_again', ...idleSteps] as const;
export type ChasingStep = (typeof chasingSteps)[number];
export type LeadStep = 'find_owner' | ChasingStep;

/** A step and its clause, for people. */
export const stepClauses: Readonly<Record<LeadStep, string>> = {
  find_owner: 'find owner · nobody can take it',
  remind_owner: 'remind owner · no touch',
  tell_manager: 'tell manager · no touch',
  reassign: 'reassign · no touch',
  tell_manager_again: 'tell manager again · no touch',
  remind_idle: 'remind owner · idle',
  close_stale: 'close as stale · no activity',
};

/**
 * The first-touch clock as `CrmSla` says it: the further up the ladder the next step, the later the lead. Whoever waits
 * past the ladder, or for no step at all, is late.
 */
export function firstTouchSla(stage: LeadStage, nextStep: LeadStep | null): SlaState | null {
  if (stage === 'touched' || stage === 'qualified') return 'met';
  if (stage !== 'assigned') return null;
  if (nextStep === 'remind_owner') return 'on_track';
  return nextStep === 'tell_manager' ? 'warning' : 'breached';
}
