import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';

const firstPauseMilliseconds = 250;
const longestPauseMilliseconds = 5_000;

/**
 * Tries until it works: a worker that is started before its servers waits for them, and says so once for each pause.
 * Rejects with the signal's reason when it is stopped meanwhile.
 */
export async function untilItWorks<T>(
  what: string,
  attempt: () => Promise<T>,
  { log, signal }: { log: Logger; signal: AbortSignal },
): Promise<T> {
  for (let wait = firstPauseMilliseconds; ; wait = Math.min(wait * 2, longestPauseMilliseconds)) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (err) {
      log.warn({ err, retryInMilliseconds: wait }, `${what} is not there yet: trying again`);
    }
    await pause(wait, undefined, { signal });
  }
}
