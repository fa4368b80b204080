import { Migrator } from '@mikro-orm/migrations';
import { MikroORM, type Routine } from '@mikro-orm/postgresql';
import { fileURLToPath } from 'node:url';
import { Client, type ClientConfig } from 'pg';
import { commonnessRoutine } from './model/search.ts';
import { entities, resources } from './registry.ts';

type Log = (line: string) => void;

export interface MigrationStatus {
  executed: string[];
  pending: string[];
}

const roles = {
  crm_app: 'sees one organisation at a time',
  crm_relay: 'relay and audit: sees all organisations',
};

/** One lock for everybody who migrates: MikroORM takes none of its own. */
const migrationLock = 7_310_415_201;

const searchRoutines = (): Routine[] =>
  resources
    .map(({ definition }) => definition)
    .filter(({ search }) => search.length > 0)
    .map(commonnessRoutine);

async function withOrm<T>(
  url: string,
  work: (orm: MikroORM) => Promise<T>,
  routines: readonly Routine[] = searchRoutines(),
): Promise<T> {
  const orm = await MikroORM.init({
    entities: [...entities],
    routines: [...routines],
    clientUrl: url,
    contextName: 'migrations',
    // Callers say what was done through `log`; MikroORM's own lines would mix with what commands print as JSON.
    logger: () => undefined,
    extensions: [Migrator],
    driverOptions: {
      options: '-c search_path=crm_core,public -c timezone=UTC',
      application_name: 'crm_migrate',
      connectionTimeoutMillis: 10_000,
    },
    pool: { min: 0, max: 2 },
    migrations: {
      path: fileURLToPath(new URL('./migrations', import.meta.url)),
      tableName: 'crm_core.crm_migrations',
      snapshot: true,
      snapshotOnMigrate: false,
      snapshotName: '.snapshot',
      emit: 'ts',
      allOrNothing: true,
      silent: true,
    },
    // Functions that migrations make by hand stay; those of `routines` are added, not altered.
    schemaGenerator: { ignoreSchema: ['public'], ignoreRoutines: true },
  });
  try {
    return await work(orm);
  } finally {
    await orm.close(true);
  }
}

/** Brings the schema up to the newest migration; roles and schema are made first, outside the migrations. */
export async function migrateUp(url: string, { log = () => undefined }: { log?: Log } = {}): Promise<void> {
  await exclusively(url, async (client) => {
    await makeRoles(client, log);
    await withOrm(url, async (orm) => {
      const done = await orm.migrator.up();
      for (const { name } of done) log(`applied ${name}`);
    });
  });
}

/** Takes back the newest migration, or with `to: 0` all of them. */
export async function migrateDown(
  url: string,
  { to, log = () => undefined }: { to?: 0; log?: Log } = {},
): Promise<void> {
  await exclusively(url, () =>
    withOrm(url, async (orm) => {
      const undone = await orm.migrator.down(to === 0 ? { to: 0 } : undefined);
      for (const { name } of undone) log(`took back ${name}`);
    }),
  );
}

export async function migrationStatus(url: string): Promise<MigrationStatus> {
  return withOrm(url, async (orm) => {
    const executed = await orm.migrator.getExecuted();
    const pending = await orm.migrator.getPending();
    return { executed: executed.map(({ name }) => name), pending: pending.map(({ name }) => name) };
  });
}

/** SQL that would bring a migrated database in step with the entities; empty when it is. */
export async function schemaDrift(url: string): Promise<string> {
  return withOrm(url, (orm) => orm.schema.getUpdateSchemaSQL({ wrap: false, safe: false }));
}

/**
 * Writes a new migration from the difference between the entities and the snapshot; null when there is none. The snapshot
 * knows no functions: those that the database has count as written.
 */
export async function createMigration(url: string, name: string): Promise<string | null> {
  const known = await functionNames(url);
  const missing = searchRoutines().filter((routine) => !known.has(routine.name));
  return withOrm(
    url,
    async (orm) => {
      const { fileName, diff } = await orm.migrator.create(undefined, false, false, name);
      return diff.up.length === 0 ? null : fileName;
    },
    missing,
  );
}

async function connected(options: ClientConfig): Promise<Client> {
  const client = new Client({ ...options, connectionTimeoutMillis: 10_000 });
  // A server that goes away while nothing is asked would end this process; the next query says so anyway.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function functionNames(url: string): Promise<ReadonlySet<string>> {
  const client = await connected({ connectionString: url });
  try {
    const { rows } = await client.query<{ name: string }>(
      `select proname as name from pg_proc where pronamespace = 'crm_core'::regnamespace`,
    );
    return new Set(rows.map(({ name }) => name));
  } finally {
    await client.end();
  }
}

async function exclusively(url: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = await connected({ connectionString: url, application_name: 'crm_migrate' });
  try {
    await client.query('select pg_advisory_lock($1)', [migrationLock]);
    await work(client);
  } finally {
    await client.end();
  }
}

async function isRole(client: Client, name: string): Promise<boolean> {
  return (await client.query('select 1 from pg_roles where rolname = $1', [name])).rowCount !== 0;
}

/** Throws with what an administrator of the server has to do when the owner may neither make the roles nor act as them. */
async function requireRoles(client: Client): Promise<void> {
  const { rows } = await client.query<{ owner: string; role: string; isThere: boolean }>(
    `select current_user as owner, role, oid is not null as "isThere"
     from unnest($1::text[]) role left join pg_roles on rolname = role
     where oid is null or not pg_has_role(current_user, oid, 'SET')
     order by role`,
    [Object.keys(roles)],
  );
  if (rows.length === 0) return;
  const cures = rows.flatMap(({ owner, role, isThere }) => [
    ...(isThere ? [] : [`create role ${role} nologin;`]),
    `grant ${role} to "${owner}";`,
  ]);
  throw new Error(
    `The database user ${rows[0]?.owner} may not act as ${rows.map(({ role }) => role).join(' and ')}. ` +
      `Let an administrator of the server run, once: ${cures.join(' ')}`,
  );
}

async function makeRoles(client: Client, log: Log): Promise<void> {
  for (const [role, purpose] of Object.entries(roles)) {
    if (!(await isRole(client, role))) {
      // Roles belong to the whole server: another database's migration may make the same one at this moment.
      await client.query(
        `do $$ begin create role ${role} nologin;
         exception when duplicate_object or unique_violation or insufficient_privilege then null; end $$`,
      );
      if (await isRole(client, role)) log(`made the database role ${role} (${purpose})`);
    }
    await client.query(
      `do $$ begin execute format('grant ${role} to %I', current_user); exception when others then null; end $$`,
    );
  }
  await requireRoles(client);
  await client.query('create schema if not exists crm_core');
}
