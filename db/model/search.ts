import { Routine } from '@mikro-orm/postgresql';
import { type EntityDefinition, schema } from './entity.ts';

/**
 * `crm_core.is_common_in_{table}`: whether a text is in so many rows that a page of them is found soonest in the order of
 * time: 40 rows from each of eight places, closer to each other where they are newer, with the text in three of the places.
 * Under a hundred rows, which the places would share, it never is. A function for each table, so that a connection plans
 * the question once: planning it takes longer than asking.
 */
export function commonnessRoutine({ table, key }: EntityDefinition): Routine {
  const live = `from ${schema}.${table} where organization_id = organization and deleted_at is null`;
  const inOrder = `order by created_at desc, ${key} desc`;
  return new Routine({
    name: `is_common_in_${table}`,
    schema,
    type: 'function',
    params: { organization: { type: 'uuid' }, word: { type: 'text' }, wanted: { type: 'text' } },
    returns: { runtimeType: 'boolean', columnType: 'boolean' },
    expression: `create function ${schema}.is_common_in_${table}(organization uuid, word text, wanted text) returns boolean
      language plpgsql set plan_cache_mode = force_generic_plan
      as $$ begin return (
        select count(*) filter (where hit) >= 3 and exists (select ${live} ${inOrder} offset 99)
        from (select
            (select created_at ${live} ${inOrder} limit 1) as newest,
            (select created_at ${live} order by created_at, ${key} limit 1) as oldest) as age,
          generate_series(0, 7) as place,
          lateral (
            select bool_or(case when word is null then ${schema}.matches(search_text, wanted) else strpos(search_text, word) > 0 end) as hit
            from (select search_text ${live} and created_at <= newest - (newest - oldest) * (place / 8.0) ^ 3
              ${inOrder} limit 40) as place_rows) as hits);
      end $$`,
  });
}

/**
 * A statement that answers those rows of a query which hold a text. `crm_core.open_search` decides on one of two ways and plans
 * that alone: every row looked at in the list's own order when the text is common, else those that the search indexes name.
 * `rows` are the rows without the text, ending in a condition and without placeholders; `end` is order and limit.
 */
export function searchStatement(
  { table, key }: EntityDefinition,
  text: string,
  { rows, end }: { rows: string; end: string },
): { sql: string; params: readonly unknown[] } {
  return {
    sql: `select ${schema}.open_search(?, ?, ?, ?, ?); fetch all from search_page`,
    params: [table, text, `${rows} and `, `"row".${key}`, end],
  };
}
