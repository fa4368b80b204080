import { tailOf } from './logs.ts';
import { waitUntil } from './processes.ts';

const readyWithinMilliseconds = 120_000;
const pauseMilliseconds = 250;

/** Whether the API at `url` says that it, the database, Temporal and a worker work together; with its words when not. */
export async function askReadiness(url: string): Promise<{ ready: boolean; detail: string }> {
  try {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5_000) });
    return { ready: answer.status === 200, detail: await answer.text() };
  } catch (error) {
    return {
      ready: false,
      detail: `The API does not answer at ${url} (${error instanceof Error ? error.message : String(error)}).`,
    };
  }
}

/** Waits until the API is ready, at most two minutes; then throws with what it said and the ends of the log files. */
export async function waitUntilReady(url: string, logFiles: readonly string[]): Promise<void> {
  let last = '';
  const ready = await waitUntil(
    async () => {
      const answer = await askReadiness(url);
      last = answer.detail;
      return answer.ready;
    },
    readyWithinMilliseconds,
    pauseMilliseconds,
  );
  if (ready) return;
  const logs = logFiles.map((file) => `The end of ${file}:\n${tailOf(file, 15)}`);
  throw new Error(['The API was not ready within two minutes. It says:', last, ...logs].join('\n'));
}
