import { setTimeout as pause } from 'node:timers/promises';

/** Latencies in milliseconds of one kind of request, and what went wrong. */
export interface Measured {
  milliseconds: number[];
  /** Answers that were not what was asked for, by what they were: `429`, `202`, `ECONNRESET`. */
  unexpected: Record<string, number>;
  seconds: number;
}

/** One request; resolves to null when the answer is the expected one, else to what it was. */
export type Request = (index: number) => Promise<string | null>;

/**
 * Open loop: requests leave at a steady rate whether or not earlier ones are answered, and latency counts from the
 * instant at which a request was due, so that a stalled server can't hide behind a waiting client.
 */
export async function atRate(perSecond: number, seconds: number, request: Request): Promise<Measured> {
  const measured: Measured = { milliseconds: [], unexpected: {}, seconds };
  const startedAt = performance.now();
  const underway: Promise<void>[] = [];
  for (let index = 0; index < perSecond * seconds; index += 1) {
    const dueAt = startedAt + (index * 1_000) / perSecond;
    const early = dueAt - performance.now();
    if (early > 1) await pause(early);
    underway.push(one(measured, request, index, dueAt));
  }
  await Promise.all(underway);
  return measured;
}

/** Closed loop: so many at once, each client sends its next request when the last one is answered. */
export async function atConcurrency(clients: number, seconds: number, request: Request): Promise<Measured> {
  const measured: Measured = { milliseconds: [], unexpected: {}, seconds };
  const startedAt = performance.now();
  const until = startedAt + seconds * 1_000;
  let index = 0;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (performance.now() < until) {
        index += 1;
        await one(measured, request, index, performance.now());
      }
    }),
  );
  measured.seconds = (performance.now() - startedAt) / 1_000;
  return measured;
}

/** Closed loop over a number of requests. Throws when one is not answered as expected. */
export async function soMany(count: number, clients: number, request: Request): Promise<void> {
  let index = 0;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (index < count) {
        const unexpected = await request(index++);
        if (unexpected !== null) throw new Error(`Answered ${unexpected}`);
      }
    }),
  );
}

async function one(measured: Measured, request: Request, index: number, dueAt: number): Promise<void> {
  const unexpected = await request(index).catch((error: unknown) =>
    error instanceof Error ? error.message : String(error),
  );
  measured.milliseconds.push(performance.now() - dueAt);
  if (unexpected !== null) measured.unexpected[unexpected] = (measured.unexpected[unexpected] ?? 0) + 1;
}

/** The value below which a share (0 to 1) of the latencies lies. */
export function percentile({ milliseconds }: Measured, share: number): number {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Expected answers a second. */
export function rateOf({ milliseconds, unexpected, seconds }: Measured): number {
  const wrong = Object.values(unexpected).reduce((sum, count) => sum + count, 0);
  return (milliseconds.length - wrong) / seconds;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
