import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { platform } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { tailOf, withLogFile } from './logs.ts';
import { anyFreePort } from './ports.ts';
import { commandLineOf, describeExit, exitOf, isAlive, stopProcess, waitUntil } from './processes.ts';
import type { RunningProcess, StopStep } from './processes.ts';
import { preparePostgresHome } from './postgres-home.ts';
import type { PostgresHome } from './postgres-home.ts';

/** An embedded PostgreSQL that accepts connections. */
export type RunningPostgres = RunningProcess & {
  /** The owner's URL of the database `crm`, with its password. */
  url: string;
  port: number;
};

const owner = 'crm';
const database = 'crm';

/** Fast shutdown first (clients are cut, everything is checkpointed), then immediate, then by force. */
const stopSteps: readonly StopStep[] = [
  { signal: 'SIGINT', patienceMilliseconds: 15_000 },
  { signal: 'SIGQUIT', patienceMilliseconds: 5_000 },
  { signal: 'SIGKILL', patienceMilliseconds: 2_000 },
];

/** Loopback only, durable, modestly tuned; errors are logged without their details, which hold row values. */
const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '256MB',
  effective_cache_size: '1GB',
  maintenance_work_mem: '256MB',
  work_mem: '16MB',
  max_wal_size: '2GB',
  wal_compression: 'on',
  random_page_cost: '1.1',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
};

/**
 * Starts PostgreSQL 18 with its state in `dataDir` (made on the first start) and waits until it answers; without `port`
 * any free one. It runs in a process group of its own, so that Ctrl-C in a terminal reaches only whoever started it. What a killed start
 * has left (a lock file, a server of this very folder) is cleared away first. Throws with the end of its log when it does not come up.
 */
export async function startPostgres(options: {
  dataDir: string;
  port?: number;
  logFile?: string;
}): Promise<RunningPostgres> {
  const home = await preparePostgresHome(options.dataDir);
  const logFile = options.logFile ?? join(options.dataDir, 'server.log');
  const cluster = join(home.folder, 'cluster');
  const password = await initialise(home, cluster);
  await clearAway(cluster);
  const port = options.port ?? (await anyFreePort());
  const url = `postgres://${owner}:${password}@127.0.0.1:${port}/${database}`;

  // The backends of a killed server need a moment to notice, and hold its shared memory until then.
  const deadline = performance.now() + 15_000;
  for (;;) {
    const running = launch(home, cluster, port, logFile);
    const ended = await Promise.race([running.exited, untilItAnswers(url)]);
    if (ended === 'answers') return { ...running, url, port };
    await running.stop();
    const log = tailOf(logFile, 15);
    if (ended !== 'silent' && log.includes('pre-existing shared memory block') && performance.now() < deadline) {
      await sleep(250);
      continue;
    }
    throw new Error(
      `PostgreSQL did not start: it ${ended === 'silent' ? 'does not answer' : describeExit(ended)}. The end of ${logFile}:\n${log}`,
    );
  }
}

/** Makes the cluster under another name first, so that a start killed half-way leaves nothing that looks complete. */
async function initialise(home: PostgresHome, cluster: string): Promise<string> {
  const passwordFile = join(home.folder, 'password');
  if (existsSync(join(cluster, 'PG_VERSION'))) return readFileSync(passwordFile, 'utf8').trim();
  // A killed start may have left an initdb at work: it stumbles over its missing folder.
  for (const leftOver of readdirSync(home.folder).filter((name) => name.startsWith('cluster'))) {
    rmSync(join(home.folder, leftOver), { recursive: true, force: true });
  }
  const unfinished = `${cluster}.unfinished-${process.pid}`;
  const password = randomBytes(18).toString('base64url');
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (home.account) chownSync(passwordFile, home.account.uid, home.account.gid);
  const initdb = spawn(
    home.initdb,
    [
      `--pgdata=${unfinished}`,
      `--username=${owner}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--locale=C',
      `--lc-ctype=${platform() === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8'}`,
    ],
    { ...home.account, cwd: home.folder, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let complaint = '';
  initdb.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  initdb.on('error', (error) => (complaint += error.message));
  const exit = await exitOf(initdb);
  if (exit.code !== 0)
    throw new Error(`The database could not be made in ${home.folder}: initdb ${describeExit(exit)}.\n${complaint}`);
  renameSync(unfinished, cluster);
  return password;
}

/** Stops a server that still runs in this folder, and removes a lock file whose process is gone or is something else. */
async function clearAway(cluster: string): Promise<void> {
  const lock = join(cluster, 'postmaster.pid');
  if (!existsSync(lock)) return;
  const pid = Number(readFileSync(lock, 'utf8').split('\n', 1)[0]);
  if (pid > 0 && isAlive(pid) && commandLineOf(pid).includes(cluster)) {
    if (!(await stopProcess(pid, stopSteps)))
      throw new Error(`PostgreSQL (process ${pid}) still runs in ${cluster} and cannot be stopped.`);
  }
  rmSync(lock, { force: true });
}

function launch(home: PostgresHome, cluster: string, port: number, logFile: string): RunningProcess {
  const flags = Object.entries({ ...settings, port: String(port) }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
  const server = withLogFile(logFile, (log) =>
    spawn(home.postgres, ['-D', cluster, ...flags], {
      ...home.account,
      cwd: home.folder,
      detached: true,
      stdio: ['ignore', log, log],
    }),
  );
  const exited = exitOf(server);
  const pid = server.pid ?? 0;
  return {
    pid,
    exited,
    stop: async () => {
      if (pid > 0) await stopProcess(pid, stopSteps);
      await exited;
    },
  };
}

/** Connects until it works, then makes the database if it is missing; 'silent' after a minute (recovery after a crash takes its time). */
async function untilItAnswers(url: string): Promise<'answers' | 'silent'> {
  const administrative = new URL(url);
  administrative.pathname = '/postgres';
  const answered = await waitUntil(async () => {
    const client = new pg.Client({ connectionString: administrative.href, connectionTimeoutMillis: 2_000 });
    client.on('error', () => {});
    try {
      await client.connect();
      const { rowCount } = await client.query('select from pg_database where datname = $1', [database]);
      if (rowCount === 0) await client.query(`create database ${database}`);
      return true;
    } catch {
      return false;
    } finally {
      await client.end().catch(() => {});
    }
  }, 60_000);
  return answered ? 'answers' : 'silent';
}
