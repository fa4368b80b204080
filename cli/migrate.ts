import type { Command } from 'commander';
import { loadEnv } from '../runtime/env.ts';
import { databaseUrlOf } from './database.ts';
import { print, printJson, tell } from './output.ts';

/** Loaded when needed: the ORM comes with it, and `crm status` shall be quick. */
const loadMigrator = () => import('../db/migrator.ts');

/** `crm migrate up|down|status`: the schema of the database, one step at a time or all of them. */
export function registerMigrate(program: Command): void {
  const migrate = program
    .command('migrate')
    .description('bring the database schema up or down, or say where it stands');

  migrate
    .command('up')
    .description('apply every migration that is missing')
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const { migrateUp } = await loadMigrator();
      await migrateUp(databaseUrlOf(loadEnv()), { log: tell });
      await report(json);
    });

  migrate
    .command('down')
    .description('take back the newest migration')
    .option('--all', 'take back every migration: all data is lost')
    .option('--json', 'as JSON')
    .action(async ({ all, json }: { all?: boolean; json?: boolean }) => {
      const { migrateDown } = await loadMigrator();
      await migrateDown(databaseUrlOf(loadEnv()), { log: tell, ...(all ? { to: 0 } : {}) });
      await report(json);
    });

  migrate
    .command('create <name>')
    .description('write the migration that brings the schema in step with the entities (for developers)')
    .option('--json', 'as JSON')
    .action(async (name: string, { json }: { json?: boolean }) => {
      const { createMigration } = await loadMigrator();
      const file = await createMigration(databaseUrlOf(loadEnv()), name);
      if (json) return printJson({ file: file === null ? null : `db/migrations/${file}` });
      print(file === null ? 'The schema is in step with the entities.' : `Wrote db/migrations/${file}; read it.`);
    });

  migrate
    .command('status')
    .description('say which migrations are applied and which are missing')
    .option('--json', 'as JSON')
    .action(({ json }: { json?: boolean }) => report(json));
}

async function report(json = false): Promise<void> {
  const { migrationStatus } = await loadMigrator();
  const status = await migrationStatus(databaseUrlOf(loadEnv()));
  if (json) return printJson(status);
  print(
    [...status.executed.map((name) => `applied  ${name}`), ...status.pending.map((name) => `missing  ${name}`)].join(
      '\n',
    ) || 'no migrations',
  );
}
