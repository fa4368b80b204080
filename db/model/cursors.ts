import { type FilterQuery, raw } from '@mikro-orm/postgresql';
import type { Resource } from './define-resource.ts';
import { columnName, type RecordRow } from './entity.ts';
import { Problem } from './problem.ts';
import { jsonValue } from './record-json.ts';

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

/** The place after `row` in this order, opaque to clients. */
export function encodeCursor(order: readonly SortKey[], row: RecordRow): string {
  const values = order.map(({ field }) => jsonValue(row[field]));
  return Buffer.from(JSON.stringify([signature(order), ...values])).toString('base64url');
}

/** The rows after a cursor. A cursor of another order, or not made by this API, is Problem `invalid_cursor`. */
export function afterCursor(resource: Resource, order: readonly SortKey[], cursor: string): FilterQuery<RecordRow> {
  const values = decode(order, cursor);
  const names = order.map(({ field }) => columnName(resource.definition, field));
  const direction = order[0]?.direction;
  const sql = order.every((key) => key.direction === direction)
    ? (alias: string) => `(${names.map((name) => `${alias}.${name}`).join(', ')}) ${direction === 'asc' ? '>' : '<'} (${names.map(() => '?').join(', ')})`
    : (alias: string) => `(${order.map((key, index) => stepwise(alias, names, index, key.direction)).join(' or ')})`;
  const parameters = order.every((key) => key.direction === direction)
    ? values
    : order.flatMap((_, index) => values.slice(0, index + 1));
  return { [raw(sql, parameters)]: [] } as FilterQuery<RecordRow>;
}

function stepwise(alias: string, names: readonly string[], index: number, direction: 'asc' | 'desc'): string {
  const equal = names.slice(0, index).map((name) => `${alias}.${name} = ?`);
  return `(${[...equal, `${alias}.${names[index]} ${direction === 'asc' ? '>' : '<'} ?`].join(' and ')})`;
}

const signature = (order: readonly SortKey[]): string => order.map(({ field, direction }) => `${direction === 'asc' ? '+' : '-'}${field}`).join('');
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function decode(order: readonly SortKey[], cursor: string): (string | number)[] {
  const parsed = parse(cursor);
  const [made, ...values] = parsed;
  const id = values.at(-1);
  const fits = values.every((value, index) => {
    if (typeof value === 'number') return Number.isFinite(value);
    if (typeof value !== 'string' || value.includes('\u0000')) return false;
    return !order[index]?.field.endsWith('At') || !Number.isNaN(Date.parse(value));
  });
  if (made !== signature(order) || values.length !== order.length || !fits || typeof id !== 'string' || !uuid.test(id)) {
    throw new Problem('invalid_cursor', 'The cursor is not one of this list; start again without it.');
  }
  return values as (string | number)[];
}

function parse(cursor: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return [];
  }
}
