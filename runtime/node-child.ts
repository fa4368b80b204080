import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { checkoutRoot, childVariables } from './env.ts';
import type { Variables } from './env.ts';
import { withLogFile } from './logs.ts';
import { exitOf, stopProcess } from './processes.ts';
import type { RunningProcess, StopStep } from './processes.ts';

/** Longer than the drain of `onShutdown`, so that force is the exception. */
const stopSteps: readonly StopStep[] = [
  { signal: 'SIGTERM', patienceMilliseconds: 30_000 },
  { signal: 'SIGKILL', patienceMilliseconds: 2_000 },
];

/**
 * Starts a script of the checkout (api/main.ts) under this Node, in a process group of its own: Ctrl-C reaches it only
 * through us, in its turn. An IPC channel tells it when we are killed. Its output goes to a file, which needs nobody to read it.
 */
export function startNodeChild(options: { script: string; variables: Variables; logFile: string }): RunningProcess {
  const child = withLogFile(options.logFile, (log) =>
    spawn(process.execPath, [join(checkoutRoot, options.script)], {
      cwd: checkoutRoot,
      detached: true,
      stdio: ['ignore', log, log, 'ipc'],
      env: childVariables(options.variables),
    }),
  );
  const pid = child.pid ?? 0;
  const exited = exitOf(child);
  return {
    pid,
    exited,
    stop: async () => {
      if (pid > 0) await stopProcess(pid, stopSteps);
      await exited;
    },
  };
}
