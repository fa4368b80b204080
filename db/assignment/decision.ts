import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import type { Assignment } from '../../workflows/assignment/assignment.ts';
import { baseColumns, type Change } from '../model/changes.ts';
import { flag, instant, json, text } from '../model/columns.ts';

const longestReason = 300;

/** Why somebody gets a lead or a ticket, as every table of such decisions keeps it, whatever it was and by which rule. */
export const decisionColumns = {
  reason: text(longestReason),
  /** A person chose somebody who was full, or nobody had room and a fallback got it. */
  overCapacity: flag({ default: false }),
  /** Whether it used up a turn in the team's order. */
  tookTurn: flag({ default: false }),
  candidates: json(z.array(z.record(z.string(), z.unknown()))),
  rulesTried: json(z.array(z.record(z.string(), z.unknown()))),
  decidedAt: instant(),
} as const;

/** A row of such a table, but for its subject and its rule. */
export function decisionRow(change: Change, round: number, decision: Assignment) {
  const { userId, teamId, reason, turn, overCapacity, candidates, rulesTried } = decision;
  return {
    id: uuidv7(),
    ...baseColumns(change),
    round,
    userId,
    teamId,
    reason: reason.slice(0, longestReason),
    overCapacity,
    tookTurn: turn !== null,
    candidates,
    rulesTried,
    decidedAt: change.at,
  };
}
