import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { loadEnv } from '../runtime/env.ts';
import { loadOrCreateSigningKey, signToken } from '../runtime/keys.ts';
import { readStatus } from '../cli/status.ts';
import { Client as TemporalClient, Connection } from '@temporalio/client';
import { Client } from 'pg';
import { audit } from '../cli/audit.ts';

/** The product as `npm start` runs it, in a folder of its own, for one benchmark run. */
export interface BenchInstallation {
  api: string;
  databaseUrl: string;
  temporalAddress: string;
  /** Where Temporal keeps its state. */
  temporalFolder: string;
  /** Process IDs by name: api, worker, temporal, postgres. */
  processes: Readonly<Record<string, number>>;
  organizationId(slug: string): Promise<string>;
  /** A token of the administrator of an organisation. */
  token(slug: string): Promise<string>;
  /** Waits until no command and no event is owed any more. */
  settle(): Promise<void>;
  /** How many discrepancies `crm audit` finds. */
  discrepancies(): Promise<number>;
  stop(): Promise<void>;
}

const startsWithinSeconds = 180;
const settlesWithinSeconds = 900;

const owed = `select (select count(*) from crm_core.crm_commands where state = 'received')
  + (select count(*) from crm_core.crm_outbox where delivered_at is null) as count`;

/** Starts the product on free ports with the rate limit out of the way; what is measured is the rest. */
export async function startInstallation(): Promise<BenchInstallation> {
  const dataDir = mkdtempSync(join(tmpdir(), 'crm-bench-'));
  const child = spawn(process.execPath, [join(import.meta.dirname, '../cli/main.ts'), 'up'], {
    env: { ...process.env, DATA_DIR: dataDir, RATE_LIMIT_PER_SECOND: '100000', RATE_LIMIT_BURST: '100000' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const status = await readyStatus(child, dataDir);
  const database = new Client({ connectionString: status.databaseUrl });
  await database.connect();
  const organizationId = async (slug: string) => {
    const { rows } = await database.query<{ id: string }>(
      'select organization_id as id from crm_core.core_organizations where slug = $1',
      [slug],
    );
    if (!rows[0]) throw new Error(`There is no organisation ${slug}`);
    return rows[0].id;
  };
  return {
    ...status,
    temporalFolder: join(dataDir, 'temporal'),
    organizationId,
    async token(slug) {
      const id = await organizationId(slug);
      const { rows } = await database.query<{ id: string }>(
        `select a.user_id as id from crm_core.core_role_assignments a join crm_core.core_roles r on r.role_id = a.role_id
         where r.name = 'admin' and a.organization_id = $1 limit 1`,
        [id],
      );
      const key = await loadOrCreateSigningKey(dataDir);
      const { JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = loadEnv();
      return signToken(key, {
        issuer,
        audience,
        userId: rows[0]?.id ?? '',
        organizationId: id,
        roles: ['admin'],
        validSeconds: 7_200,
      });
    },
    async settle() {
      for (let second = 0; second < settlesWithinSeconds; second += 1) {
        const { rows } = await database.query<{ count: string }>(owed);
        if (Number(rows[0]?.count) === 0) return;
        await pause(1_000);
      }
      throw new Error(`Commands or events are still owed after ${settlesWithinSeconds} s`);
    },
    async discrepancies() {
      const connection = await Connection.connect({ address: status.temporalAddress });
      const outcomes = await audit(status.databaseUrl, new TemporalClient({ connection }));
      await connection.close();
      return outcomes.reduce((sum, { count }) => sum + count, 0);
    },
    async stop() {
      await database.end();
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function readyStatus(child: ChildProcess, dataDir: string) {
  for (let second = 0; second < startsWithinSeconds; second += 1) {
    if (child.exitCode !== null) throw new Error('The product ended while it started');
    const { ready, api, databaseUrl, temporalAddress, processes } = await readStatus(dataDir);
    if (ready && api && databaseUrl && temporalAddress) {
      return {
        api,
        databaseUrl,
        temporalAddress,
        processes: Object.fromEntries(processes.map(({ name, pid }) => [name, pid])),
      };
    }
    await pause(1_000);
  }
  child.kill('SIGTERM');
  throw new Error(`The product was not ready within ${startsWithinSeconds} s`);
}
