import { ruleWarnings } from '../../workflows/assignment/rules.ts';
import type { Conditions } from '../../workflows/conditions/conditions.ts';
import type { RecordRow } from '../model/entity.ts';

/**
 * What the author of a stored rule should know of it beside the others of its kind, and of what becomes of those by it, in
 * sentences.
 */
export function ruleWarningsOf<F>(conditions: Conditions<F>, rule: RecordRow, others: readonly RecordRow[]): string[] {
  const warningsAmong = (rows: readonly RecordRow[]) =>
    ruleWarnings(
      conditions,
      rows
        .filter(({ active }) => active)
        .map(({ id, name, position, when }) => ({
          id,
          name: String(name),
          position: Number(position),
          when: String(when),
        })),
    );
  const known = new Set(warningsAmong(others).map(({ message }) => message));
  return warningsAmong([rule, ...others])
    .filter(({ ruleId, message }) => ruleId === rule.id || !known.has(message))
    .map(({ message }) => message);
}
