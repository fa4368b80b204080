import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkoutRoot } from './env.ts';
import { isSameProcess } from './processes.ts';
import type { ProcessIdentity } from './processes.ts';
import { readStateFile, writeStateFile } from './state-file.ts';

/** Where the parts of an installation are reached; null for a part that is not there. */
export type Addresses = {
  api: string | null;
  apiReference: string | null;
  temporalUi: string | null;
  temporalAddress: string | null;
  temporalNamespace: string | null;
  temporalCli: string | null;
  databaseUrl: string | null;
  mail: string | null;
  /** Takes mail to support addresses. */
  supportMailbox: string | null;
};

/** What `npm start` leaves in `run.json` of its data directory for `crm …` and for the next start. */
export type RunState = Addresses & {
  checkout: string;
  phase: 'starting' | 'ready' | 'stopping';
  supervisor: ProcessIdentity;
  processes: (ProcessIdentity & { name: string })[];
};

export const noAddresses: Addresses = {
  api: null,
  apiReference: null,
  temporalUi: null,
  temporalAddress: null,
  temporalNamespace: null,
  temporalCli: null,
  databaseUrl: null,
  mail: null,
  supportMailbox: null,
};

const fileIn = (dataDir: string) => join(dataDir, 'run.json');

/** What the last start in this data directory wrote, or undefined. Whether it still runs is another question. */
export function readRunState(dataDir: string): RunState | undefined {
  return readStateFile<RunState>(fileIn(dataDir));
}

/** The state of the installation that runs in this data directory now, or undefined. */
export function runningState(dataDir: string): RunState | undefined {
  const state = readRunState(dataDir);
  return state && state.checkout === checkoutRoot && isSameProcess(state.supervisor) ? state : undefined;
}

/** Replaces the state; it holds the database's password. */
export function writeRunState(dataDir: string, state: RunState): void {
  writeStateFile(fileIn(dataDir), state);
}

/** Forgets a run that has ended. */
export function removeRunState(dataDir: string): void {
  rmSync(fileIn(dataDir), { force: true });
}
