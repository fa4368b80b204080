import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { startPostgres } from '../../runtime/postgres.ts';
import type { RunningPostgres } from '../../runtime/postgres.ts';
import { removePostgresHome } from '../../runtime/postgres-home.ts';
import { isAlive } from '../../runtime/processes.ts';

const parent = mkdtempSync(join(tmpdir(), 'crm-postgres-'));
const dataDir = join(parent, 'postgres');
let postgres: RunningPostgres;

beforeAll(async () => {
  postgres = await startPostgres({ dataDir });
  await query('create table kept (n int)');
}, 60_000);
afterAll(async () => {
  await postgres.stop();
  removePostgresHome(dataDir);
  rmSync(parent, { recursive: true });
});

async function query(text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  try {
    return (await client.query(text)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

describe('embedded PostgreSQL', () => {
  it('is version 18, keeps UTC, and knows letters beyond ASCII', async () => {
    await query('create extension if not exists pg_trgm');
    const [row] = await query(
      `select current_setting('server_version') as version, current_setting('timezone') as zone, lower('ÄŽ') as lower, similarity('Жижа', 'жижа') as similarity`,
    );
    expect(row).toEqual({ version: expect.stringMatching(/^18/), zone: 'UTC', lower: 'äž', similarity: 1 });
  });

  it('answers only on loopback, and only with its password', async () => {
    expect(await query('show listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
    const url = new URL(postgres.url);
    url.password = 'guess';
    await expect(new pg.Client({ connectionString: url.href }).connect()).rejects.toThrow(
      /password authentication failed/,
    );
  });

  it('stops, and starts again on its port with its state', async () => {
    await query('insert into kept values (1)');
    await postgres.stop();
    expect(isAlive(postgres.pid)).toBe(false);
    postgres = await startPostgres({ dataDir, port: postgres.port });
    expect(await query('select count(*)::int as count from kept')).toEqual([{ count: 1 }]);
  });

  it('comes back after it was killed, with everything committed', async () => {
    await query('insert into kept values (2)');
    process.kill(postgres.pid, 'SIGKILL');
    expect(await postgres.exited).toEqual({ code: null, signal: 'SIGKILL' });
    postgres = await startPostgres({ dataDir, port: postgres.port });
    expect(await query('select count(*)::int as count from kept')).toEqual([{ count: 2 }]);
  });

  it('replaces a server that a killed start has left in its folder', async () => {
    const orphan = postgres;
    postgres = await startPostgres({ dataDir, port: orphan.port });
    expect(isAlive(orphan.pid)).toBe(false);
    expect(await query('select count(*)::int as count from kept')).toEqual([{ count: 2 }]);
  });
});
