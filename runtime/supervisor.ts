import { setTimeout as sleep } from 'node:timers/promises';
import { describeExit } from './processes.ts';
import type { RunningProcess } from './processes.ts';

const firstPauseMilliseconds = 200;
const longestPauseMilliseconds = 10_000;
/** A child that ran this long before it died had started well: the next pause is the first one again. */
const healthyAfterMilliseconds = 30_000;

/** Starts a process, each time in the same place: same port, same state. */
export type Start<Process extends RunningProcess = RunningProcess> = () => Promise<Process> | Process;

export type Supervisor = {
  /** Starts a process and starts it again whenever it dies. Rejects when the first start fails, or once `stop` was called. */
  add: <Process extends RunningProcess>(name: string, start: Start<Process>) => Promise<Process>;
  /** In the order of their first start; one that has died keeps its number until it is started again. */
  processes: () => { name: string; pid: number }[];
  /** Stops them one after the other, newest first, each drained before the next; nothing is started again. */
  stop: () => Promise<void>;
};

type Child = {
  name: string;
  start: Start;
  starting: Promise<unknown>;
  pid: number;
  current?: RunningProcess;
  kept: Promise<void>;
};

/** Keeps processes running. `tell` hears in a line what happened; `onChange` is called when `processes()` has changed. */
export function createSupervisor({
  tell,
  onChange,
}: {
  tell: (line: string) => void;
  onChange: () => void;
}): Supervisor {
  const children: Child[] = [];
  const stopping = new AbortController();

  async function launch<Process extends RunningProcess>(child: Child, start: Start<Process>): Promise<Process> {
    const running = await start();
    child.current = running;
    child.pid = running.pid;
    onChange();
    return running;
  }

  async function keepRunning(child: Child): Promise<void> {
    let pause = firstPauseMilliseconds;
    while (child.current) {
      const startedAt = performance.now();
      const exit = await child.current.exited;
      delete child.current;
      if (performance.now() - startedAt > healthyAfterMilliseconds) pause = firstPauseMilliseconds;
      while (!child.current && !stopping.signal.aborted) {
        tell(`${child.name} ${describeExit(exit)}; starting it again`);
        await sleep(pause, undefined, { signal: stopping.signal }).catch(() => undefined);
        pause = Math.min(pause * 2, longestPauseMilliseconds);
        if (stopping.signal.aborted) return;
        child.starting = launch(child, child.start).catch((error: unknown) =>
          tell(error instanceof Error ? error.message : String(error)),
        );
        await child.starting;
      }
    }
  }

  return {
    async add(name, start) {
      if (stopping.signal.aborted) throw new Error(`${name} is not started: everything is being stopped.`);
      const child: Child = { name, start, starting: Promise.resolve(), pid: 0, kept: Promise.resolve() };
      children.push(child);
      const first = launch(child, start);
      child.starting = first.catch(() => undefined);
      const running = await first;
      child.kept = keepRunning(child);
      return running;
    },
    processes: () => children.filter(({ pid }) => pid > 0).map(({ name, pid }) => ({ name, pid })),
    async stop() {
      stopping.abort();
      for (const child of children.toReversed()) {
        // A start that is under way ends first, so that its process is stopped as well.
        await child.starting;
        await child.current?.stop();
        await child.kept;
      }
      children.length = 0;
    },
  };
}
