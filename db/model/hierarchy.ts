import type { EntityManager } from '@mikro-orm/postgresql';
import { organizationOf } from '../database.ts';
import type { Resource } from './define-resource.ts';
import { columnName, type RecordRow, schema } from './entity.ts';
import { Problem } from './problem.ts';

/**
 * Serialises the changes of who is above whom, until the transaction ends: two at once could each be sound by itself, and
 * together a circle. Before any row is locked, since the row of a parent is locked, too.
 */
export async function lockHierarchy(
  em: EntityManager,
  { definition, hierarchy }: Resource,
  body: unknown,
): Promise<void> {
  const parent = hierarchy === undefined ? null : (body as Record<string, unknown> | null)?.[hierarchy];
  if (typeof parent !== 'string') return;
  const key = `hierarchy:${definition.table}:${organizationOf(em)}`;
  await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 7))', [key]);
}

/** Problem `rule_violation` when a record is about to come below itself, through deleted ones as well. */
export async function refuseOwnAncestor(
  em: EntityManager,
  { definition, hierarchy, title }: Resource,
  { id, ...row }: RecordRow,
): Promise<void> {
  if (hierarchy === undefined || typeof row[hierarchy] !== 'string') return;
  const { table, key } = definition;
  const parent = columnName(definition, hierarchy);
  const [itself]: unknown[] = await em.execute(
    `with recursive above as (
       select ?::uuid as id
       union
       select r.${parent} from above join ${schema}.${table} r on r.${key} = above.id
       where r.organization_id = ? and r.${parent} is not null)
     select 1 from above where id = ?`,
    [row[hierarchy], organizationOf(em), id],
  );
  if (!itself) return;
  throw new Problem('rule_violation', `This ${title} breaks a rule; see errors.`, [
    { path: hierarchy, message: row[hierarchy] === id ? `must be another ${title}` : `is below this ${title}` },
  ]);
}
