import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { checkoutRoot } from './env.ts';
import { isSameProcess, stopProcess, waitUntil } from './processes.ts';
import { readRunState, removeRunState } from './run-state.ts';
import type { RunState } from './run-state.ts';

/** Longer than a launcher takes to notice that npm was killed and to pass it on. */
const noticeWithinMilliseconds = 3_000;
const stopWithinMilliseconds = 90_000;
/** SQLITE_BUSY: another process has the lock. */
const busy = 5;

/**
 * Makes room for a new start in `dataDir`: waits for an earlier one that is stopping, and stops the processes that a killed
 * one has left. Throws when another start is running and stays. The data directory is this process's own until it calls what
 * is returned, or ends.
 */
export async function makeRoom(dataDir: string, tell: (line: string) => void): Promise<() => void> {
  const earlier = readRunState(dataDir);
  // A copied checkout brings the state of another installation, which is none of ours.
  if (earlier?.checkout === checkoutRoot) await untilItHasEnded(dataDir, earlier, tell);
  const release = claim(dataDir);
  const left = readRunState(dataDir);
  if (left?.checkout === checkoutRoot) await stopLeftOver(left, tell);
  removeRunState(dataDir);
  return release;
}

/**
 * Holds a lock of the operating system, which goes with this process, however that ends: of two starts at once, and of two
 * that come upon the same killed one, the second is refused. SQLite is Node's only way to such a lock.
 */
function claim(dataDir: string): () => void {
  mkdirSync(dataDir, { recursive: true });
  const lock = new DatabaseSync(join(dataDir, 'start.lock'));
  try {
    lock.exec('begin exclusive');
  } catch (error) {
    lock.close();
    if ((error as { errcode?: number }).errcode !== busy) throw error;
    throw new Error(`Another start is under way in ${dataDir}: see \`npx crm status\`.`);
  }
  return () => lock.close();
}

async function untilItHasEnded(dataDir: string, earlier: RunState, tell: (line: string) => void): Promise<void> {
  const runs = () => isSameProcess(earlier.supervisor);
  const isStopping = () => readRunState(dataDir)?.phase === 'stopping';
  if (runs()) {
    await waitUntil(() => !runs() || isStopping(), noticeWithinMilliseconds);
    if (runs() && isStopping()) {
      tell('waiting for the earlier start to stop');
      await waitUntil(() => !runs(), stopWithinMilliseconds);
    }
    if (runs()) {
      throw new Error(
        `It is already running (process ${earlier.supervisor.pid}${earlier.api ? `, ${earlier.api}` : ''}): see \`npx crm status\`. ` +
          `To stop it, press Ctrl-C where it was started, or \`kill ${earlier.supervisor.pid}\`.`,
      );
    }
  }
}

async function stopLeftOver({ processes }: RunState, tell: (line: string) => void): Promise<void> {
  for (const left of processes.toReversed()) {
    if (!isSameProcess(left)) continue;
    tell(`stopping ${left.name} (process ${left.pid}), which a killed start has left`);
    // PostgreSQL takes SIGINT as the fast shutdown; SIGTERM would let it wait for its clients.
    const polite = left.name === 'postgres' ? 'SIGINT' : 'SIGTERM';
    await stopProcess(left.pid, [
      { signal: polite, patienceMilliseconds: 30_000 },
      { signal: 'SIGKILL', patienceMilliseconds: 2_000 },
    ]);
  }
}
