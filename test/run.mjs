/**
 * What `npm test [-- pattern…]` runs: Jest with this repository's configuration, everything after `--` handed on.
 * The whole suite (no argument) also measures coverage and holds it to the thresholds of jest.config.mjs.
 * The last line is plain: `N passed, N failed` (a missed threshold or a run cut short counts as one failure).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const forwarded = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'crm-test-'));
const tally = join(folder, 'tally.json');

const jest = spawn(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    createRequire(import.meta.url).resolve('jest/bin/jest'),
    '--config',
    join(import.meta.dirname, 'jest.config.mjs'),
    '--json',
    `--outputFile=${tally}`,
    ...(forwarded.length === 0 ? ['--coverage'] : forwarded),
  ],
  { stdio: 'inherit', env: { ...process.env, TZ: 'UTC' } },
);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => jest.kill('SIGTERM'));
const [status] = await once(jest, 'exit');

const { passed, failed } = readTally();
rmSync(folder, { recursive: true, force: true });
process.stdout.write(`${passed} passed, ${status === 0 ? failed : Math.max(failed, 1)} failed\n`);
process.exit(status ?? 1);

function readTally() {
  try {
    const result = JSON.parse(readFileSync(tally, 'utf8'));
    return { passed: result.numPassedTests, failed: result.numFailedTests + result.numRuntimeErrorTestSuites };
  } catch {
    return { passed: 0, failed: 1 };
  }
}
