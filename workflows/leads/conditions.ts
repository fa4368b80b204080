import { type ASTNode, Environment, serialize } from '@marcbachmann/cel-js';
import { z } from 'zod';
import { factTypes, type LeadFacts } from './facts.ts';
import { jaroWinkler } from './similarity.ts';

// Room for a list of every country.
const conditionLength = 2000;

/** What an evaluation says; `reason` tells it with the facts that were looked at, or why it could not be told. */
export interface Verdict {
  matched: boolean;
  reason: string;
}

/** A condition that compiled: its text with blanks and quotes made uniform, and a predicate that never throws. */
export interface Condition {
  readonly canonical: string;
  /** The facts it looks at, in the order of their names. */
  readonly uses: readonly (keyof LeadFacts)[];
  /** Its value when no fact can change it, else null. */
  readonly constant: boolean | null;
  readonly test: (facts: LeadFacts) => Verdict;
}

/** What is wrong with a text and where; `position` counts characters from 1. */
export interface ConditionProblem {
  message: string;
  position: number;
}

export type Compilation = { ok: true; condition: Condition } | { ok: false; problems: ConditionProblem[] };

const environment = new Environment({ limits: { maxAstNodes: 1000, maxDepth: 40, maxListElements: 400 } });
for (const [fact, type] of Object.entries(factTypes)) environment.registerVariable(fact, type);

const factNames = Object.keys(factTypes) as (keyof LeadFacts)[];

// Everything else of CEL (patterns, loops over lists, bindings) can be made to cost more than its length suggests.
const cheapFunctions = new Set(
  'contains startsWith endsWith size lowerAscii upperAscii trim int double string'.split(' '),
);

/** The nodes directly below one. */
function operands(node: ASTNode): readonly ASTNode[] {
  if (node.op === 'value' || node.op === 'id') return [];
  if (node.op === '.' || node.op === '.?') return [node.args[0]];
  if (node.op === 'call') return node.args[1];
  if (node.op === 'rcall') return [node.args[1], ...node.args[2]];
  if (node.op === 'map') return node.args.flat();
  if (node.op === '!_' || node.op === '-_') return [node.args];
  return node.args;
}

const withAll = (node: ASTNode): ASTNode[] => [node, ...operands(node).flatMap(withAll)];

/** The value of an expression when no fact can change it, else null; `false && x` is false whatever x is. */
function constantValue(node: ASTNode): boolean | null {
  if (node.op === '!_') {
    const value = constantValue(node.args);
    return value === null ? null : !value;
  }
  if (node.op === '&&' || node.op === '||') {
    const decisive = node.op === '||';
    const [left, right] = node.args.map(constantValue);
    if (left === decisive || right === decisive) return decisive;
    return left === null || right === null ? null : !decisive;
  }
  if (withAll(node).some(({ op }) => op === 'id')) return null;
  try {
    const value: unknown = environment.evaluate(serialize(node));
    return typeof value === 'boolean' ? value : null;
  } catch {
    return null;
  }
}

function place(text: string, position: number): string {
  const before = text.slice(0, position - 1).split('\n');
  const column = (before.at(-1) ?? '').length + 1;
  return before.length === 1 ? `at character ${column}` : `in line ${before.length}, at character ${column}`;
}

function problem(text: string, what: string, start: number): Compilation {
  return { ok: false, problems: [{ message: `${what}, ${place(text, start + 1)}`, position: start + 1 }] };
}

function unknownName(name: string): string {
  const nearest = factNames.toSorted((a, b) => jaroWinkler(name, b) - jaroWinkler(name, a))[0];
  const advice =
    nearest && jaroWinkler(name, nearest) > 0.8
      ? `; did you mean "${nearest}"?`
      : `; facts are ${factNames.join(', ')}`;
  return `"${name}" is no fact of a lead${advice}`;
}

/** The compiler's own words, where they need no knowledge of compilers. */
function inWords(summary: string): string {
  if (summary.startsWith('Exceeded max')) return 'the condition is nested too deeply or lists too much';
  return summary
    .replace('no such overload', 'these kinds of values do not go together')
    .replace('Unexpected token: EOF', 'the condition ends too early');
}

