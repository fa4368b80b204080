import { setTimeout as pause } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { type Answer, type Caller, stranger } from './whole-tenant.ts';

/** A capture and everything that was answered to it. */
export interface Capture {
  key: string;
  body: Record<string, unknown>;
  /** Of each attempt, in order; 0: the connection broke. */
  statuses: number[];
  /** The last answer: 200, 201 or 202. */
  answer: Answer;
}

const giveUpMilliseconds = 120_000;
const accepted: ReadonlySet<number> = new Set([200, 201, 202]);
const tryAgain: ReadonlySet<number> = new Set([0, 409, 503]);

/** Captures as a careful client: the same key again after 409, 503 or a broken connection, until it is accepted. */
export async function capture(
  caller: Caller,
  body = stranger(),
  { key = uuidv7(), headers = {} } = {},
): Promise<Capture> {
  const statuses: number[] = [];
  const givesUpAt = performance.now() + giveUpMilliseconds;
  for (;;) {
    const answer = await caller.send('POST', '/v1/leads/capture', { body, key, headers }).catch(() => null);
    statuses.push(answer?.status ?? 0);
    if (answer && accepted.has(answer.status)) return { key, body, statuses, answer };
    if (!tryAgain.has(answer?.status ?? 0) || performance.now() > givesUpAt) {
      throw new Error(`A capture was answered ${statuses.join(', ')}: ${JSON.stringify(answer?.body)}`);
    }
    await pause(200);
  }
}

/** Captures `count` strangers, `atOnce` at a time. */
export async function captureMany(
  caller: Caller,
  count: number,
  { atOnce = 20, headers = {} } = {},
): Promise<Capture[]> {
  const captures: Capture[] = [];
  let begun = 0;
  const next = async () => {
    while (begun++ < count) captures.push(await capture(caller, stranger(), { headers }));
  };
  await Promise.all(Array.from({ length: atOnce }, next));
  return captures;
}

/** Clients that capture, list and get without a pause, until they are stopped. */
export interface Traffic {
  /** So far. */
  captures: Capture[];
  /** Statuses of the reads so far; 0: the connection broke. */
  reads: number[];
  /** Resolves when every client has had its last answer. */
  stop(): Promise<void>;
}

export function startTraffic(caller: Caller, { clients = 6 } = {}): Traffic {
  const captures: Capture[] = [];
  const reads: number[] = [];
  let stopped = false;
  const read = async (path: string) => {
    const answer = await caller.send('GET', path).catch(() => null);
    reads.push(answer?.status ?? 0);
  };
  const client = async () => {
    while (!stopped) {
      const made = await capture(caller);
      captures.push(made);
      await read('/crm/v1/leads?limit=5');
      if (made.answer.status !== 202) await read(`/crm/v1/leads/${String(made.answer.body['id'])}`);
    }
  };
  const running = Promise.all(Array.from({ length: clients }, client));
  // Whoever stops the traffic hears of a client that gave up.
  running.catch(() => undefined);
  return {
    captures,
    reads,
    async stop() {
      stopped = true;
      await running;
    },
  };
}
