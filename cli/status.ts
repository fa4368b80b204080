import type { Command } from 'commander';
import { loadEnv } from '../runtime/env.ts';
import { isSameProcess } from '../runtime/processes.ts';
import { askReadiness } from '../runtime/readiness.ts';
import { noAddresses, runningState } from '../runtime/run-state.ts';
import type { Addresses, RunState } from '../runtime/run-state.ts';
import { print, printJson, table } from './output.ts';

/** The contract of `crm status --json`. */
export type Status = { ready: boolean } & Addresses & { processes: { name: string; pid: number }[] };

/** Exit code of `crm status` when there is nothing that could be ready. */
const notRunning = 3;

/** `crm status`: where everything is and whether it works; exit code 0 when ready, 3 when not. */
export function registerStatus(program: Command): void {
  program
    .command('status')
    .description('say whether this installation runs and where its parts are (exit code 0: ready, 3: not)')
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const status = await readStatus(loadEnv().DATA_DIR);
      if (json) printJson(status);
      else print(describe(status));
      if (!status.ready) process.exitCode = notRunning;
    });
}

/** The state of the installation in a data directory, asked of its processes and its API. */
export async function readStatus(dataDir: string): Promise<Status> {
  const state = runningState(dataDir);
  if (!state) return { ready: false, ...noAddresses, processes: [] };
  const alive = state.processes.filter(isSameProcess).map(({ name, pid }) => ({ name, pid }));
  const whole = state.phase === 'ready' && alive.length === state.processes.length;
  const ready = whole && state.api !== null && (await askReadiness(state.api)).ready;
  return { ready, ...addressesOf(state), processes: alive };
}

/** The table of addresses that `npm start` and `crm status` show. */
export function addressTable(addresses: Addresses): string {
  return table(
    (
      [
        ['API', addresses.api],
        ['API reference', addresses.apiReference],
        ['Temporal UI', addresses.temporalUi],
        [
          'Temporal',
          addresses.temporalAddress && `${addresses.temporalAddress} (namespace ${addresses.temporalNamespace})`,
        ],
        ['Temporal CLI', addresses.temporalCli],
        ['Database', addresses.databaseUrl],
        ['Mail', addresses.mail],
        ['Support mailbox', addresses.supportMailbox],
        ['A token', 'npx crm token --role manager'],
      ] as const
    ).map(([name, address]) => [name, address ?? '–']),
  );
}

function describe(status: Status): string {
  if (!status.api && status.processes.length === 0) return 'Not running. Start it with `npm start`.';
  return [
    status.ready ? 'Ready.' : 'Not ready; `npx crm doctor` says why.',
    '',
    addressTable(status),
    '',
    table(status.processes.map(({ name, pid }) => [name, `process ${pid}`])),
  ].join('\n');
}

function addressesOf(state: RunState): Addresses {
  const { checkout, phase, supervisor, processes, ...addresses } = state;
  return addresses;
}
