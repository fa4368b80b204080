import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { checkoutRoot } from '../../runtime/env.ts';
import { anyFreePort } from '../../runtime/ports.ts';
import { exitOf, identityOf } from '../../runtime/processes.ts';
import { noAddresses, readRunState, writeRunState } from '../../runtime/run-state.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'crm-status-'));
const worker = spawn('sleep', ['60'], { stdio: 'ignore' });
let readyzStatus = 200;
const api = createServer((_request, response) => response.writeHead(readyzStatus).end());

beforeAll(async () => {
  const port = await anyFreePort();
  await new Promise<void>((settle) => api.listen(port, '127.0.0.1', settle));
  writeRunState(dataDir, {
    ...noAddresses,
    checkout: checkoutRoot,
    phase: 'ready',
    supervisor: identityOf(process.pid),
    api: `http://127.0.0.1:${port}`,
    processes: [{ name: 'worker', ...identityOf(worker.pid ?? 0) }],
  });
});
afterAll(async () => {
  worker.kill();
  await new Promise((settle) => api.close(settle));
  rmSync(dataDir, { recursive: true });
});

/** The command itself, as a script calls it; asynchronous, because this process plays the API. */
async function status(folder: string): Promise<{ exitCode: number | null; answer: Record<string, unknown> }> {
  const command = spawn(process.execPath, [join(checkoutRoot, 'cli', 'main.ts'), 'status', '--json'], {
    env: { ...process.env, NODE_OPTIONS: '', DATA_DIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  command.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const { code } = await exitOf(command);
  return { exitCode: code, answer: JSON.parse(output) as Record<string, unknown> };
}

describe('crm status --json', () => {
  const keys = [
    'ready',
    'api',
    'apiReference',
    'temporalUi',
    'temporalAddress',
    'temporalNamespace',
    'temporalCli',
    'databaseUrl',
    'mail',
    'supportMailbox',
    'processes',
  ];

  it('exits 3 with the whole contract when nothing runs', async () => {
    const { exitCode, answer } = await status(join(dataDir, 'nothing-here'));
    expect(exitCode).toBe(3);
    expect(new Set(Object.keys(answer))).toEqual(new Set(keys));
    expect(answer).toMatchObject({ ready: false, processes: [] });
  });

  it('exits 0 when everything lives and the API is ready', async () => {
    const { exitCode, answer } = await status(dataDir);
    expect(exitCode).toBe(0);
    expect(new Set(Object.keys(answer))).toEqual(new Set(keys));
    expect(answer).toMatchObject({ ready: true, processes: [{ name: 'worker', pid: worker.pid }] });
  });

  it('exits 3 while the API is not ready', async () => {
    readyzStatus = 503;
    expect(await status(dataDir)).toMatchObject({ exitCode: 3, answer: { ready: false } });
    readyzStatus = 200;
  });

  it('exits 3 when a process is gone', async () => {
    worker.kill('SIGKILL');
    await exitOf(worker);
    expect(await status(dataDir)).toMatchObject({ exitCode: 3, answer: { ready: false, processes: [] } });
  });

  it('exits 3 when the process that wrote the state is gone, whoever has its number now', async () => {
    const state = readRunState(dataDir);
    if (!state) throw new Error('the state is missing');
    writeRunState(dataDir, { ...state, supervisor: { pid: process.pid, startedAt: 'long ago' } });
    expect(await status(dataDir)).toMatchObject({ exitCode: 3, answer: { ready: false, api: null } });
  });
});
