import { checkoutRoot } from './env.ts';
import { isSameProcess, stopProcess, waitUntil } from './processes.ts';
import { readRunState, removeRunState } from './run-state.ts';

/** Longer than a launcher takes to notice that npm was killed and to pass it on. */
const noticeWithinMilliseconds = 3_000;
const stopWithinMilliseconds = 90_000;

/**
 * Makes room for a new start in `dataDir`: waits for an earlier one that is stopping, and stops the processes that a killed
 * one has left. Throws when another start is running and stays.
 */
export async function makeRoom(dataDir: string, tell: (line: string) => void): Promise<void> {
  const earlier = readRunState(dataDir);
  // A copied checkout brings the state of another installation, which is none of ours.
  if (!earlier || earlier.checkout !== checkoutRoot) return;
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
  for (const left of (readRunState(dataDir)?.processes ?? []).toReversed()) {
    if (!isSameProcess(left)) continue;
    tell(`stopping ${left.name} (process ${left.pid}), which a killed start has left`);
    // PostgreSQL takes SIGINT as the fast shutdown; SIGTERM would let it wait for its clients.
    const polite = left.name === 'postgres' ? 'SIGINT' : 'SIGTERM';
    await stopProcess(left.pid, [
      { signal: polite, patienceMilliseconds: 30_000 },
      { signal: 'SIGKILL', patienceMilliseconds: 2_000 },
    ]);
  }
  removeRunState(dataDir);
}
