import type { Command } from 'commander';
import { loadEnv } from '../runtime/env.ts';
import { onShutdown } from '../runtime/lifecycle.ts';
import { addressTable, readStatus } from './status.ts';
import { print, printJson, tell } from './output.ts';

/** Each of the four children may take its own time. */
const stopWithinMilliseconds = 120_000;

/** `crm up`, which is `npm start`: runs everything in the foreground until it is told to stop. */
export function registerUp(program: Command): void {
  program
    .command('up')
    .description('start PostgreSQL, Temporal, worker and API, and keep them running (this is `npm start`)')
    .option('--fresh', 'start over: remove everything stored in the data directory first')
    .option('--empty', 'load no demo organisations')
    .option('--json', 'print the addresses as JSON')
    .action(
      async ({ fresh = false, empty = false, json = false }: { fresh?: boolean; empty?: boolean; json?: boolean }) => {
        // Loaded when needed: with it come the ORM and everything else, and `crm status` shall be quick.
        const { createInstallation } = await import('../runtime/installation.ts');
        const env = loadEnv();
        const installation = createInstallation(env, { fresh, empty, tell });
        onShutdown(async () => {
          tell('stopping: API, worker, Temporal, PostgreSQL');
          await installation.stop();
          tell('stopped');
        }, stopWithinMilliseconds);
        try {
          const addresses = await installation.start();
          if (json) printJson(await readStatus(env.DATA_DIR));
          else print(`\nReady.\n\n${addressTable(addresses)}\n\nCtrl-C stops it.`);
        } catch (error) {
          // Stopped in the middle of the start: onShutdown ends this process.
          if (installation.isStopping()) return;
          await installation.stop();
          throw error;
        }
      },
    );
}
