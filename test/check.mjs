/**
 * What `npm run check` runs: everything about the sources that needs no test. All checks run, whatever the first ones
 * say; a failed one shows what it printed. The last line is plain: `N passed, N failed`.
 */
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';

const checks = {
  types: ['tsc', '--project', '.'],
  lint: ['oxlint'],
  'dead code': ['knip'],
  formatting: ['prettier', '--check', '--log-level', 'warn', '.'],
  docs: ['node', 'docs/generate.ts', '--check'],
  migrations: ['node', 'test/checks/migrations.ts'],
};

const root = dirname(import.meta.dirname);
let failed = 0;
for (const [name, [command, ...args]] of Object.entries(checks)) {
  const startedAt = performance.now();
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  process.stdout.write(`${status === 0 ? 'passed' : 'FAILED'}  ${name} (${seconds} s)\n`);
  if (status === 0) continue;
  failed += 1;
  process.stdout.write(`${error?.message ?? ''}${stdout}${stderr}\n`);
}
process.stdout.write(`${Object.keys(checks).length - failed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
