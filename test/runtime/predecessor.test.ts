import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { checkoutRoot } from '../../runtime/env.ts';
import { makeRoom } from '../../runtime/predecessor.ts';
import { identityOf, isAlive } from '../../runtime/processes.ts';
import { noAddresses, readRunState, writeRunState } from '../../runtime/run-state.ts';
import type { RunState } from '../../runtime/run-state.ts';

let dataDir: string;
let sleepers: ChildProcess[];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'crm-predecessor-'));
  sleepers = [];
});
afterEach(() => {
  for (const sleeper of sleepers) sleeper.kill('SIGKILL');
  rmSync(dataDir, { recursive: true });
});

function sleeper(): number {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  sleepers.push(child);
  return child.pid ?? 0;
}

function leave(state: Partial<RunState>): void {
  const gone = { pid: process.pid, startedAt: 'before this one' };
  writeRunState(dataDir, {
    ...noAddresses,
    checkout: checkoutRoot,
    phase: 'ready',
    supervisor: gone,
    processes: [],
    ...state,
  });
}

describe('making room for a start', () => {
  it('has nothing to do in a new data directory', async () => {
    (await makeRoom(dataDir, () => undefined))();
  });

  it('stops what a killed start has left, and forgets it', async () => {
    const [postgres, temporal] = [sleeper(), sleeper()];
    leave({
      processes: [
        { name: 'postgres', ...identityOf(postgres) },
        { name: 'temporal', ...identityOf(temporal) },
      ],
    });
    const told: string[] = [];
    const release = await makeRoom(dataDir, (line) => told.push(line));
    release();
    expect([postgres, temporal].filter(isAlive)).toEqual([]);
    expect(told.map((line) => line.split(' ')[1])).toEqual(['temporal', 'postgres']);
    expect(readRunState(dataDir)).toBeUndefined();
  });

  it.each(['', '{"checkout": "/', '\0\0\0\0'])(
    'is not hindered by a record that reads %j after a power cut',
    async (left) => {
      writeFileSync(join(dataDir, 'run.json'), left);
      (await makeRoom(dataDir, () => undefined))();
    },
  );

  it('spares a process that was given the number of one that is gone', async () => {
    const other = sleeper();
    leave({ processes: [{ name: 'postgres', pid: other, startedAt: 'before this one' }] });
    (await makeRoom(dataDir, () => undefined))();
    expect(isAlive(other)).toBe(true);
  });

  it('spares what belongs to the checkout that this one was copied from', async () => {
    const other = sleeper();
    leave({ checkout: '/somewhere/else', processes: [{ name: 'postgres', ...identityOf(other) }] });
    (await makeRoom(dataDir, () => undefined))();
    expect(isAlive(other)).toBe(true);
  });

  it('refuses while another start is running', async () => {
    const supervisor = sleeper();
    leave({ supervisor: identityOf(supervisor), api: 'http://127.0.0.1:3000' });
    await expect(makeRoom(dataDir, () => undefined)).rejects.toThrow(
      `already running (process ${supervisor}, http://127.0.0.1:3000)`,
    );
  });

  it('refuses while another start is under way, and no longer', async () => {
    leave({});
    const release = await makeRoom(dataDir, () => undefined);
    await expect(makeRoom(dataDir, () => undefined)).rejects.toThrow('Another start is under way');
    release();
    (await makeRoom(dataDir, () => undefined))();
  });

  it('waits for one that is stopping', async () => {
    leave({ supervisor: identityOf(sleeper()), phase: 'stopping' });
    setTimeout(() => sleepers[0]?.kill('SIGKILL'), 500);
    const told: string[] = [];
    const release = await makeRoom(dataDir, (line) => told.push(line));
    release();
    expect(told).toEqual(['waiting for the earlier start to stop']);
  });
});
