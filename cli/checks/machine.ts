import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { checkoutRoot } from '../../runtime/env.ts';
import type { Env } from '../../runtime/env.ts';
import { defaultPorts } from '../../runtime/default-ports.ts';
import { isPortFree } from '../../runtime/ports.ts';
import { isSameProcess } from '../../runtime/processes.ts';
import { readRunState, runningState } from '../../runtime/run-state.ts';
import { findTemporalCli, temporalCliVersion } from '../../runtime/temporal-cli.ts';
import { ill, warning, well } from './finding.ts';
import type { Finding } from './finding.ts';

const gigabyte = 1_000_000_000;

/** What can be said of the machine and the checkout without asking a server. */
export async function checkMachine(env: Env): Promise<Finding[]> {
  return [
    checkNode(),
    checkDependencies(),
    checkTemporalCli(env),
    checkDataDirectory(env),
    await checkDisk(env),
    ...(await checkPorts(env)),
  ];
}

function checkNode(): Finding {
  const major = Number(process.versions.node.split('.')[0]);
  return major >= 24
    ? well('Node', process.version)
    : ill(
        'Node',
        `${process.version} runs this; 24 is needed`,
        'start with `npm start` or `npx crm`, which bring Node 24',
      );
}

function checkDependencies(): Finding {
  const stamp = join(checkoutRoot, 'node_modules', '.durable-crm-installed');
  const lock = join(checkoutRoot, 'package-lock.json');
  const current =
    existsSync(stamp) &&
    existsSync(lock) &&
    readFileSync(stamp, 'utf8') === createHash('sha256').update(readFileSync(lock)).digest('hex');
  return current
    ? well('dependencies', 'as package-lock.json says')
    : warning(
        'dependencies',
        'not known to be those of package-lock.json',
        '`npm start` installs them; or remove node_modules and run `npm ci`',
      );
}

function checkTemporalCli(env: Env): Finding {
  const cli = findTemporalCli();
  if (cli) return well('Temporal CLI', cli);
  if (env.TEMPORAL_ADDRESS) return well('Temporal CLI', 'none here, and none needed: TEMPORAL_ADDRESS is set');
  return warning(
    'Temporal CLI',
    'none on PATH or in the cache',
    `\`npm start\` fetches or builds it; or install version ${temporalCliVersion} yourself`,
  );
}

function checkDataDirectory(env: Env): Finding {
  const state = readRunState(env.DATA_DIR);
  if (!state) return well('data directory', `${env.DATA_DIR}: nothing runs in it`);
  if (state.checkout !== checkoutRoot) {
    return warning(
      'data directory',
      `${env.DATA_DIR} was copied from ${state.checkout}`,
      'start with `npm start -- --fresh`, or remove it',
    );
  }
  if (runningState(env.DATA_DIR)) {
    const dead = state.processes.filter((each) => !isSameProcess(each)).map(({ name }) => name);
    if (dead.length === 0) return well('data directory', `${env.DATA_DIR}: in use by process ${state.supervisor.pid}`);
    return warning(
      'data directory',
      `${dead.join(', ')} is being started again`,
      `wait a moment, or read ${join(env.DATA_DIR, 'logs')}`,
    );
  }
  const orphans = state.processes.filter(isSameProcess).map(({ name, pid }) => `${name} (${pid})`);
  return warning(
    'data directory',
    `the last start was killed${orphans.length > 0 ? ` and has left ${orphans.join(', ')}` : ''}`,
    'the next `npm start` clears it away',
  );
}

async function checkDisk(env: Env): Promise<Finding> {
  const { bavail, bsize } = await statfs(existsSync(env.DATA_DIR) ? env.DATA_DIR : checkoutRoot);
  const free = (bavail * bsize) / gigabyte;
  const detail = `${free.toFixed(1)} GB free`;
  if (free >= 2) return well('disk', detail);
  const mend = 'make room: databases stop when a disk is full';
  return free < 0.5 ? ill('disk', detail, mend) : warning('disk', detail, mend);
}

/** Only while nothing runs: afterwards it is the installation itself that occupies them. */
async function checkPorts(env: Env): Promise<Finding[]> {
  if (runningState(env.DATA_DIR)) return [];
  const wanted = Object.entries({ ...defaultPorts, api: env.PORT });
  const states = await Promise.all(
    wanted.map(async ([part, port]) => ({ part, port, free: await isPortFree(port).catch(() => false) })),
  );
  const occupied = states.filter(({ free }) => !free).map(({ part, port }) => `${port} (${part})`);
  if (occupied.length === 0) return [well('ports', `free: ${states.map(({ port }) => port).join(', ')}`)];
  return [warning('ports', `occupied: ${occupied.join(', ')}`, '`npm start` takes the next free ones and says so')];
}
