import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import type { AuditReport } from '../../cli/audit/report.ts';
import { readStatus } from '../../cli/status.ts';
import { type Database, openDatabase } from '../../db/database.ts';
import { checkoutRoot, childVariables, parseEnv } from '../../runtime/env.ts';
import { loadOrCreateSigningKey, signToken } from '../../runtime/keys.ts';
import { tailOf, withLogFile } from '../../runtime/logs.ts';
import { type Exit, exitOf, isSameProcess, stopProcess, waitUntil } from '../../runtime/processes.ts';
import { readRunState, runningState } from '../../runtime/run-state.ts';
import type { Role } from '../../workflows/access/permissions.ts';
import { makeRunFolder, type RunFolder } from './run-folder.ts';

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
  /** Runs one statement as the owner of the database. */
  query<Row extends object>(sql: string, parameters?: unknown[]): Promise<Row[]>;
  /** `crm …` on this installation. */
  crm(...args: string[]): Promise<{ exitCode: number | null; output: string }>;
  /** The same, under way. */
  startCrm(...args: string[]): ChildProcessByStdio<null, Readable, null>;
  audit(): Promise<AuditReport>;
  /** Ctrl-C in its terminal: the signal reaches the whole process group. Answers how `npm start` ended. */
  interrupt(): Promise<Exit>;
  /** Kills the supervisor outright, so that nobody stops the parts in their turn. */
  killSupervisor(): Promise<void>;
  stop(): Promise<void>;
}

const readyWithinMilliseconds = 180_000;
const lasting: readonly NodeJS.Signals[] = ['SIGSTOP', 'SIGCONT'];

// Below the ports that the system lends to outgoing connections: nothing takes the port of a part that is being restarted.
const somePort = () => 10_000 + 100 * randomInt(200);

/** What `npm start` would run with, whatever the developer's own environment says. */
function variablesOf(dataDir: string): NodeJS.ProcessEnv {
  const ports = String(somePort());
  const none = {
    DATABASE_URL: '',
    TEMPORAL_ADDRESS: '',
    SMTP_URL: '',
    JWKS_URL: '',
    METRICS_PORT: '',
    SUPPORT_ADDRESS: '',
    MAIL_WEBHOOK_SECRET: '',
    NODE_OPTIONS: '',
  };
  const noLimit = { RATE_LIMIT_PER_SECOND: '100000', RATE_LIMIT_BURST: '100000' };
  const place = { DATA_DIR: dataDir, EMBEDDED_PORTS_FROM: ports, PORT: ports };
  return childVariables({ ...none, ...noLimit, ...place, npm_lifecycle_event: 'start' });
}

/** A place for a product that is started several times; to be removed by the test. */
export const productFolder = (): RunFolder => makeRunFolder(`product-${process.pid}-${randomInt(1_000_000)}`);

/** Starts a product and waits until it is ready. It ends with the process that started it, however that ends. */
export async function startProduct(place?: RunFolder): Promise<Product> {
  const folder = place ?? productFolder();
  const dataDir = folder.path;
  const variables = variablesOf(dataDir);
  const logFile = join(dataDir, 'up.log');
  const launcher = withLogFile(logFile, (log) =>
    spawn(process.execPath, [join(checkoutRoot, 'runtime', 'setup.mjs'), 'cli/main.ts', 'up', '--empty'], {
      env: variables,
      detached: true,
      stdio: ['ignore', log, log],
    }),
  );
  const launcherPid = launcher.pid ?? 0;
  const exited = exitOf(launcher);
  folder.record(launcherPid);

  async function end(): Promise<void> {
    await stopProcess(launcherPid, [
      { signal: 'SIGTERM', patienceMilliseconds: 90_000 },
      { signal: 'SIGKILL', patienceMilliseconds: 2_000 },
    ]);
    await exited;
    if (!place) folder.remove();
  }

  async function isReady(): Promise<boolean> {
    if (launcher.exitCode !== null)
      throw new Error(`The product has ended. The end of ${logFile}:\n${tailOf(logFile, 30)}`);
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

  const startCrm = (...args: string[]) =>
    spawn(process.execPath, [join(checkoutRoot, 'cli', 'main.ts'), ...args], {
      env: variables,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  async function crm(...args: string[]) {
    const command = startCrm(...args);
    const [output, { code }] = await Promise.all([text(command.stdout), exitOf(command)]);
    return { exitCode: code, output };
  }

  await waitUntilReady().catch(async (error: unknown) => {
    await end();
    throw error;
  });
  const { api, databaseUrl, temporalAddress, temporalCli, mail } = await readStatus(dataDir);
  if (!api || !databaseUrl || !temporalAddress || !temporalCli || !mail) throw new Error('An address is missing.');
  const database = await openDatabase({ url: databaseUrl, role: 'crm_app' });
  const owner = new pg.Pool({ connectionString: databaseUrl, max: 4, connectionTimeoutMillis: 5_000 });
  // A statement on a cut connection fails; an idle one that is cut concerns nobody.
  owner.on('error', () => undefined);
  const key = await loadOrCreateSigningKey(dataDir);
  const { JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = parseEnv(variables);

  return {
    api,
    databaseUrl,
    temporalAddress,
    temporalCli,
    mail,
    dataDir,
    database,
    waitUntilReady,
    crm,
    startCrm,
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
      return (await owner.query<Row>(sql, parameters)).rows;
    },
    async audit() {
      return JSON.parse((await crm('audit', '--json')).output) as AuditReport;
    },
    async interrupt() {
      process.kill(-launcherPid, 'SIGINT');
      return exited;
    },
    async killSupervisor() {
      const supervisor = readRunState(dataDir)?.supervisor;
      if (!supervisor) throw new Error('There is no supervisor.');
      process.kill(supervisor.pid, 'SIGKILL');
      await exited;
    },
    async stop() {
      await Promise.all([owner.end(), database.close()]);
      await end();
    },
  };
}
