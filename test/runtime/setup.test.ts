import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { checkoutRoot } from '../../runtime/env.ts';
import { exitOf, isAlive, waitUntil } from '../../runtime/processes.ts';

const folder = mkdtempSync(join(tmpdir(), 'crm-setup-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a program as the npm scripts do. */
function launch(source: string, ...args: string[]) {
  const file = join(folder, `${Math.random()}.mjs`);
  writeFileSync(file, source);
  const child = spawn(
    process.execPath,
    [join(checkoutRoot, 'runtime', 'setup.mjs'), relative(checkoutRoot, file), ...args],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '', npm_lifecycle_event: '' },
    },
  );
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { child, output: () => output };
}

describe('the launcher of the npm scripts', () => {
  it('runs a file under Node 24 with its arguments, and keeps its exit code', async () => {
    const { child, output } = launch(
      `process.stdout.write(process.version + ' ' + process.argv.slice(2).join(' ')); process.exit(7);`,
      'a',
      'b c',
    );
    expect(await exitOf(child)).toEqual({ code: 7, signal: null });
    expect(output()).toMatch(/^v24\.\d+\.\d+ a b c$/);
  });

  it('passes a signal on, and waits for the answer', async () => {
    const { child } = launch(
      `process.on('SIGTERM', () => process.exit(5)); setInterval(() => undefined, 1_000); process.stdout.write('up');`,
    );
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect(await exitOf(child)).toEqual({ code: 5, signal: null });
  });

  it('is missed by what it runs when it is killed', async () => {
    const { child, output } = launch(
      `process.on('disconnect', () => process.exit(0)); setInterval(() => undefined, 1_000); process.stdout.write(String(process.pid));`,
    );
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    expect(await waitUntil(() => !isAlive(Number(output())), 5_000)).toBe(true);
  });
});
