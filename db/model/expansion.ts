import type { FilterQuery } from '@mikro-orm/postgresql';
import type { Actor } from '../access/actor.ts';
import { resourceOf } from '../registry.ts';
import type { Resource } from './define-resource.ts';
import type { RecordRow } from './entity.ts';
import { Problem } from './problem.ts';
import type { RecordJson } from './record-json.ts';
import { selectableProperties } from './redaction.ts';
import type { JsonRow, ReadRows } from './rows.ts';

/** Names in `expand=` -> the reference property that each follows; any other name is Problem `invalid`. */
export function expandedProperties(resource: Resource, names: readonly string[]): ReadonlyMap<string, string> {
  const known = new Map(Object.entries(resource.expandable ?? {}));
  return new Map(
    names.map((name) => {
      const property = known.get(name);
      if (property !== undefined) return [name, property];
      const message =
        known.size === 0
          ? `nothing of ${resource.path} can be expanded`
          : `${name} cannot be expanded; use ${[...known.keys()].join(', ')}`;
      throw new Problem('invalid', 'The query is not valid; see errors.', [{ path: 'expand', message }]);
    }),
  );
}

/**
 * Adds the records behind references (`expand=person`) to their referrers, one query for each name; what the caller
 * may not see is null.
 */
export async function expandRecords(
  read: ReadRows,
  actor: Actor,
  resource: Resource,
  records: readonly RecordJson[],
  rows: readonly JsonRow[],
  expansions: ReadonlyMap<string, string>,
): Promise<void> {
  for (const [name, property] of expansions) {
    const target = resource.definition.columns[property]?.target?.();
    const targetResource = target && resourceOf(target);
    if (!targetResource) throw new Error(`${resource.path} expands ${property}, which refers to no resource`);
    const ids = [...new Set(rows.flatMap((row) => (typeof row[property] === 'string' ? [row[property]] : [])))];
    const found = await findReadable(read, actor, targetResource, ids);
    for (const [index, record] of records.entries()) {
      const id = rows[index]?.[property];
      record[name] = (typeof id === 'string' && found.get(id)) || null;
    }
  }
}

async function findReadable(
  read: ReadRows,
  actor: Actor,
  resource: Resource,
  ids: readonly string[],
): Promise<Map<string, RecordJson>> {
  const access = resource.read(actor);
  if (ids.length === 0 || access === false) return new Map();
  const properties = selectableProperties(resource, actor);
  const where = [{ id: { $in: ids } }, { deletedAt: null }, access === true ? {} : access] as FilterQuery<RecordRow>[];
  const rows = await read(resource, { where, properties });
  return new Map(rows.map((row) => [row.id, row]));
}
