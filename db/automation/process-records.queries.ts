import type { FilterQuery } from '@mikro-orm/postgresql';
import { type Database, inOrganization } from '../database.ts';
import type { Resource } from '../model/define-resource.ts';
import type { RecordRow } from '../model/entity.ts';

/** Whether the process of a record is not at its end: the row is there, not deleted, and in none of `finalStages`. */
export async function isUnderway(
  database: Database,
  organizationId: string,
  { definition }: Resource,
  recordId: string,
  finalStages: readonly string[],
): Promise<boolean> {
  const where = { id: recordId, deletedAt: null, stage: { $nin: finalStages } } as FilterQuery<RecordRow>;
  return inOrganization(database, organizationId, async (em) => (await em.count(definition.entity, where)) > 0);
}
