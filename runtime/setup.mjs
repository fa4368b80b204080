#!/usr/bin/env node
// What every npm script goes through: `node runtime/setup.mjs <file.ts> [arguments]`. Runs on any Node from 18, with nothing
// installed: it installs the dependencies when they are missing or out of date, then runs the file with the Node 24 among them.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const node24 = join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const stamp = join(modules, '.durable-crm-installed');
/** Holds the process ID of the command that installs; not in node_modules, which npm empties first. */
const lock = join(root, '.installing');
/** A lock without a living holder's ID in it is left over from a power cut after so long. */
const longestWriteMilliseconds = 5_000;

/** The packages that package-lock.json asks for are those that npm says it has put into node_modules. */
function dependenciesAreThere(lockText) {
  const written = join(modules, '.package-lock.json');
  if (!existsSync(node24) || !existsSync(written)) return false;
  const present = JSON.parse(readFileSync(written, 'utf8')).packages;
  return Object.entries(JSON.parse(lockText).packages).every(
    ([path, wanted]) =>
      path === '' || wanted.optional || wanted.devOptional || present[path]?.version === wanted.version,
  );
}

function install() {
  process.stderr.write(
    'Installing the dependencies (npm ci); this happens once, and again when package-lock.json changes.\n',
  );
  const npm = process.env.npm_execpath?.endsWith('.js') ? [process.execPath, process.env.npm_execpath] : ['npm'];
  // Scripts of packages must run (they fetch Node 24 and link PostgreSQL), and nothing of the calling script may leak in.
  // Warnings are left out: npm warns of every package that wants a newer Node than the one that launched it.
  const { status } = spawnSync(
    npm[0],
    [...npm.slice(1), 'ci', '--no-fund', '--no-audit', '--ignore-scripts=false', '--include=dev', '--loglevel=error'],
    {
      cwd: root,
      stdio: ['ignore', 2, 2],
      shell: process.platform === 'win32',
    },
  );
  if (status === 0 && existsSync(node24)) return;
  process.stderr.write(
    [
      '',
      'The dependencies could not be installed; npm has said why above. Usual causes:',
      '  - the npm registry cannot be reached: check the network, or the proxy and registry in `npm config list`;',
      '  - the disk is full, or node_modules belongs to somebody else: remove node_modules and try again;',
      '  - scripts of packages are switched off: `npm config set ignore-scripts false`;',
      '  - there is no Node 24 for this machine (Linux and macOS, x64 and arm64; on Windows use WSL 2).',
      '',
    ].join('\n'),
  );
  process.exit(1);
}

/** `npx crm` finds the command of a checkout only through node_modules/.bin. */
function linkCommand() {
  const link = join(modules, '.bin', 'crm');
  if (existsSync(link)) return;
  mkdirSync(dirname(link), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(join('..', '..', 'cli', 'crm.mjs'), link);
}

/** Whether this command has become the one that installs. */
function takesLock() {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Whether a command that lives has the lock in which this is written. One with our own ID in it had it before us. */
function isHeld(written) {
  const holder = Number(written);
  if (holder === process.pid) return false;
  return holder > 0 ? isAlive(holder) : Date.now() - statSync(lock).mtimeMs < longestWriteMilliseconds;
}

/** Takes away the lock of a command that was killed. One that another command took since it was read goes back to it. */
function clearStaleLock() {
  const aside = `${lock}.${process.pid}`;
  try {
    const written = readFileSync(lock, 'utf8');
    if (isHeld(written)) return;
    renameSync(lock, aside);
    if (readFileSync(aside, 'utf8') === written) rmSync(aside);
    else renameSync(aside, lock);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}

/** Of commands that begin at once in one checkout one installs, and the others wait for it. */
function installOnce(isDone, work) {
  clearStaleLock();
  for (let waited = 0; !takesLock(); waited += 1) {
    if (waited === 0) process.stderr.write('Another command is installing the dependencies; waiting for it.\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    clearStaleLock();
  }
  process.on('exit', unlock);
  if (!isDone()) work();
  process.off('exit', unlock);
  unlock();
}

const unlock = () => rmSync(lock, { force: true });

function prepare() {
  const lockText = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const fingerprint = createHash('sha256').update(lockText).digest('hex');
  const isDone = () => existsSync(node24) && existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint;
  if (isDone()) return;
  installOnce(isDone, () => {
    if (!dependenciesAreThere(lockText)) install();
    linkCommand();
    writeFileSync(stamp, fingerprint);
  });
}

/** npm and the shell between it and us: when one of them is killed outright, nobody else tells us. */
function launchers() {
  if (!process.env.npm_lifecycle_event) return [];
  const command = (pid, column) =>
    spawnSync('ps', ['-o', `${column}=`, '-p', String(pid)], { encoding: 'utf8' }).stdout?.trim() ?? '';
  const parent = process.ppid;
  return /sh$/.test(command(parent, 'comm'))
    ? [parent, Number(command(parent, 'ppid'))].filter((pid) => pid > 0)
    : [parent];
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Runs the file to its end with our exit code as its own. The channel tells it when this process is killed. */
function run(file, args) {
  const child = spawn(node24, [join(root, file), ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, PATH: `${join(modules, '.bin')}:${process.env.PATH ?? ''}` },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  const watched = launchers();
  setInterval(() => watched.every(isAlive) || child.kill('SIGTERM'), 500).unref();
  child.on('error', (error) => {
    process.stderr.write(`Node 24 could not be started (${error.message}). Remove node_modules and try again.\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));
}

const [file, ...args] = process.argv.slice(2);
if (!file) {
  process.stderr.write('Usage: node runtime/setup.mjs <file.ts> [arguments]\n');
  process.exit(2);
}
prepare();
run(file, args);
