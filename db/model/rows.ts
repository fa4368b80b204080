import { type EntityManager, type FilterQuery, type QBFilterQuery, raw } from '@mikro-orm/postgresql';
import type { SortKey } from './cursors.ts';
import type { Resource } from './define-resource.ts';
import { columnName, type EntityDefinition, type RecordRow } from './entity.ts';
import type { RecordJson } from './record-json.ts';
import { searchStatement } from './search.ts';

/** Which rows of a resource, in which order, and which of their properties. */
export interface RowQuery {
  /** All of them hold; within the organisation, which goes without saying. */
  where: readonly FilterQuery<RecordRow>[];
  /** A text that they hold (`q=`). */
  search?: string | undefined;
  properties: Iterable<string>;
  order?: readonly SortKey[];
  limit?: number;
}

/** A row as the API shows its values, and no entity: nothing tracks it, nothing can be written with it. */
export type JsonRow = RecordJson & { id: string };

/** Reads rows of one organisation, as one caller may see those that a query finds. */
export type ReadRows = (resource: Resource, query: RowQuery) => Promise<JsonRow[]>;

/**
 * The statement of a query; `em` knows the organisation. With a filter `open`, each row tells as `isOpen` whether it lies
 * within.
 */
export async function selectStatement(
  em: EntityManager,
  { definition }: Resource,
  { where, search, properties, order = [], limit }: RowQuery,
  open: FilterQuery<RecordRow> | null,
): Promise<{ sql: string; params: readonly unknown[] }> {
  const selected = [...new Set(['id', ...properties])].map(
    (property) => `"row".${columnName(definition, property)} as "${property}"`,
  );
  const flag = open === null ? null : withinStatement(em, definition, open);
  const query = em
    .createQueryBuilder(definition.entity, 'row')
    .select(
      flag ? raw(`${selected.join(', ')}, exists (${flag.sql}) as "isOpen"`, flag.params) : raw(selected.join(', ')),
    )
    .where({ $and: [...where] } as QBFilterQuery<RecordRow>);
  await query.applyFilters();
  const { sql, params } = query.toQuery();
  const keys = order.map(({ field, direction }) => `"row".${columnName(definition, field)} ${direction}`);
  const end = `${keys.length > 0 ? ` order by ${keys.join(', ')}` : ''}${limit === undefined ? '' : ` limit ${limit}`}`;
  return search === undefined
    ? { sql: `${sql}${end}`, params }
    : searchStatement(definition, search, { rows: em.getPlatform().formatQuery(sql, params), end });
}

/** Selects the row at hand once more if it lies within a filter. */
function withinStatement(em: EntityManager, { entity, key }: EntityDefinition, filter: FilterQuery<RecordRow>) {
  const query = em.createQueryBuilder(entity, 'open').select(raw('1'));
  return query.where({ $and: [{ id: raw(`"row".${key}`) }, filter] } as QBFilterQuery<RecordRow>).toQuery();
}

/** What the driver answered with, its instants as ISO 8601 strings. */
export function jsonRows({ columns }: EntityDefinition, rows: Record<string, unknown>[]): JsonRow[] {
  const instants = Object.keys(rows[0] ?? {}).filter(
    (property) => baseInstants.has(property) || columns[property]?.kind === 'instant',
  );
  for (const row of rows) {
    for (const property of instants) {
      const value = row[property];
      if (typeof value === 'string') row[property] = isoInstant(value);
    }
  }
  return rows as JsonRow[];
}

const baseInstants = new Set(['createdAt', 'updatedAt', 'deletedAt']);

/** `2026-11-21 08:05:00.25+00`, as PostgreSQL writes an instant in a session of UTC, as ISO 8601 with milliseconds. */
function isoInstant(text: string): string {
  if (!text.endsWith('+00')) throw new Error('A session of the database does not speak UTC');
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${text.slice(20, -3).padEnd(3, '0')}Z`;
}
