import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { databaseFixture } from '../../db/database-fixture.ts';
import { form, makeHouse, untilDecided } from './house.ts';

const fixture = databaseFixture();

describe('connections that PostgreSQL terminates', () => {
  it('in the middle of fifty decisions leave each decided once', async () => {
    const house = await makeHouse(fixture.app);
    const captures = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        house.receive(form(index % 5 === 0 ? { email: 'same@example.com' } : {})),
      ),
    );
    const owner = new pg.Client({ connectionString: fixture.url });
    await owner.connect();
    const terminate = async () => {
      const { rowCount } = await owner.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'crm_app' and pid <> pg_backend_pid()",
      );
      return rowCount ?? 0;
    };
    const underway = Promise.all(captures.map(({ leadId }) => untilDecided(house, leadId)));
    let terminated = 0;
    const done = underway.then(() => true);
    for (let wave = 0; wave < 6; wave++) {
      if (await Promise.race([done, new Promise<false>((resolve) => setTimeout(resolve, 60, false))])) break;
      terminated += await terminate();
    }
    const outcomes = await underway;
    await owner.end();

    expect(terminated).toBeGreaterThan(0);
    expect(outcomes.some(({ failures }) => failures > 0)).toBe(true);
    expect(await house.count('crm_leads')).toBe(50);
    expect(await house.count('crm_leads', "status = 'open'")).toBe(41);
    expect(await house.count('crm_lead_assignments')).toBe(41);
    expect(await house.count('crm_lead_scores')).toBe(41);
    expect(await house.count('crm_notifications')).toBe(41);
    expect(await house.count('crm_outbox', "kind = 'notification.created'")).toBe(41);
    expect(await house.count('crm_people')).toBe(41);
    expect(await house.count('crm_merges')).toBe(9);
    expect(await house.count('crm_commands', "state = 'answered' and message = 'captured'")).toBe(50);
    const [turns] = await house.sql<{ n: string }>('select sum(turns) as n from crm_core.crm_team_members');
    expect(Number(turns?.n)).toBe(41);
  });
});
