import { acrossOrganizations, type Database, openDatabase } from '../db/database.ts';
import { acme } from './demo/acme.ts';
import { globex } from './demo/globex.ts';
import { loadOrganization } from './demo/load-organization.ts';

/**
 * Loads the demo organisations acme and globex into a migrated database that has no organisation yet, else does
 * nothing. `url` is the owner's. An interrupted load leaves no organisation, so that the next one starts over.
 */
export async function loadDemo(
  url: string,
  { log = () => undefined }: { log?: (line: string) => void } = {},
): Promise<void> {
  const database = await openDatabase({ url, role: 'crm_relay', size: 4 });
  try {
    if (await hasOrganizations(database)) return;
    const finishers: Awaited<ReturnType<typeof loadOrganization>>[] = [];
    for (const plan of [acme, globex]) {
      finishers.push(await loadOrganization(database, plan));
      log(
        `loaded ${plan.name} (${plan.slug}): ${plan.people.length} users, ${plan.teams.length} teams, ${plan.rules.length} rules`,
      );
    }
    await acrossOrganizations(database, async (em) => {
      for (const finish of finishers) await finish(em);
      // Nothing runs yet that a calendar or a rule just made could concern.
      await em.execute('update crm_core.crm_outbox set delivered_at = now() where delivered_at is null');
    });
  } finally {
    await database.close();
  }
}

async function hasOrganizations(database: Database): Promise<boolean> {
  return acrossOrganizations(database, async (em) => {
    const rows = await em.execute('select 1 from crm_core.core_organizations limit 1');
    return rows.length > 0;
  });
}
