import { matchEverything, ruleWarnings } from '../../workflows/assignment/rules.ts';
import type { Conditions } from '../../workflows/conditions/conditions.ts';
import type { RecordRow } from '../model/entity.ts';

const activeAmong = (rows: readonly RecordRow[]) =>
  rows
    .filter(({ active, deletedAt }) => active && deletedAt === null)
    .map(({ id, name, position, when }) => ({
      id,
      name: String(name),
      position: Number(position),
      when: String(when),
    }));

/**
 * What the author of a stored rule should know of it beside the others of its kind, and of what becomes of those by it, in
 * sentences.
 */
export function ruleWarningsOf<F>(conditions: Conditions<F>, rule: RecordRow, others: readonly RecordRow[]): string[] {
  const warningsAmong = (rows: readonly RecordRow[]) => ruleWarnings(conditions, activeAmong(rows));
  const known = new Set(warningsAmong(others).map(({ message }) => message));
  return warningsAmong([rule, ...others])
    .filter(({ ruleId, message }) => ruleId === rule.id || !known.has(message))
    .map(({ message }) => message);
}

/**
 * The same of a rule that gives work to a team, and whether with what it was `before` (null: just made) the last one is
 * gone that matched everything, or the last of all. `unmatched`: what becomes of the work then, a sentence.
 */
export function assignmentWarningsOf<F>(
  conditions: Conditions<F>,
  { rule, others, before }: { rule: RecordRow; others: readonly RecordRow[]; before: RecordRow | null },
  unmatched: string,
): string[] {
  const earlier = activeAmong(before ? [before, ...others] : others);
  const now = activeAmong([rule, ...others]);
  const warnings = ruleWarningsOf(conditions, rule, others);
  if (earlier.length > 0 && now.length === 0) return [...warnings, `No rule is active any more: ${unmatched}`];
  if (!matchEverything(conditions, earlier) || matchEverything(conditions, now)) return warnings;
  return [...warnings, `No active rule matches every ${conditions.subject} any more: ${unmatched}`];
}
