import { Environment, serialize } from '@marcbachmann/cel-js';
import { z } from 'zod';
import { jaroWinkler } from '../text/similarity.ts';
import { cheapFunctions, constantValue, place, withAll } from './syntax.ts';

// Room for a list of every country.
const conditionLength = 2000;
const cacheSize = 500;

/** What conditions see of a record: flat, never null (`''`, `0`, `false` and `[]` stand for the unknown). */
export type Facts = Readonly<Record<string, string | boolean | number | readonly string[]>>;

/** The CEL type of each fact. */
export type FactTypes<F> = {
  readonly [Fact in keyof F]: F[Fact] extends boolean
    ? 'bool'
    : F[Fact] extends number
      ? 'int'
      : F[Fact] extends string
        ? 'string'
        : 'list<string>';
};

/** What an evaluation says; `reason` tells it with the facts that were looked at, or why it could not be told. */
export interface Verdict {
  matched: boolean;
  reason: string;
}

/** A condition that compiled: its text with blanks and quotes made uniform, and a predicate that never throws. */
export interface Condition<F> {
  readonly canonical: string;
  /** The facts it looks at, in the order of their names. */
  readonly uses: readonly (keyof F & string)[];
  /** Its value when no fact can change it, else null. */
  readonly constant: boolean | null;
  readonly test: (facts: F) => Verdict;
}

/** What is wrong with a text and where; `position` counts characters from 1. */
export interface ConditionProblem {
  message: string;
  position: number;
}

export type Compilation<F> = { ok: true; condition: Condition<F> } | { ok: false; problems: ConditionProblem[] };

/** Conditions in CEL over the facts of one kind of record. */
export interface Conditions<F> {
  /** One record in words: `lead`. */
  readonly subject: string;
  /**
   * Compiles a text and checks its types; never throws. Each text is compiled once and kept among the last 500 used.
   */
  compile(text: string): Compilation<F>;
  /** Whether the facts meet the condition; a text that does not compile matches nothing, and says so. */
  test(text: string, facts: F): Verdict;
  /** A condition as a client sends it: CEL that compiles against the facts and is true or false. */
  readonly text: z.ZodType<string, string>;
}

/** Makes the conditions over the facts of one kind of record; `example` is one that compiles. */
export function conditionsOver<F extends Facts>(subject: string, types: FactTypes<F>, example: string): Conditions<F> {
  const environment = new Environment({ limits: { maxAstNodes: 1000, maxDepth: 40, maxListElements: 400 } });
  for (const [fact, type] of Object.entries<string>(types)) environment.registerVariable(fact, type);
  const factNames = Object.keys(types) as (keyof F & string)[];

  function unknownName(name: string): string {
    const nearest = factNames.toSorted((a, b) => jaroWinkler(name, b) - jaroWinkler(name, a))[0];
    const advice =
      nearest && jaroWinkler(name, nearest) > 0.8
        ? `; did you mean "${nearest}"?`
        : `; facts are ${factNames.join(', ')}`;
    return `"${name}" is no fact of a ${subject}${advice}`;
  }

  function compile(text: string): Compilation<F> {
    if (text.trim() === '') return problem(text, `the condition is empty; write true to match every ${subject}`, 0);
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
      return problem(text, `the condition gives ${checked.type}, but must be true or false, as in ${example}`, 0);
    }
    const parsed = environment.parse(text);
    const nodes = withAll(parsed.ast);
    for (const node of nodes) {
      if (node.op !== 'call' && node.op !== 'rcall') continue;
      const [name] = node.args;
      if (!cheapFunctions.has(name)) {
        return problem(
          text,
          `${name}() is not available; use ${[...cheapFunctions].join(', ')} or in [...]`,
          node.start,
        );
      }
    }
    const named = new Set(nodes.flatMap((node) => (node.op === 'id' ? node.args : [])));
    const uses = factNames.filter((fact) => named.has(fact)).toSorted();

    function test(facts: F): Verdict {
      const seen = uses.map((fact) => `${fact} = ${JSON.stringify(facts[fact])}`).join(', ');
      const because = seen === '' ? '' : ` (${seen})`;
      try {
        const matched = parsed(celValues(facts, factNames)) === true;
        return { matched, reason: `${matched ? 'the condition holds' : 'the condition does not hold'}${because}` };
      } catch (error) {
        const cause = error instanceof Error && 'summary' in error ? String(error.summary) : 'unknown cause';
        return { matched: false, reason: `the condition could not be evaluated: ${cause}${because}` };
      }
    }
    const constant = constantValue(environment, parsed.ast);
    return { ok: true, condition: { canonical: serialize(parsed.ast), uses, constant, test } };
  }

  const compiled = new Map<string, Compilation<F>>();

  function compileOnce(text: string): Compilation<F> {
    const result = compiled.get(text) ?? compile(text);
    compiled.delete(text);
    compiled.set(text, result);
    const oldest = compiled.size > cacheSize ? compiled.keys().next().value : undefined;
    if (oldest !== undefined) compiled.delete(oldest);
    return result;
  }

  return {
    subject,
    compile: compileOnce,
    test(text, facts) {
      const compilation = compileOnce(text);
      if (compilation.ok) return compilation.condition.test(facts);
      return {
        matched: false,
        reason: `the condition is not valid: ${compilation.problems.map(({ message }) => message).join('; ')}`,
      };
    },
    text: z
      .string({ error: `must be a condition in CEL such as ${example}` })
      .superRefine((text, context) => {
        const compilation = compileOnce(text);
        if (compilation.ok) return;
        for (const { message } of compilation.problems) context.addIssue({ code: 'custom', message });
      })
      .meta({ minLength: 1, maxLength: conditionLength, examples: [example] }),
  };
}

function problem<F>(text: string, what: string, start: number): Compilation<F> {
  return { ok: false, problems: [{ message: `${what}, ${place(text, start + 1)}`, position: start + 1 }] };
}

/** The compiler's own words, where they need no knowledge of compilers. */
function inWords(summary: string): string {
  if (summary.startsWith('Exceeded max')) return 'the condition is nested too deeply or lists too much';
  return summary
    .replace('no such overload', 'these kinds of values do not go together')
    .replace('Unexpected token: EOF', 'the condition ends too early');
}

// CEL's int is a BigInt here; a fraction of a day or point would be a mistake of the caller, and is cut.
function celValues<F extends Facts>(facts: F, names: readonly (keyof F & string)[]): Record<string, unknown> {
  return Object.fromEntries(
    names.map((fact) => {
      const value = facts[fact];
      return [fact, typeof value === 'number' ? BigInt(Math.trunc(value)) : value];
    }),
  );
}
