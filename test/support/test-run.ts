import { join } from 'node:path';
import { anyFreePort } from '../../runtime/ports.ts';
import { startPostgres } from '../../runtime/postgres.ts';
import { obtainTemporalCli } from '../../runtime/temporal-cli.ts';
import type { RunningTemporal } from '../../runtime/temporal-server.ts';
import { obtainTestServer } from '../../runtime/test-server.ts';
import { openRunFolder } from './run-folder.ts';
import { serveOnDemand } from './servers.ts';

const closing: (() => Promise<void> | void)[] = [];

/**
 * Opens a run of tests and answers the address at which `addressOf` finds its servers. What a server needs is imported
 * when it is first asked for: a run of pure tests loads neither the product's entities nor the workflow bundler.
 */
export async function openTestRun({ coverage }: { coverage: boolean }): Promise<string> {
  const folder = await openRunFolder();
  closing.push(() => folder.remove());

  const servers = await serveOnDemand({
    async postgres() {
      const { migratedTemplate } = await import('./template-database.ts');
      const postgres = await startPostgres({ dataDir: join(folder.path, 'postgres') });
      folder.record(postgres.pid);
      closing.push(postgres.stop);
      await migratedTemplate(postgres.url);
      return postgres.url;
    },
    async temporal() {
      const temporal = await startTemporalFor(folder.path);
      folder.record(temporal.pid);
      closing.push(temporal.stop);
      return temporal.address;
    },
    async bundle() {
      const { bundleWorkflows } = await import('./bundle.ts');
      return bundleWorkflows(folder.path, { coverage });
    },
    'test-server': () => obtainTestServer(() => undefined),
  });
  closing.push(servers.close);
  return servers.url;
}

const startAttempts = 3;

/** A Temporal of the run. A port that was free may be taken before the server has it, so others are tried. */
async function startTemporalFor(folder: string, attempt = 1): Promise<RunningTemporal> {
  const { startTemporal } = await import('../../runtime/temporal-server.ts');
  const options = {
    cli: await obtainTemporalCli(() => undefined),
    dataDir: join(folder, 'temporal'),
    port: await anyFreePort(),
    uiPort: await anyFreePort(),
    namespace: 'default',
    logFile: join(folder, 'temporal.log'),
  };
  return startTemporal(options).catch((error: unknown) => {
    if (attempt === startAttempts) throw error;
    return startTemporalFor(folder, attempt + 1);
  });
}

/** Undoes everything the run has started, newest first. */
export async function closeTestRun(): Promise<void> {
  for (const close of closing.splice(0).toReversed()) await close();
}
