import { spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a process ended: exactly one of the two is set, unless it could not be started at all. */
export type Exit = { code: number | null; signal: NodeJS.Signals | null };

/** A process that runs: what the supervisor needs to know of a child, whoever started it. */
export type RunningProcess = {
  pid: number;
  /** Settles when the process is gone. */
  exited: Promise<Exit>;
  /** Asks it to finish its work and waits, forcing it after a bound. */
  stop: () => Promise<void>;
};

/** A signal, and how long to wait for the process to go before the next one. */
export type StopStep = { signal: NodeJS.Signals; patienceMilliseconds: number };

/** One entry of `.data/run.json`: enough to recognise a process, although its number may have been given to another. */
export type ProcessIdentity = { pid: number; startedAt: string };

/** Whether a process with this number exists (another user's counts too; a zombie does not). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return linuxStat(pid)?.state !== 'Z';
}

/** A text that differs between two processes with the same number, or undefined when there is none with it. */
export function startOf(pid: number): string | undefined {
  return linuxStat(pid)?.startTicks ?? ps(pid, 'lstart');
}

/** The command line of a process, or '' when it is gone. */
export function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return ps(pid, 'command') ?? '';
  }
}

/** The identity to record for a process that runs now. */
export function identityOf(pid: number): ProcessIdentity {
  return { pid, startedAt: startOf(pid) ?? '' };
}

/** Whether the recorded process is still the one that runs under its number. */
export function isSameProcess({ pid, startedAt }: ProcessIdentity): boolean {
  return isAlive(pid) && startOf(pid) === startedAt;
}

/** Settles with the exit of a child; a child that never started counts as code 127. */
export function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((settle) => {
    child.once('exit', (code, signal) => settle({ code, signal }));
    child.once('error', () => {
      if (child.pid === undefined) settle({ code: 127, signal: null });
    });
  });
}

/** Sends each signal in turn until the process is gone; true when it went. A process that is gone already is fine. */
export async function stopProcess(pid: number, steps: readonly StopStep[]): Promise<boolean> {
  for (const { signal, patienceMilliseconds } of steps) {
    if (!isAlive(pid)) return true;
    try {
      process.kill(pid, signal);
    } catch {
      return !isAlive(pid);
    }
    if (await waitUntil(() => !isAlive(pid), patienceMilliseconds)) return true;
  }
  return !isAlive(pid);
}

/** Asks `condition` again and again; true as soon as it holds, false when `limitMilliseconds` have passed. */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  limitMilliseconds: number,
  pauseMilliseconds = 50,
): Promise<boolean> {
  const deadline = performance.now() + limitMilliseconds;
  while (!(await condition())) {
    if (performance.now() >= deadline) return false;
    await sleep(pauseMilliseconds);
  }
  return true;
}

/** "exited with code 1" or "was killed by SIGKILL". */
export function describeExit({ code, signal }: Exit): string {
  return signal ? `was ended by ${signal}` : `exited with code ${code}`;
}

/** Fields 3 and 22 of /proc/PID/stat; the second field may hold blanks and brackets, so the text is read from its end. */
function linuxStat(pid: number): { state: string; startTicks: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startTicks] = [fields[0], fields[19]];
    return state && startTicks ? { state, startTicks } : undefined;
  } catch {
    return undefined;
  }
}

function ps(pid: number, column: 'lstart' | 'command'): string | undefined {
  const { stdout, status } = spawnSync('ps', ['-o', `${column}=`, '-p', String(pid)], { encoding: 'utf8' });
  return status === 0 && stdout.trim() ? stdout.trim() : undefined;
}
