import { spawn } from 'node:child_process';
import { afterEach, describe, expect, it } from '@jest/globals';
import { exitOf, isAlive, stopProcess, waitUntil } from '../../runtime/processes.ts';
import type { RunningProcess } from '../../runtime/processes.ts';
import { createSupervisor } from '../../runtime/supervisor.ts';

const told: string[] = [];
const stopped: string[] = [];
let supervisor = createSupervisor({ tell: (line) => told.push(line), onChange: () => undefined });

afterEach(async () => {
  await supervisor.stop();
  told.length = stopped.length = 0;
  supervisor = createSupervisor({ tell: (line) => told.push(line), onChange: () => undefined });
});

/** A real process that does nothing until it is told to go. */
function sleeper(name: string): RunningProcess {
  const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
  const exited = exitOf(child);
  const pid = child.pid ?? 0;
  return {
    pid,
    exited,
    stop: async () => {
      await stopProcess(pid, [{ signal: 'SIGTERM', patienceMilliseconds: 2_000 }]);
      stopped.push(name);
      await exited;
    },
  };
}

const pidOf = (name: string) => supervisor.processes().find((each) => each.name === name)?.pid ?? 0;

describe('the supervisor', () => {
  it('starts a killed process again, and says why', async () => {
    const { pid } = await supervisor.add('temporal', () => sleeper('temporal'));
    process.kill(pid, 'SIGKILL');
    expect(await waitUntil(() => pidOf('temporal') > 0 && pidOf('temporal') !== pid, 5_000)).toBe(true);
    expect(isAlive(pidOf('temporal'))).toBe(true);
    expect(told).toEqual(['temporal was ended by SIGKILL; starting it again']);
  });

  it('keeps trying when a process cannot be started again', async () => {
    let starts = 0;
    let missing: unknown;
    const { pid } = await supervisor.add('postgres', () => {
      starts++;
      if (starts === 2) {
        missing = supervisor.processes();
        throw new Error('the disk is full');
      }
      return sleeper('postgres');
    });
    process.kill(pid, 'SIGKILL');
    expect(await waitUntil(() => starts === 3 && pidOf('postgres') > 0, 5_000)).toBe(true);
    expect(told).toContain('the disk is full');
    // Whoever asks for the state meanwhile must see that one process is not there, not that there is none.
    expect(missing).toEqual([{ name: 'postgres', pid }]);
  });

  it('stops newest first, and starts nothing again', async () => {
    for (const name of ['postgres', 'temporal', 'worker', 'api']) await supervisor.add(name, () => sleeper(name));
    const pids = supervisor.processes().map(({ pid }) => pid);
    await supervisor.stop();
    expect(stopped).toEqual(['api', 'worker', 'temporal', 'postgres']);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(supervisor.processes()).toEqual([]);
  });

  it('also stops a process whose start was still under way', async () => {
    let open: () => void = () => undefined;
    const gate = new Promise<void>((settle) => (open = settle));
    const adding = supervisor.add('temporal', async () => {
      await gate;
      return sleeper('temporal');
    });
    const stopping = supervisor.stop();
    open();
    const { pid } = await adding;
    await stopping;
    expect(isAlive(pid)).toBe(false);
  });

  it('refuses to start anything once it stops', async () => {
    await supervisor.stop();
    await expect(supervisor.add('api', () => sleeper('api'))).rejects.toThrow('being stopped');
  });
});
