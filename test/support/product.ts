import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import type { AuditReport } from '../../cli/audit/report.ts';
import { readStatus } from '../../cli/status.ts';
import { type Database, openDatabase } from '../../db/database.ts';
import { checkoutRoot, childVariables, parseEnv } from '../../runtime/env.ts';
import { loadOrCreateSigningKey, signToken } from '../../runtime/keys.ts';
import { tailOf, withLogFile } from '../../runtime/logs.ts';
import { exitOf, isSameProcess, stopProcess, waitUntil } from '../../runtime/processes.ts';
import { runningState } from '../../runtime/run-state.ts';
import type { Role } from '../../workflows/access/permissions.ts';
import { makeRunFolder } from './run-folder.ts';

export type Part = 'postgres' | 'temporal' | 'worker' | 'api';
const parts: readonly Part[] = ['postgres', 'temporal', 'worker', 'api'];

/** The product as `npm start` runs it, without the demo, on ports and with state of its own. */
export interface Product {
  readonly api: string;
  /** The owner's, who sees every organisation. */
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly temporalCli: string;
  /** Where the caught mail is read. */
  readonly mail: string;
  readonly dataDir: string;
  /** For the factories; acts as the application. */
  readonly database: Database;
  /** The process of a part that runs now. */
  pid(part: Part): number;
  /** Sends a signal to a part; waits for its end when the signal ends it. */
  kill(part: Part, signal?: NodeJS.Signals): Promise<void>;
  /** Until every part runs (again) and the API says that they work together. */
  waitUntilReady(): Promise<void>;
  token(role: Role, organizationId: string, userId: string): Promise<string>;
  /** Runs one statement as the owner, on a connection of its own. */
  query<Row extends object>(sql: string, parameters?: unknown[]): Promise<Row[]>;
  /** `crm …` on this installation. */
  crm(...args: string[]): Promise<{ exitCode: number | null; output: string }>;
  audit(): Promise<AuditReport>;
  stop(): Promise<void>;
}

const readyWithinMilliseconds = 180_000;
const lasting: readonly NodeJS.Signals[] = ['SIGSTOP', 'SIGCONT'];

// Below the ports that the system lends to outgoing connections: nothing takes the port of a part that is being restarted.
const somePort = () => 10_000 + 100 * randomInt(200);

/** The environment of an installation in `dataDir`, whatever the developer's own says. */
export function variablesOf(dataDir: string): NodeJS.ProcessEnv {
  const ports = String(somePort());
  const none = { DATABASE_URL: '', TEMPORAL_ADDRESS: '', SMTP_URL: '', JWKS_URL: '', METRICS_PORT: '', NODE_OPTIONS: '' };
  const noLimit = { RATE_LIMIT_PER_SECOND: '100000', RATE_LIMIT_BURST: '100000' };
  return childVariables({ ...none, ...noLimit, DATA_DIR: dataDir, EMBEDDED_PORTS_FROM: ports, PORT: ports });
}

/** Starts a product and waits until it is ready. It ends with the process that started it, however that ends. */
export async function startProduct(): Promise<Product> {
  const folder = makeRunFolder(`product-${process.pid}-${randomInt(1_000_000)}`);
  const dataDir = folder.path;
  const variables = variablesOf(dataDir);
  const logFile = join(dataDir, 'up.log');
  const up = withLogFile(logFile, (log) =>
    spawn(process.execPath, [join(checkoutRoot, 'cli', 'main.ts'), 'up', '--empty'], {
      env: variables,
      stdio: ['ignore', log, log, 'ipc'],
    }),
  );
  const exited = exitOf(up);
  folder.record(up.pid ?? 0);

  async function stopUp(): Promise<void> {
    await stopProcess(up.pid ?? 0, [{ signal: 'SIGTERM', patienceMilliseconds: 60_000 }, { signal: 'SIGKILL', patienceMilliseconds: 2_000 }]);
    await exited;
  }

  async function isReady(): Promise<boolean> {
    if (up.exitCode !== null) throw new Error(`The product has ended. The end of ${logFile}:\n${tailOf(logFile, 30)}`);
    const { ready, processes } = await readStatus(dataDir);
    return ready && parts.every((part) => processes.some(({ name }) => name === part));
  }

  async function waitUntilReady(): Promise<void> {
    if (await waitUntil(isReady, readyWithinMilliseconds, 100)) return;
    throw new Error(`The product was not ready in time. The end of ${logFile}:\n${tailOf(logFile, 30)}`);
  }

  function processOf(part: Part) {
    const found = runningState(dataDir)?.processes.find(({ name }) => name === part);
    if (!found) throw new Error(`There is no ${part}.`);
    return found;
  }

  async function crm(...args: string[]) {
    const command = spawn(process.execPath, [join(checkoutRoot, 'cli', 'main.ts'), ...args], {
      env: variables,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [output, { code }] = await Promise.all([text(command.stdout), exitOf(command)]);
    return { exitCode: code, output };
  }

  await waitUntilReady().catch(async (error: unknown) => {
    await stopUp();
    folder.remove();
    throw error;
  });
  const { api, databaseUrl, temporalAddress, temporalCli, mail } = await readStatus(dataDir);
  if (!api || !databaseUrl || !temporalAddress || !temporalCli || !mail) throw new Error('An address is missing.');
  const database = await openDatabase({ url: databaseUrl, role: 'crm_app' });
  const key = await loadOrCreateSigningKey(dataDir);
  const { JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = parseEnv(variables);

  return {
    api, databaseUrl, temporalAddress, temporalCli, mail, dataDir, database, waitUntilReady, crm,
    pid: (part) => processOf(part).pid,
    async kill(part, signal = 'SIGKILL') {
      const found = processOf(part);
      process.kill(found.pid, signal);
      if (lasting.includes(signal)) return;
      if (!(await waitUntil(() => !isSameProcess(found), 60_000, 10))) throw new Error(`${part} outlived ${signal}.`);
    },
    token: (role, organizationId, userId) =>
      signToken(key, { issuer, audience, userId, organizationId, roles: [role], validSeconds: 3_600 }),
    async query<Row extends object>(sql: string, parameters: unknown[] = []) {
      const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5_000 });
      // A cut connection fails the statement; the event besides would end this process.
      client.on('error', () => undefined);
      await client.connect();
      try {
        return (await client.query<Row>(sql, parameters)).rows;
      } finally {
        await client.end();
      }
    },
    async audit() {
      return JSON.parse((await crm('audit', '--json')).output) as AuditReport;
    },
    async stop() {
      await database.close();
      await stopUp();
      folder.remove();
    },
  };
}
