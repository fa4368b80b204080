import { type FilterQuery, raw } from '@mikro-orm/postgresql';
import { z } from 'zod';
import { instantSchema } from './columns.ts';
import type { Resource } from './define-resource.ts';
import { columnName, type RecordRow } from './entity.ts';
import { Problem } from './problem.ts';
import type { JsonRow } from './rows.ts';

/** One key of `sort=`; `-createdAt` is descending. */
export interface SortKey {
  field: string;
  direction: 'asc' | 'desc';
}

/** The order of a list: the wanted keys, then the identifier in the first key's direction, so that it is total. */
export function totalOrder(resource: Resource, sort: readonly SortKey[]): SortKey[] {
  const wanted: readonly SortKey[] = sort.length > 0 ? sort : [{ field: 'createdAt', direction: 'desc' }];
  for (const { field } of wanted) {
    if (!(resource.sortable as readonly string[]).includes(field)) {
      throw new Problem('invalid', 'The query is not valid; see errors.', [
        { path: 'sort', message: `${field} is not sortable; use ${resource.sortable.join(', ')}` },
      ]);
    }
  }
  return [...wanted, { field: 'id', direction: wanted[0]?.direction ?? 'desc' }];
}

/** The place after `row` in this order of this resource's lists, opaque to clients. */
export function encodeCursor(resource: Resource, order: readonly SortKey[], row: JsonRow): string {
  const values = order.map(({ field }) => row[field]);
  return Buffer.from(JSON.stringify([signature(resource, order), ...values])).toString('base64url');
}

/** The rows after a cursor. A cursor of another list or order, or not made by this API, is Problem `invalid_cursor`. */
export function afterCursor(resource: Resource, order: readonly SortKey[], cursor: string): FilterQuery<RecordRow> {
  const values = decode(resource, order, cursor);
  const names = order.map(({ field }) => columnName(resource.definition, field));
  const direction = order[0]?.direction;
  // PostgreSQL walks an index for a comparison of whole rows, which knows one direction only.
  const isUniform = order.every((key) => key.direction === direction);
  const sql = isUniform
    ? (alias: string) =>
        `(${names.map((name) => `${alias}.${name}`).join(', ')}) ${comparator(direction)} (${names.map(() => '?').join(', ')})`
    : (alias: string) => `(${order.map((key, index) => stepwise(alias, names, index, key.direction)).join(' or ')})`;
  const parameters = isUniform ? values : order.flatMap((_, index) => values.slice(0, index + 1));
  return { [raw(sql, parameters)]: [] } as FilterQuery<RecordRow>;
}

const comparator = (direction: SortKey['direction'] | undefined): string => (direction === 'asc' ? '>' : '<');

function stepwise(alias: string, names: readonly string[], index: number, direction: SortKey['direction']): string {
  const equal = names.slice(0, index).map((name) => `${alias}.${name} = ?`);
  return `(${[...equal, `${alias}.${names[index]} ${comparator(direction)} ?`].join(' and ')})`;
}

const signature = ({ path }: Resource, order: readonly SortKey[]): string =>
  `${path}${order.map(({ field, direction }) => `${direction === 'asc' ? '+' : '-'}${field}`).join('')}`;

const baseSchemas: Readonly<Record<string, z.ZodType>> = {
  id: z.uuid(),
  createdAt: instantSchema,
  updatedAt: instantSchema,
};

function decode(resource: Resource, order: readonly SortKey[], cursor: string): unknown[] {
  const [made, ...values] = parse(cursor);
  const fits = order.every(({ field }, index) => {
    const value = values[index];
    if (typeof value === 'string' && value.includes('\u0000')) return false;
    // Texts are taken as stored: their own schema may have become stricter since.
    const column = resource.definition.columns[field];
    return column?.kind === 'text'
      ? typeof value === 'string'
      : (baseSchemas[field] ?? column?.schema)?.safeParse(value).success === true;
  });
  if (made !== signature(resource, order) || values.length !== order.length || !fits) {
    throw new Problem('invalid_cursor', 'The cursor is not one of this list; start again without it.');
  }
  return values;
}

function parse(cursor: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return [];
  }
}
