import { obtainTemporalCli } from '../../runtime/temporal-cli.ts';
import { obtainTestServer } from '../../runtime/test-server.ts';
import { closeTestRun, openTestRun } from './test-run.ts';

/**
 * Before the first test: fetches the executables (once in a machine's life, so no test waits for it) and offers the
 * servers of the run, which start when a test first asks. A failed fetch fails only the tests that need the executable.
 */
export default async function globalSetup({ collectCoverage }: { collectCoverage: boolean }): Promise<void> {
  for (const obtain of [obtainTemporalCli, obtainTestServer]) {
    await obtain((line) => process.stderr.write(`${line}\n`)).catch((error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
    });
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void closeTestRun().finally(() => process.exit(1)));
  }
  process.env['CRM_TEST_SERVERS'] = await openTestRun({ coverage: collectCoverage });
}
