import { join } from 'node:path';
import pg from 'pg';
import { migrateDown, migrateUp, schemaDrift } from '../../db/migrator.ts';
import { startPostgres } from '../../runtime/postgres.ts';
import { openRunFolder } from '../support/run-folder.ts';

/** Migrations make what the entities say, take all of it back, and make it again. Exits 1 with what is wrong. */
const folder = await openRunFolder();
const postgres = await startPostgres({ dataDir: join(folder.path, 'postgres') });
folder.record(postgres.pid);
try {
  const complaints = await complaintsAbout(postgres.url);
  process.stderr.write(complaints.map((complaint) => `${complaint}\n`).join(''));
  process.exitCode = complaints.length === 0 ? 0 : 1;
} finally {
  await postgres.stop();
  folder.remove();
}

async function complaintsAbout(url: string): Promise<string[]> {
  await migrateUp(url);
  const made = await catalogue(url);
  const drift = await schemaDrift(url);
  await migrateDown(url, { to: 0 });
  const left = await catalogue(url);
  await migrateUp(url);
  const again = await catalogue(url);
  return [
    ...(drift.trim() ? [`The migrations are not in step with the entities; missing:\n${drift}`] : []),
    ...left.filter((entry) => !entry.includes('crm_migrations')).map((entry) => `Left over after going down: ${entry}`),
    ...made.filter((entry) => !again.includes(entry)).map((entry) => `Missing after up, down, up: ${entry}`),
    ...again.filter((entry) => !made.includes(entry)).map((entry) => `Only there after up, down, up: ${entry}`),
  ];
}

/** Every relation, column, constraint, policy, trigger, function and type outside PostgreSQL's own schemas, one text each. */
async function catalogue(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ entry: string }>(`
      with own as (
        select oid, nspname from pg_namespace where nspname not like 'pg\\_%' and nspname <> 'information_schema'
      ), inside_extension as (
        select objid from pg_depend where deptype = 'e'
      )
      select format('%s.%s (%s)', nspname, relname, relkind) as entry
        from pg_class join own on own.oid = relnamespace where pg_class.oid not in (select * from inside_extension)
      union all select format('%s.%s.%s %s', nspname, relname, attname, format_type(atttypid, atttypmod))
        from pg_attribute join pg_class on pg_class.oid = attrelid join own on own.oid = relnamespace
        where attnum > 0 and not attisdropped
      union all select format('%s.%s %s', nspname, conname, pg_get_constraintdef(pg_constraint.oid))
        from pg_constraint join own on own.oid = connamespace
      union all select format('%s.%s policy %s', schemaname, tablename, policyname) from pg_policies
      union all select format('trigger %s', tgname) from pg_trigger where not tgisinternal
      union all select format('%s.%s()', nspname, proname)
        from pg_proc join own on own.oid = pronamespace where pg_proc.oid not in (select * from inside_extension)
      union all select format('%s.%s type', nspname, typname)
        from pg_type join own on own.oid = typnamespace
        where typtype in ('e', 'd') and pg_type.oid not in (select * from inside_extension)
      order by 1`);
    return rows.map(({ entry }) => entry);
  } finally {
    await client.end();
  }
}
