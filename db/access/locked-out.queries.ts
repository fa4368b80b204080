import { type Database, inOrganization } from '../database.ts';

/** The users of an organisation whose tokens count no more: their identity is suspended or deleted. */
export function readLockedOut(database: Database, organizationId: string): Promise<ReadonlySet<string>> {
  return inOrganization(database, organizationId, async (em) => {
    const rows: { user_id: string }[] = await em.execute(
      `select user_id from crm_core.core_users
       where organization_id = ? and (status = 'suspended' or deleted_at is not null)`,
      [organizationId],
    );
    return new Set(rows.map(({ user_id: userId }) => userId));
  });
}
