import type { Conditions } from '../conditions/conditions.ts';

/** How a team shares out its work: in turn, to who has the least open in proportion to capacity, or by weight. */
export const assignmentStrategies = ['round_robin', 'least_loaded', 'weighted'] as const;
export type AssignmentStrategy = (typeof assignmentStrategies)[number];

/** An active rule; a row of crm_assignment_rules is one, so is a ticket routing rule. The lowest position is asked first. */
export interface AssignmentRule {
  id: string;
  version: number;
  name: string;
  position: number;
  /** CEL over the facts of what is assigned. */
  when: string;
  teamId: string;
  strategy: AssignmentStrategy;
}

/** Rules in the order in which they are asked. */
export function inOrder<R extends Pick<AssignmentRule, 'position' | 'id'>>(rules: readonly R[]): R[] {
  return rules.toSorted((a, b) => a.position - b.position || (a.id < b.id ? -1 : 1));
}

type Stored = Pick<AssignmentRule, 'id' | 'name' | 'position' | 'when'>;

/** Whether there is a rule among these that matches everything. */
export function matchEverything<F>(conditions: Conditions<F>, rules: readonly Pick<Stored, 'when'>[]): boolean {
  return rules.some(({ when }) => {
    const compilation = conditions.compile(when);
    return compilation.ok && compilation.condition.constant === true;
  });
}

/** Something that a rule's author should know; the rule is stored all the same. */
export interface RuleWarning {
  ruleId: string;
  message: string;
}

/**
 * Rules that can hardly be meant so: a condition that never holds, and rules that are not reached while an earlier
 * team has room, because the earlier rule has the same condition or matches everything.
 */
export function ruleWarnings<F>(conditions: Conditions<F>, rules: readonly Stored[]): RuleWarning[] {
  const warnings: RuleWarning[] = [];
  const earlier = new Map<string, string>();
  let catchAll: string | null = null;
  for (const { id, name, when } of inOrder(rules)) {
    const compilation = conditions.compile(when);
    if (!compilation.ok) {
      warnings.push({
        ruleId: id,
        message: `"${name}" matches no ${conditions.subject}: ${compilation.problems[0]?.message}.`,
      });
      continue;
    }
    const { canonical, constant } = compilation.condition;
    const twin = earlier.get(canonical);
    if (constant === false)
      warnings.push({
        ruleId: id,
        message: `"${name}" matches no ${conditions.subject}: its condition is always false.`,
      });
    else if (catchAll !== null)
      warnings.push({
        ruleId: id,
        message: `"${name}" is never reached: "${catchAll}" matches every ${conditions.subject} before it.`,
      });
    else if (twin !== undefined)
      warnings.push({ ruleId: id, message: `"${name}" is never reached: "${twin}" has the same condition before it.` });
    if (constant === true) catchAll ??= name;
    if (twin === undefined) earlier.set(canonical, name);
  }
  return warnings;
}
