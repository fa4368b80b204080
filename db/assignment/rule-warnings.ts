import { ruleWarnings } from '../../workflows/assignment/rules.ts';
import type { Conditions } from '../../workflows/conditions/conditions.ts';
import type { RecordRow } from '../model/entity.ts';

/** What the author of a stored rule should know of it beside the others of its kind, in sentences. */
export function ruleWarningsOf<F>(conditions: Conditions<F>, rule: RecordRow, others: readonly RecordRow[]): string[] {
  const active = [rule, ...others].filter(({ active: isActive }) => isActive);
  return ruleWarnings(
    conditions,
    active.map(({ id, name, position, when }) => ({
      id,
      name: String(name),
      position: Number(position),
      when: String(when),
    })),
  )
    .filter(({ ruleId }) => ruleId === rule.id)
    .map(({ message }) => message);
}
