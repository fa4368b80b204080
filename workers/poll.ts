import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';

/** `more`: there is more to do at once; `some`: something was done; `none`: there was nothing. */
export type Found = 'more' | 'some' | 'none';

/** Work that is done again and again until it is stopped. */
export interface Loop {
  /** Resolves when the round under way has ended. */
  stop(): Promise<void>;
}

export interface LoopOptions {
  /** What is done, for the log. */
  name: string;
  log: Logger;
  /** Pause after a round, unless there is more to do at once. */
  pauseMilliseconds: number;
}

const longestAfterFailureMilliseconds = 10_000;

/** Starts doing `work`. A round that fails (PostgreSQL or Temporal away) is logged once, and tried again until it succeeds. */
export function poll(work: () => Promise<Found>, { name, log, pauseMilliseconds }: LoopOptions): Loop {
  const stopping = new AbortController();
  let wait = pauseMilliseconds;
  let failures = 0;

  async function round(): Promise<void> {
    try {
      const found = await work();
      if (failures > 0) log.info({ failures }, `${name}: works again`);
      failures = 0;
      wait = found === 'more' ? 0 : pauseMilliseconds;
    } catch (err) {
      failures += 1;
      if (failures === 1) log.warn({ err }, `${name}: failed, tried again until it works`);
      wait = Math.min(250 * 2 ** failures, longestAfterFailureMilliseconds);
    }
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await round();
      await pause(wait, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  const running = run();
  return {
    stop() {
      stopping.abort();
      return running;
    },
  };
}
