import { type Database, inOrganization } from '../database.ts';

/** The switches that this organisation has set, by name; a module without one is on. */
export async function readFeatureFlags(database: Database, organizationId: string): Promise<Record<string, boolean>> {
  return inOrganization(database, organizationId, async (em) => {
    const rows: { name: string; enabled: boolean }[] = await em.execute(
      'select name, enabled from crm_core.crm_feature_flags where organization_id = ? and deleted_at is null',
      [organizationId],
    );
    return Object.fromEntries(rows.map(({ name, enabled }) => [name, enabled]));
  });
}
