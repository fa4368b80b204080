import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { createMigration, migrateDown, migrateUp, migrationStatus, schemaDrift } from '../../db/migrator.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

let database: TestDatabase;
let client: Client;

beforeAll(async () => {
  database = await testDatabase({ empty: true });
  client = new Client({ connectionString: database.url });
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await database.close();
});

async function tables(): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    "select schemaname || '.' || tablename as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')",
  );
  return rows.map(({ name }) => name).filter((name) => !name.endsWith('crm_migrations'));
}

it('makes everything in one schema, takes all of it back, and makes it again', async () => {
  const lines: string[] = [];
  const log = (line: string) => lines.push(line);
  await migrateUp(database.url, { log });
  const made = await tables();
  expect(made.length).toBeGreaterThan(30);
  expect(made.every((name) => name.startsWith('crm_core.'))).toBe(true);
  expect(await schemaDrift(database.url)).toBe('');
  const { executed, pending } = await migrationStatus(database.url);
  expect(pending).toEqual([]);
  expect(lines).toEqual(executed.map((name) => `applied ${name}`));

  await migrateDown(database.url, { log });
  expect((await migrationStatus(database.url)).pending).toEqual(executed.slice(-1));
  await migrateDown(database.url, { to: 0, log });
  expect(await tables()).toEqual([]);
  const { rows } = await client.query(
    "select proname from pg_proc where pronamespace = 'crm_core'::regnamespace union all select extname from pg_extension where extname <> 'plpgsql'",
  );
  expect(rows).toEqual([]);
  expect(lines.slice(executed.length)).toEqual(executed.toReversed().map((name) => `took back ${name}`));

  await migrateUp(database.url);
  expect((await tables()).toSorted()).toEqual(made.toSorted());
  expect(await schemaDrift(database.url)).toBe('');
});

/** Takes migrations back until this one is among those to come. */
async function before(name: string): Promise<void> {
  for (;;) {
    const { pending } = await migrationStatus(database.url);
    if (pending.some((each) => each.endsWith(name))) return;
    await migrateDown(database.url);
  }
}

it('knows of the leads there are what is known of their mail: that of their person, if it is the same mail', async () => {
  await before('mail_status_of_leads');
  const base = `created_at, created_by, updated_at, updated_by, version`;
  const now = `now(), 'test', now(), 'test', 1`;
  await client.query(`
    begin;
    set local role crm_relay;
    with org as (
      insert into crm_core.core_organizations (organization_id, slug, name, ${base})
      values (uuidv7(), 'mails', 'Mails', ${now}) returning organization_id),
    person as (
      insert into crm_core.crm_people (person_id, organization_id, full_name, primary_email, email_status, persona_labels, ${base})
      select uuidv7(), organization_id, 'Ada', 'ada@refused.example', 'rejects', '{}', ${now} from org returning *)
    insert into crm_core.crm_leads (lead_id, organization_id, person_id, full_name, email, status, stage, captured_at, ${base})
    select uuidv7(), organization_id, person_id, 'Ada', mail, 'open', 'scored', now(), ${now}
    from person, unnest(array['ada@refused.example', 'ada@work.example', null]) as mail;
    commit;`);
  await migrateUp(database.url);
  await client.query('begin; set local role crm_relay');
  const { rows } = await client.query('select email, email_status from crm_core.crm_leads order by email nulls last');
  await client.query('rollback');
  expect(rows).toEqual([
    { email: 'ada@refused.example', email_status: 'rejects' },
    { email: 'ada@work.example', email_status: 'unknown' },
    { email: null, email_status: 'unknown' },
  ]);
});

it('says what an administrator has to do for an owner who may not act as the two roles', async () => {
  const owner = `owner_${randomBytes(6).toString('hex')}`;
  const url = new URL(database.url);
  [url.username, url.password] = [owner, 'secret'];
  await client.query(`create role ${owner} login password 'secret'`);
  try {
    await expect(migrateUp(url.href)).rejects.toThrow(
      `may not act as crm_app and crm_relay. Let an administrator of the server run, once: grant crm_app to "${owner}"; grant`,
    );
  } finally {
    await client.query(`drop role ${owner}`);
  }
});

it('may be asked for by several at once, and again', async () => {
  await migrateDown(database.url, { to: 0 });
  await Promise.all([migrateUp(database.url), migrateUp(database.url), migrateUp(database.url)]);
  expect((await migrationStatus(database.url)).pending).toEqual([]);
});

it('writes no migration while entities and snapshot agree', async () => {
  expect(await createMigration(database.url, 'nothing')).toBeNull();
});

it('notices a table that was changed by hand', async () => {
  await client.query('alter table crm_core.crm_tags add column taste text');
  expect(await schemaDrift(database.url)).toContain('drop column "taste"');
  await client.query('alter table crm_core.crm_tags drop column taste');
});

it('leaves an extension alone that was there before', async () => {
  const other = await testDatabase({ empty: true });
  const owner = new Client({ connectionString: other.url });
  await owner.connect();
  try {
    await owner.query('create extension pg_trgm');
    await migrateUp(other.url);
    await migrateDown(other.url, { to: 0 });
    const { rows } = await owner.query("select extname from pg_extension where extname <> 'plpgsql'");
    expect(rows).toEqual([{ extname: 'pg_trgm' }]);
  } finally {
    await owner.end();
    await other.close();
  }
});

it('ends in an error at most when the server takes away its lock while it works, not the process', async () => {
  await migrateUp(database.url);
  for (let back = 0; back < 3; back += 1) await migrateDown(database.url);
  let isOver = false;
  const over = migrateUp(database.url)
    .catch(() => undefined)
    .finally(() => (isOver = true));
  // While the lock's own connection has nothing to do.
  const end = `select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'crm_migrate' and datname = current_database() and state = 'idle' and clock_timestamp() - state_change > interval '20 ms'`;
  let ended = 0;
  while (!isOver && ended === 0) ended = (await client.query(end)).rowCount ?? 0;
  await over;
  expect(ended).toBe(1);
  await migrateUp(database.url);
  expect((await migrationStatus(database.url)).pending).toEqual([]);
});
