import { type FilterQuery, raw } from '@mikro-orm/postgresql';
import { columnName, type EntityDefinition, type RecordRow } from './entity.ts';

/**
 * Whether a text (`?`) is in so many rows that a page of them is found soonest in the order of time: 40 rows from each of
 * eight places, closer to each other where they are newer, with the text in three of the places. Under a hundred rows,
 * which the places would share, it never is.
 */
export function isCommonSql({ table, key }: EntityDefinition): string {
  const newestFirst = `from crm_core.${table} where deleted_at is null`;
  const inOrder = `order by created_at desc, ${key} desc`;
  return `
    with age as (
      select (select created_at ${newestFirst} ${inOrder} limit 1) as newest,
        (select created_at ${newestFirst} order by created_at, ${key} limit 1) as oldest),
    sample as (
      select place, id, crm_core.matches(search_text, ?) as hit
      from age, generate_series(0, 7) as place, lateral (
        select ${key} as id, search_text ${newestFirst} and created_at <= newest - (newest - oldest) * (place / 8.0) ^ 3
        ${inOrder} limit 40) as rows)
    select count(distinct place) filter (where hit) >= 3 and count(distinct id) >= 100 as common from sample`;
}

/** The rows that hold a text: each looked at, or when it is not common those that the search indexes name. */
export function matchCondition(definition: EntityDefinition, text: string, common: boolean): FilterQuery<RecordRow> {
  const condition = common
    ? raw((row) => `crm_core.matches(${row}.search_text, ?)`, [text])
    : raw(
        (row) => `${row}.${columnName(definition, 'id')} = any((select crm_core.matching_rows(?, ?))::uuid[])`,
        [definition.table, text],
      );
  return { [condition]: [] } as FilterQuery<RecordRow>;
}
