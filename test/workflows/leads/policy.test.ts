import { describe, expect, it } from '@jest/globals';
import { leadProcess } from '../../../workflows/leads/messages.ts';
import {
  disqualificationReasons,
  disqualifyReasons,
  finalLeadStages,
  firstTouchSla,
  leadStages,
  leadStatuses,
  leadTransitions,
  mayChangeStage,
  noTouchLadder,
  statusOf,
  type LeadStage,
} from '../../../workflows/leads/policy.ts';

describe('stages', () => {
  it('lead from capture to an end, and only a merge can be taken back', () => {
    const reached = new Set<LeadStage>(['captured']);
    for (const stage of reached) for (const next of leadTransitions[stage]) reached.add(next);
    expect([...reached].sort()).toEqual([...leadStages].sort());
    expect(finalLeadStages.filter((stage) => leadTransitions[stage].length > 0)).toEqual(['merged']);
    expect(mayChangeStage('scored', 'qualified')).toBe(false);
    expect(mayChangeStage('assigned', 'qualified')).toBe(true);
  });

  it('imply a status', () => {
    expect(leadStages.map(statusOf)).toEqual(['open', 'open', 'open', 'open', 'qualified', 'disqualified', 'merged']);
    expect(new Set(leadStages.map(statusOf))).toEqual(new Set(leadStatuses));
  });

  it('that end a lead end its process', () => {
    expect(leadProcess.finalStages).toEqual(leadStages.filter((stage) => statusOf(stage) !== 'open'));
  });
});

describe('steps', () => {
  it('tell how late the first touch is', () => {
    expect(noTouchLadder.map((step) => firstTouchSla('assigned', step))).toEqual(['on_track', 'warning', 'breached']);
    expect(firstTouchSla('assigned', 'tell_manager_again')).toBe('breached');
    expect(firstTouchSla('assigned', 'close_stale')).toBe('breached');
    expect(firstTouchSla('assigned', null)).toBe('breached');
    expect(firstTouchSla('touched', 'remind_idle')).toBe('met');
    expect(firstTouchSla('disqualified', null)).toBeNull();
  });
});

it('only the process closes a lead as stale', () => {
  expect(disqualificationReasons.filter((reason) => !disqualifyReasons.some((given) => given === reason))).toEqual([
    'stale',
  ]);
});
