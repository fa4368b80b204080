import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { childVariables } from './env.ts';
import { tailOf, withLogFile } from './logs.ts';
import { describeExit, exitOf, identityOf, isSameProcess, stopProcess, waitUntil } from './processes.ts';
import type { ProcessIdentity, RunningProcess, StopStep } from './processes.ts';
import { channelArgsFor } from './temporal-channel.ts';
import { readStateFile, writeStateFile } from './state-file.ts';

/** A Temporal dev server that serves its namespace. */
export type RunningTemporal = RunningProcess & { address: string };

const stopSteps: readonly StopStep[] = [
  { signal: 'SIGTERM', patienceMilliseconds: 10_000 },
  { signal: 'SIGKILL', patienceMilliseconds: 2_000 },
];

/**
 * The dev server has one shard, and the default limits let a shard be polled 20 times a second; FULL survives a power cut,
 * NORMAL would be 15 % faster and lose the last commits.
 */
const tuning = [
  ...[
    'transferProcessorMaxPollRPS',
    'transferProcessorMaxPollHostRPS',
    'timerProcessorMaxPollRPS',
    'timerProcessorMaxPollHostRPS',
  ].flatMap((name) => ['--dynamic-config-value', `history.${name}=10000`]),
  ...['journal_mode=WAL', 'synchronous=FULL'].flatMap((pragma) => ['--sqlite-pragma', pragma]),
];

/**
 * Half the processors: PostgreSQL, the worker and the API share the machine, and threads of Go that look for work take
 * theirs away. With two processors the server spends less for the same work, and the slowest captures take half the time
 * (docs/decisions.md).
 */
const share = { GOMAXPROCS: String(Math.max(1, Math.floor(availableParallelism() / 2))) };

/**
 * Starts the tuned Temporal dev server on loopback, with UI and with its state in a file below `dataDir`, in a process group of
 * its own, and waits until `namespace` can be used. Throws with the end of its log when it does not come up within a minute.
 */
export async function startTemporal(options: {
  cli: string;
  dataDir: string;
  port: number;
  uiPort: number;
  namespace: string;
  logFile: string;
}): Promise<RunningTemporal> {
  const { cli, dataDir, port, uiPort, namespace, logFile } = options;
  mkdirSync(dataDir, { recursive: true });
  const processFile = join(dataDir, 'process.json');
  await clearAway(processFile);
  const ports = ['--ip', '127.0.0.1', '--port', String(port), '--ui-port', String(uiPort)];
  const server = withLogFile(logFile, (log) =>
    spawn(
      cli,
      [
        'server',
        'start-dev',
        ...ports,
        '--namespace',
        namespace,
        // By itself: the server reads a path as a URL, where `#`, `?` and `%` mean something else.
        '--db-filename',
        'temporal.db',
        '--log-level',
        'warn',
        ...tuning,
      ],
      { cwd: dataDir, env: childVariables(share), detached: true, stdio: ['ignore', log, log] },
    ),
  );
  const pid = server.pid ?? 0;
  const exited = exitOf(server);
  const address = `127.0.0.1:${port}`;
  const running: RunningTemporal = {
    pid,
    address,
    exited,
    stop: async () => {
      if (pid > 0) await stopProcess(pid, stopSteps);
      await exited;
    },
  };
  try {
    writeStateFile(processFile, identityOf(pid));
  } catch (error) {
    // Nobody could find it again.
    await running.stop();
    throw error;
  }
  const ended = await Promise.race([exited, untilItServes(address, namespace)]);
  if (ended === 'serves') return running;
  await running.stop();
  throw new Error(
    `Temporal did not start: it ${ended === 'silent' ? 'does not answer' : describeExit(ended)}. The end of ${logFile}:\n${tailOf(logFile, 15)}`,
  );
}

/** Two servers on one file would ruin it: stops the one that a killed start has left. */
async function clearAway(processFile: string): Promise<void> {
  const earlier = readStateFile<ProcessIdentity>(processFile);
  if (earlier && isSameProcess(earlier) && !(await stopProcess(earlier.pid, stopSteps))) {
    throw new Error(`Temporal (process ${earlier.pid}) still runs with this state and cannot be stopped.`);
  }
}

async function untilItServes(address: string, namespace: string): Promise<'serves' | 'silent'> {
  const serves = await waitUntil(async () => {
    try {
      const connection = await Connection.connect({
        address,
        connectTimeout: 1_000,
        channelArgs: channelArgsFor(address),
      });
      try {
        const ask = () => connection.workflowService.describeNamespace({ namespace });
        await connection.withDeadline(Date.now() + 1_000, ask);
        return true;
      } finally {
        await connection.close();
      }
    } catch {
      return false;
    }
  }, 60_000);
  return serves ? 'serves' : 'silent';
}
