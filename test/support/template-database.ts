import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { migrateUp } from '../../db/migrator.ts';

const template = 'crm_template';

/** Makes the database that every test's database is copied from, migrated to the newest version. */
export async function migratedTemplate(serverUrl: string): Promise<void> {
  // Nothing here has to survive a power cut, and copying and dropping databases waits for the disk otherwise.
  await administer(serverUrl, 'alter system set fsync = off');
  await administer(serverUrl, 'select pg_reload_conf()');
  await administer(serverUrl, `create database ${template}`);
  await migrateUp(urlOf(serverUrl, template));
}

/** Makes a database with a name of its own: a copy of the migrated template, or an empty one. Answers its URL. */
export async function createDatabase(serverUrl: string, from: 'template' | 'empty' = 'template'): Promise<string> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await administer(serverUrl, `create database ${name}${from === 'template' ? ` template ${template}` : ''}`);
  return urlOf(serverUrl, name);
}

/** Drops a database, cutting whoever is still connected. */
export async function dropDatabase(url: string): Promise<void> {
  await administer(url, `drop database if exists ${new URL(url).pathname.slice(1)} with (force)`);
}

/** Runs one statement as the owner in the database `postgres`. Copies of one template wait for each other. */
async function administer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(url, 'postgres') });
  await client.connect();
  try {
    await client.query(`select pg_advisory_lock(hashtext('crm test databases'))`);
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function urlOf(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
}
