import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { removePostgresHome } from '../../runtime/postgres-home.ts';
import { identityOf, isAlive, isSameProcess, stopProcess } from '../../runtime/processes.ts';
import type { ProcessIdentity } from '../../runtime/processes.ts';

const runs = join(import.meta.dirname, '..', '..', '.data', 'test');

/** The folder of one test run: its servers' state, and a record of its processes for whoever has to clean up after it. */
export interface RunFolder {
  path: string;
  /** Notes a process that must not outlive the run. */
  record(pid: number): void;
  remove(): void;
}

/** Clears away what killed runs have left, then makes a folder for this one. Runs in parallel keep out of each other's way. */
export async function openRunFolder(): Promise<RunFolder> {
  mkdirSync(runs, { recursive: true });
  for (const name of readdirSync(runs)) await clearAway(join(runs, name));
  return makeRunFolder(String(process.pid));
}

/** Another folder that goes with this process, under a name that nothing else has. */
export function makeRunFolder(name: string): RunFolder {
  const path = join(runs, name);
  const processes = [identityOf(process.pid)];
  const save = () => writeFileSync(join(path, 'processes.json'), JSON.stringify(processes));
  mkdirSync(path, { recursive: true });
  save();
  return {
    path,
    record(pid) {
      processes.push(identityOf(pid));
      save();
    },
    remove: () => remove(path),
  };
}

async function clearAway(path: string): Promise<void> {
  const [runner, ...servers] = readProcesses(path);
  if (runner ? isSameProcess(runner) : isAlive(Number(basename(path)))) return;
  for (const server of servers.filter(isSameProcess)) {
    await stopProcess(server.pid, [
      { signal: 'SIGINT', patienceMilliseconds: 5_000 },
      { signal: 'SIGKILL', patienceMilliseconds: 2_000 },
    ]);
  }
  remove(path);
}

function readProcesses(path: string): ProcessIdentity[] {
  const file = join(path, 'processes.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity[]) : [];
}

function remove(path: string): void {
  removePostgresHome(join(path, 'postgres'));
  rmSync(path, { recursive: true, force: true });
}