function compile(text: string): Compilation {
  if (text.trim() === '') return problem(text, 'the condition is empty; write true to match every lead', 0);
  if (text.length > conditionLength) {
    return problem(text, `the condition is longer than ${conditionLength} characters`, conditionLength);
  }
  const checked = environment.check(text);
  if (!checked.valid) {
    const start = checked.error?.range?.start ?? 0;
    const quoted = text.slice(start, checked.error?.range?.end ?? start);
    if (checked.error?.code === 'unknown_variable') return problem(text, unknownName(quoted), start);
    return problem(text, inWords(checked.error?.summary ?? 'the condition is not understood'), start);
  }
  if (checked.type !== 'bool') {
    return problem(text, `the condition gives ${checked.type}, but must be true or false, as in country == "DE"`, 0);
  }
  const parsed = environment.parse(text);
  const nodes = withAll(parsed.ast);
  for (const node of nodes) {
    if (node.op !== 'call' && node.op !== 'rcall') continue;
    const [name] = node.args;
    if (!cheapFunctions.has(name)) {
      return problem(text, `${name}() is not available; use ${[...cheapFunctions].join(', ')} or in [...]`, node.start);
    }
  }
  const named = new Set(nodes.flatMap((node) => (node.op === 'id' ? node.args : [])));
  const uses = factNames.filter((fact) => named.has(fact)).toSorted();

  function test(facts: LeadFacts): Verdict {
    const seen = uses.map((fact) => `${fact} = ${JSON.stringify(facts[fact])}`).join(', ');
    const because = seen === '' ? '' : ` (${seen})`;
    try {
      const matched = parsed(celValues(facts)) === true;
      return { matched, reason: `${matched ? 'the condition holds' : 'the condition does not hold'}${because}` };
    } catch (error) {
      const cause = error instanceof Error && 'summary' in error ? String(error.summary) : 'unknown cause';
      return { matched: false, reason: `the condition could not be evaluated: ${cause}${because}` };
    }
  }
  return { ok: true, condition: { canonical: serialize(parsed.ast), uses, constant: constantValue(parsed.ast), test } };
}

// CEL's int is a BigInt here; a fraction of a day or point would be a mistake of the caller, and is cut.
function celValues(facts: LeadFacts): Record<string, string | boolean | bigint> {
  return Object.fromEntries(
    factNames.map((fact) => {
      const value = facts[fact];
      return [fact, typeof value === 'number' ? BigInt(Math.trunc(value)) : value];
    }),
  );
}

const cacheSize = 500;
const compiled = new Map<string, Compilation>();

/**
 * Compiles a CEL condition over the facts of a lead and checks its types; never throws. Each text is compiled once
 * and kept among the last 500 used.
 */
export function compileCondition(text: string): Compilation {
  const result = compiled.get(text) ?? compile(text);
  compiled.delete(text);
  compiled.set(text, result);
  const oldest = compiled.size > cacheSize ? compiled.keys().next().value : undefined;
  if (oldest !== undefined) compiled.delete(oldest);
  return result;
}

/** Whether the facts meet the condition; a text that does not compile matches nothing, and says so. */
export function testCondition(text: string, facts: LeadFacts): Verdict {
  const compilation = compileCondition(text);
  if (compilation.ok) return compilation.condition.test(facts);
  return {
    matched: false,
    reason: `the condition is not valid: ${compilation.problems.map(({ message }) => message).join('; ')}`,
  };
}

/** A condition as a client sends it: CEL that compiles against the facts of a lead and is true or false. */
export const conditionText = z
  .string({ error: 'must be a condition in CEL such as country == "DE"' })
  .superRefine((text, context) => {
    const compilation = compileCondition(text);
    if (compilation.ok) return;
    for (const { message } of compilation.problems) context.addIssue({ code: 'custom', message });
  })
  .meta({ minLength: 1, maxLength: conditionLength, example: 'country == "DE" && score >= 40' });
