import { readFileSync } from 'node:fs';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { complaint } from '../../workflows/text/complaints.ts';
import { CommandFailed } from '../output.ts';
import { isTarget, type Target, targetNamedBy, targets } from './fields.ts';

const column = z.string({ error: 'must be the name of a column' }).min(1, { error: 'must be the name of a column' });
const plain = z.union([z.string(), z.number(), z.boolean()], { error: 'must be text, a number, true or false' });
const sources = ['column', 'join', 'template', 'constant'] as const;

const detailedRule = z
  .strictObject(
    {
      column: column.optional(),
      join: z.array(column, { error: 'must be a list of columns' }).min(1).optional(),
      separator: z.string().default(' '),
      template: z
        .string()
        .regex(/\{[^{}]+\}/, { error: 'must name a column in braces, such as {customer_no}@example.com' })
        .optional(),
      constant: plain.optional(),
      case: z.enum(['upper', 'lower'], { error: 'must be upper or lower' }).optional(),
      values: z.record(z.string(), plain, { error: 'must be a table of value: replacement' }).optional(),
      default: plain.optional(),
    },
    { error: ruleComplaint },
  )
  .refine((rule) => sources.filter((source) => rule[source] !== undefined).length === 1, {
    error: `must have exactly one of ${sources.join(', ')}`,
  });

function ruleComplaint(issue: { code?: string; keys?: string[] }): string {
  return issue.code === 'unrecognized_keys'
    ? `does not know ${issue.keys?.join(', ')}; a rule has ${sources.join(', ')}, separator, case, values and default`
    : 'must be the name of a column, or a rule such as {template: "{customer_no}@example.com"}';
}

const rule = z.preprocess((value) => (typeof value === 'string' ? { column: value } : value), detailedRule);

/** How one field of a lead is made of a row: where its text comes from, and what is done to it. */
export type Rule = z.output<typeof detailedRule>;

/** How a row becomes a capture: each target with its rule. */
export type Mapping = ReadonlyMap<Target, Rule>;

const mappingSchema = z.strictObject(
  { fields: z.record(z.string(), rule, { error: 'must be a table of field: rule' }) },
  {
    error: 'must be `fields:` followed by a table of field: column or rule',
  },
);

/** Reads a mapping file (YAML). Throws CommandFailed that names every mistake in it. */
export function readMapping(file: string): Mapping {
  let document: unknown;
  try {
    document = parseYaml(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new CommandFailed(
      `The mapping ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return parseMapping(document, file);
}

/** A mapping from what its file holds. Throws CommandFailed that names every mistake. */
export function parseMapping(document: unknown, file: string): Mapping {
  const parsed = mappingSchema.safeParse(document, { error: complaint });
  const mistakes = parsed.success
    ? targetMistakes(Object.keys(parsed.data.fields))
    : parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the file'} ${message}`);
  if (!parsed.success || mistakes.length > 0) {
    throw new CommandFailed(
      `The mapping ${file} is not valid:\n${mistakes.map((mistake) => `  ${mistake}`).join('\n')}`,
    );
  }
  return new Map(Object.entries(parsed.data.fields));
}

function targetMistakes(named: readonly Target[]): string[] {
  const unknown = named
    .filter((name) => !isTarget(name))
    .map((name) => {
      const meant = targetNamedBy(name);
      return `fields.${name} is no field of a lead${meant ? `; is ${meant} meant?` : `. Fields are ${targets.join(', ')}, externalRefs.{system}`}`;
    });
  const doubled = named
    .filter((name) => named.some((other) => other.startsWith(`${name}.`)))
    .map((name) => `fields.${name} is filled as a whole and in parts; map one or the other`);
  return [...unknown, ...doubled];
}

/** Columns that a rule reads. */
export function columnsOf({ column: single, join = [], template = '' }: Rule): string[] {
  return [
    ...(single === undefined ? [] : [single]),
    ...join,
    ...Array.from(template.matchAll(/\{([^{}]+)\}/g), ([, name = '']) => name),
  ];
}

/** Checks a mapping against the columns of a file. Throws CommandFailed that names those which the file does not have. */
export function refuseUnknownColumns(mapping: Mapping, columns: readonly string[]): void {
  const unknown = [...mapping].flatMap(([target, made]) =>
    columnsOf(made)
      .filter((name) => !columns.includes(name))
      .map((name) => `  fields.${target}: the file has no column "${name}"`),
  );
  if (unknown.length > 0) throw new CommandFailed(`${unknown.join('\n')}\nIt has: ${columns.join(', ')}`);
}

/** The mapping of columns that are named as fields are. Throws CommandFailed when there is none, or two for one field. */
export function mappingByName(columns: readonly string[]): Mapping {
  const mapping = new Map<Target, Rule>();
  for (const name of columns) {
    const target = targetNamedBy(name);
    if (target === undefined) continue;
    const other = mapping.get(target)?.column;
    if (other !== undefined) {
      throw new CommandFailed(
        `The columns "${other}" and "${name}" both mean ${target}: rename one, or say by --map which to take.`,
      );
    }
    mapping.set(target, { column: name, separator: ' ' });
  }
  if (mapping.size === 0) {
    throw new CommandFailed(
      `No column is named as a field of a lead. Columns: ${columns.join(', ')}. Say by --map FILE which column is what; fields are ${targets.join(', ')}.`,
    );
  }
  return mapping;
}

/** Columns that a mapping leaves out. */
export function unusedColumns(mapping: Mapping, columns: readonly string[]): string[] {
  const used = new Set([...mapping.values()].flatMap(columnsOf));
  return columns.filter((name) => !used.has(name));
}
