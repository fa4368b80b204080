import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { anyFreePort, isPortFree } from '../../runtime/ports.ts';
import { isAlive } from '../../runtime/processes.ts';
import { hasRecentServer, obtainTemporalCli } from '../../runtime/temporal-cli.ts';
import { startTemporal } from '../../runtime/temporal-server.ts';
import type { RunningTemporal } from '../../runtime/temporal-server.ts';

// As in ~/c#/100 % über.
const folder = mkdtempSync(join(tmpdir(), 'crm-temporal # %41 ü '));
let port: number;
let uiPort: number;
let temporal: RunningTemporal;

async function start(): Promise<RunningTemporal> {
  const cli = await obtainTemporalCli(() => undefined);
  return startTemporal({
    cli,
    dataDir: join(folder, 'state'),
    port,
    uiPort,
    namespace: 'default',
    logFile: join(folder, 'temporal.log'),
  });
}

beforeAll(async () => {
  [port, uiPort] = [await anyFreePort(), await anyFreePort()];
  temporal = await start();
}, 120_000);
afterAll(async () => {
  await temporal.stop();
  rmSync(folder, { recursive: true });
});

async function withClient<Result>(work: (client: Client) => Promise<Result>): Promise<Result> {
  const connection = await Connection.connect({ address: temporal.address });
  try {
    return await work(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

const startOne = (workflowId: string) =>
  withClient((client) => client.workflow.start('waits', { workflowId, taskQueue: 'nobody' }));
const statusOf = (workflowId: string) =>
  withClient(async (client) => (await client.workflow.getHandle(workflowId).describe()).status.name);

describe('the Temporal dev server', () => {
  it('serves its namespace and its UI', async () => {
    await startOne('first');
    expect(await statusOf('first')).toBe('RUNNING');
    expect((await fetch(`http://127.0.0.1:${uiPort}/`)).status).toBe(200);
  });

  it('has its state in its own folder, whatever that is called', () => {
    expect(existsSync(join(folder, 'state', 'temporal.db'))).toBe(true);
  });

  it('leaves half of the processors to the rest of the product', () => {
    const variables = readFileSync(`/proc/${temporal.pid}/environ`, 'utf8').split('\0');
    expect(variables).toContain(`GOMAXPROCS=${Math.max(1, Math.floor(availableParallelism() / 2))}`);
  });

  it('comes back after it was killed, on its port and with its state', async () => {
    process.kill(temporal.pid, 'SIGKILL');
    await temporal.exited;
    temporal = await start();
    expect(await statusOf('first')).toBe('RUNNING');
  });

  it('replaces a server that a killed start has left with the same state', async () => {
    const orphan = temporal;
    temporal = await start();
    expect(isAlive(orphan.pid)).toBe(false);
    expect(await statusOf('first')).toBe('RUNNING');
  });

  it('is reached past the proxy that the environment names', async () => {
    await temporal.stop();
    process.env['http_proxy'] = 'http://127.0.0.1:1';
    try {
      temporal = await start();
    } finally {
      delete process.env['http_proxy'];
    }
    expect(await statusOf('first')).toBe('RUNNING');
  }, 120_000);

  it('comes up again when a power cut has left its record half-written', async () => {
    await temporal.stop();
    writeFileSync(join(folder, 'state', 'process.json'), '{"pid": 1');
    temporal = await start();
    expect(await statusOf('first')).toBe('RUNNING');
  });

  it('does not stay behind when its record cannot be written, since the disk is full', async () => {
    await temporal.stop();
    mkdirSync(join(folder, 'state', 'process.json.draft'));
    await expect(start()).rejects.toThrow('EISDIR');
    expect(await isPortFree(port)).toBe(true);
    rmSync(join(folder, 'state', 'process.json.draft'), { recursive: true });
    temporal = await start();
  });
});

describe('a `temporal` on PATH', () => {
  it.each([
    ['temporal version 1.8.2 (Server 1.31.2, UI 2.50.1)', true],
    ['temporal version 0.0.0-DEV (Server 1.31.0, UI 2.50.1)', true],
    ['temporal version 2.0.0 (Server 2.0.0, UI 3.0.0)', true],
    ['temporal version 1.5.1 (Server 1.30.12, UI 2.44.0)', false],
    ['temporal version 1.1.0', false],
  ])('"%s": good enough %s', (text, expected) => {
    expect(hasRecentServer(text)).toBe(expected);
  });
});
