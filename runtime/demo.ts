import { acrossOrganizations, type Database, openDatabase } from '../db/database.ts';
import { exampleId } from '../db/model/example-ids.ts';
import { acme } from './demo/acme.ts';
import { globex } from './demo/globex.ts';
import { loadOrganization } from './demo/load-organization.ts';

const by = 'demo';

/**
 * Loads the demo organisations acme and globex into a migrated database that has no other organisation, and has them not
 * yet. `url` is the owner's. An interrupted load is completed by the next one.
 */
export async function loadDemo(
  url: string,
  { log = () => undefined }: { log?: (line: string) => void } = {},
): Promise<void> {
  const database = await openDatabase({ url, role: 'crm_relay', size: 4 });
  try {
    const known = await readOrganizations(database);
    if (known.some(({ created_by: maker }) => maker !== `process:${by}`)) return;
    for (const plan of [acme, globex]) {
      if (known.some(({ slug }) => slug === plan.slug)) continue;
      await loadOrganization(database, plan, { by, newId: plan === acme ? countedExampleIds() : undefined });
      log(
        `loaded ${plan.name} (${plan.slug}): ${plan.people.length + 1} users, ${plan.teams.length} teams, ${plan.rules.length} rules`,
      );
    }
  } finally {
    await database.close();
  }
}

/** Mints the identifiers that examples of the API name. */
function countedExampleIds(): (entity: string) => string {
  const counts = new Map<string, number>();
  return (entity) => {
    const count = counts.get(entity) ?? 0;
    counts.set(entity, count + 1);
    return exampleId(entity, count);
  };
}

function readOrganizations(database: Database): Promise<{ slug: string; created_by: string }[]> {
  return acrossOrganizations(database, (em) => em.execute('select slug, created_by from crm_core.core_organizations'));
}
