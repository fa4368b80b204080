import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';

const firstPauseMilliseconds = 250;
const longestPauseMilliseconds = 5_000;

/**
 * Tries until it works: a worker that is started before its servers waits for them. It logs the first failure, and when
 * it works in the end. Rejects with the signal's reason when it is stopped meanwhile.
 */
export async function untilItWorks<T>(
  what: string,
  attempt: () => Promise<T>,
  { log, signal }: { log: Logger; signal: AbortSignal },
): Promise<T> {
  let failures = 0;
  for (let wait = firstPauseMilliseconds; ; wait = Math.min(wait * 2, longestPauseMilliseconds)) {
    signal.throwIfAborted();
    try {
      const outcome = await attempt();
      if (failures > 0) log.info({ failures }, `${what} is there`);
      return outcome;
    } catch (err) {
      failures += 1;
      if (failures === 1) log.warn({ err }, `${what} is not there yet: tried again until it is`);
    }
    await pause(wait, undefined, { signal });
  }
}
