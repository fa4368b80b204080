import { p } from '@mikro-orm/postgresql';
import { z } from 'zod';
import { uuid } from '../../workflows/processes/record-id.ts';
import { line, prose } from '../../workflows/processes/text.ts';
import type { EntityDefinition } from './entity.ts';
import { TextList } from './text-list.ts';

export type ColumnKind =
  'text' | 'uuid' | 'integer' | 'number' | 'boolean' | 'instant' | 'date' | 'json' | 'choice' | 'list' | 'reference';

/**
 * A typed column: what PostgreSQL stores and what a client may send, said once.
 * `schema` accepts the JSON value (instants as ISO 8601 strings with offset), without `null` and default.
 */
export interface Column<Value = unknown> {
  readonly kind: ColumnKind;
  readonly schema: z.ZodType;
  readonly nullable: boolean;
  readonly defaultValue?: unknown;
  /** What the identifier names; it must be a record that the writer can see. */
  readonly target?: () => EntityDefinition;
  /** Never leaves through the generic API (an explanation that `/process` tells). */
  readonly internal: boolean;
  /** Where the column's name is not the property's: spec/5 names `source_system`, the product says `source`. */
  readonly columnName?: string;
  readonly property: (columnName: string) => () => unknown;
  readonly '~value'?: Value;
}

interface Options<N extends boolean = boolean, D = unknown> {
  nullable?: N;
  default?: D;
  internal?: boolean;
  column?: string;
}

type Stored<T, O> = O extends { nullable: true } ? T | null : T;

type Chain = { nullable(): Chain; default(value: unknown): Chain; name(name: string): Chain };

function column<T, O extends Options>(
  kind: ColumnKind,
  schema: z.ZodType,
  make: () => unknown,
  options: O | undefined,
): Column<Stored<T, O>> {
  return {
    kind,
    schema,
    nullable: options?.nullable === true,
    internal: options?.internal === true,
    ...(options?.column === undefined ? {} : { columnName: options.column }),
    ...(options?.default === undefined ? {} : { defaultValue: options.default }),
    property: (columnName) => () => {
      let chain = (make() as Chain).name(columnName);
      if (options?.nullable) chain = chain.nullable();
      if (options?.default !== undefined) {
        const value = options.default;
        chain = chain.default(kind === 'json' ? JSON.stringify(value) : value);
      }
      return chain;
    },
  };
}

/** One line of text, at most `max` characters, neither blank nor with control characters. */
export const text = <O extends Options>(max: number, options?: O) =>
  column<string, O>('text', line(max), () => p.string().length(max), options);

/** Text of several lines, at most `max` characters. */
export const longText = <O extends Options>(max: number, options?: O) =>
  column<string, O>('text', prose(max), () => p.text(), options);

/** A UUID without a foreign key (a subject of several kinds, a command); a `target` is checked for visibility when written. */
export const identifier = <O extends Options & { target?: () => EntityDefinition }>(
  options?: O,
): Column<Stored<string, O>> => ({
  ...column<string, O>('uuid', uuid(), () => p.uuid(), options),
  ...(options?.target === undefined ? {} : { target: options.target }),
});

/** A whole number within `min` and `max` (both included). */
export const integer = <O extends Options>(min: number, max: number, options?: O) =>
  column<number, O>('integer', z.int().min(min).max(max), () => p.integer(), options);

/** A floating number within `min` and `max`, for weights and confidences; never for money. */
export const ratio = <O extends Options>(min: number, max: number, options?: O) =>
  column<number, O>('number', z.number().min(min).max(max), () => p.double(), options);

export const flag = <O extends Options>(options?: O) =>
  column<boolean, O>('boolean', z.boolean(), () => p.boolean(), options);

const earliest = Date.parse('0001-01-01T00:00:00Z');
const latest = Date.parse('9999-12-31T23:59:59.999Z');
const isInRange = (text: string): boolean => Date.parse(text) >= earliest && Date.parse(text) <= latest;

/** An instant on the wire: ISO 8601 with offset, in the years that it can write with four digits. */
export const instantSchema = z.iso.datetime({ offset: true }).refine(isInRange, 'must lie in the years 1 to 9999');

/** A UTC instant; ISO 8601 with offset on the wire, milliseconds in the database (keyset cursors carry no more). */
export const instant = <O extends Options>(options?: O) =>
  column<Date, O>('instant', instantSchema, () => p.datetime(3), options);

/** A calendar date without time, `YYYY-MM-DD`. */
export const date = <O extends Options>(options?: O) =>
  column<string, O>('date', z.iso.date().refine(isInRange, 'must lie in the years 1 to 9999'), () => p.date(), options);

/** One of a fixed list; the same list makes the database's check constraint. */
export const choice = <const V extends readonly string[], O extends Options>(values: V, options?: O) =>
  column<V[number], O>('choice', z.enum(values), () => p.enum([...values]), options);

const deepest = 50;

/** Whether PostgreSQL's JSON can hold a value: whole characters, no NUL, no bottomless nesting. */
function isStorable(value: unknown, depth = 0): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\u0000');
  if (typeof value !== 'object' || value === null) return true;
  return (
    depth < deepest && Object.entries(value).every(([key, entry]) => isStorable(key) && isStorable(entry, depth + 1))
  );
}

/** Structured data with a schema of its own. */
export const json = <S extends z.ZodType, O extends Options>(schema: S, options?: O) =>
  column<z.output<S>, O>(
    'json',
    schema.refine((value) => isStorable(value), `holds NUL, half a character, or more than ${deepest} levels`),
    () => p.json<unknown>(),
    options,
  );

/** A list of short texts, such as skills or labels. */
export const list = <O extends Options>(maxItems: number, options?: O) =>
  column<string[], O>('list', z.array(line(100)).max(maxItems), () => p.type(TextList), options);

/** The identifier of another record; a foreign key in the database, checked for visibility when written. */
export function reference<O extends Options>(target: () => EntityDefinition, options?: O): Column<Stored<string, O>> {
  return {
    kind: 'reference',
    schema: uuid(),
    nullable: options?.nullable === true,
    internal: false,
    target,
    property: (columnName) => () => {
      const chain = p
        .manyToOne(target().entity)
        .mapToPk()
        .joinColumn(columnName)
        .deleteRule('no action')
        .filters(false);
      return options?.nullable ? chain.nullable() : chain;
    },
  };
}
