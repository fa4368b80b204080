import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
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

/** An npm that takes its time over an installation, notes it, and fails when another one is at work. */
const slowNpm = `
  const { mkdirSync, rmdirSync, appendFileSync, symlinkSync, writeFileSync } = require('node:fs');
  mkdirSync('busy');
  appendFileSync('installations', 'x');
  setTimeout(() => {
    mkdirSync('node_modules/node/bin', { recursive: true });
    symlinkSync(process.execPath, 'node_modules/node/bin/node');
    writeFileSync('node_modules/.package-lock.json', '{"packages": {}}');
    rmdirSync('busy');
  }, 500);`;

/** A launcher that has the number of a command that was killed and left its lock: in containers numbers come again. */
const sameNumber = `
  import { writeFileSync } from 'node:fs';
  writeFileSync('.installing', String(process.pid));`;

/** A launcher that finds the lock of a command that was killed, and another command takes it while it looks. */
const overtaken = `
  import fs from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  const { readFileSync } = fs;
  const killed = '999999999';
  fs.readFileSync = (path, ...how) => {
    const text = readFileSync(path, ...how);
    if (String(path).endsWith('.installing') && text === killed) fs.writeFileSync(path, String(process.ppid));
    return text;
  };
  syncBuiltinESMExports();
  fs.writeFileSync('.installing', killed);`;

describe('a checkout without dependencies', () => {
  let checkout: string;
  beforeEach(() => {
    checkout = mkdtempSync(join(folder, 'checkout-'));
    mkdirSync(join(checkout, 'runtime'));
    copyFileSync(join(checkoutRoot, 'runtime', 'setup.mjs'), join(checkout, 'runtime', 'setup.mjs'));
    writeFileSync(join(checkout, 'package-lock.json'), '{"packages": {}}');
    writeFileSync(join(checkout, 'program.mjs'), `process.stdout.write('ran ' + process.argv[2]);`);
    writeFileSync(join(folder, 'npm.js'), slowNpm);
  });

  /** Runs the program in the checkout; `before` is what happens in the launcher before it begins. */
  function launcher(place: number, before = '') {
    writeFileSync(join(checkout, 'before.mjs'), before);
    const child = spawn(
      process.execPath,
      ['--import', './before.mjs', 'runtime/setup.mjs', 'program.mjs', String(place)],
      {
        cwd: checkout,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, NODE_OPTIONS: '', npm_lifecycle_event: '', npm_execpath: join(folder, 'npm.js') },
      },
    );
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += String(chunk)));
    const ended = exitOf(child).then(({ code }) => ({ code, output }));
    return { child, ended, output: () => output };
  }
  const installations = () => readFileSync(join(checkout, 'installations'), 'utf8');

  it('installs them once for all commands that begin at once, also after one that was killed meanwhile', async () => {
    const killed = spawn(process.execPath, ['-e', '']);
    await exitOf(killed);
    writeFileSync(join(checkout, '.installing'), String(killed.pid));

    const ended = await Promise.all([1, 2, 3].map((place) => launcher(place).ended));
    for (const [index, { code, output }] of ended.entries())
      expect([code, output]).toEqual([0, expect.stringContaining(`ran ${index + 1}`)]);
    expect(installations()).toBe('x');
    expect(ended.filter(({ output }) => output.includes('Another command is installing'))).toHaveLength(2);
  });

  it('does not wait for itself when a killed command had its number', async () => {
    const { child, ended, output } = launcher(1, sameNumber);
    await waitUntil(() => output().includes('ran 1') || output().includes('Another command'), 10_000);
    child.kill('SIGKILL');
    await ended;
    expect(output()).toContain('ran 1');
  });

  it('leaves the lock to another command that took it while the one of a killed command was looked at', async () => {
    const { ended, output } = launcher(1, overtaken);
    await waitUntil(() => output().includes('ran 1') || output().includes('Another command'), 10_000);
    rmSync(join(checkout, '.installing'), { force: true });
    expect(await ended).toEqual({ code: 0, output: expect.stringContaining('Another command is installing') });
    expect(installations()).toBe('x');
  });
});
