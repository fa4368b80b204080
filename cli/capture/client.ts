import { setTimeout as pause } from 'node:timers/promises';
import { reasonOf } from '../checks/finding.ts';

/** An answer that is not worth another try. */
export interface Answer {
  status: number;
  body: Record<string, unknown>;
  /** The API had answered this key before. */
  replayed: boolean;
  /** Time of the request that got it. */
  milliseconds: number;
}

/** What became of a request: answered; `silent`, never within the patience; `stopped`, before it was answered. */
export type Reply = ({ kind: 'answered' } & Answer) | { kind: 'silent'; reason: string } | { kind: 'stopped' };

export interface ClientOptions {
  /** Base of the API, such as `http://127.0.0.1:3000`. */
  url: string;
  token: string;
  /** How long one request is tried again, in all. */
  patienceMilliseconds: number;
  /** Ends the waiting between tries; a request on its way is still waited for. */
  stop: AbortSignal;
  onRetry: (reason: string) => void;
}

/** Calls to the API which outlast its failures. */
export interface ApiClient {
  capture(idempotencyKey: string, body: unknown): Promise<Reply>;
  get(path: string): Promise<Reply>;
  post(path: string, idempotencyKey: string, body: unknown): Promise<Reply>;
  /** Changes the version that was read. */
  patch(path: string, idempotencyKey: string, version: number, body: unknown): Promise<Reply>;
}

const answerWithinMilliseconds = 30_000;
const firstPauseMilliseconds = 200;
const longestPauseMilliseconds = 5_000;

/** Refusals of this moment, not of the request: 409 is retried for these codes alone. */
const passing = new Set(['in_progress', 'conflict']);

/**
 * Makes a client that tries again, with growing pauses, what a dead or overloaded server leaves undone: broken
 * connections, 5xx, 429 and 408, `in_progress` and `conflict`. `Retry-After` of a 429 holds all its requests back.
 */
export function createClient({ url, token, patienceMilliseconds, stop, onRetry }: ClientOptions): ApiClient {
  let heldUntil = 0;

  async function request(path: string, init: RequestInit): Promise<Reply> {
    const deadline = performance.now() + patienceMilliseconds;
    for (let attempt = 0; ; attempt++) {
      await wait(heldUntil - performance.now(), stop);
      if (stop.aborted) return { kind: 'stopped' };
      const outcome = await once(path, init);
      if ('status' in outcome) return { kind: 'answered', ...outcome };
      const { reason, retryAfterSeconds, holdsAll } = outcome;
      const atLeast = retryAfterSeconds * 1_000;
      if (holdsAll) heldUntil = Math.max(heldUntil, performance.now() + atLeast);
      const growing = Math.min(firstPauseMilliseconds * 2 ** attempt, longestPauseMilliseconds);
      // Up to half more, so that those who failed together do not come back together.
      const next = Math.max(growing, atLeast) * (1 + Math.random() / 2);
      if (performance.now() + next > deadline) return { kind: 'silent', reason };
      onRetry(reason);
      await wait(next, stop);
    }
  }

  async function once(path: string, init: RequestInit): Promise<Answer | Hindrance> {
    const started = performance.now();
    try {
      const response = await fetch(new URL(path, url), {
        ...init,
        headers: { ...init.headers, authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(answerWithinMilliseconds),
      });
      const text = await response.text();
      const body = jsonObject(text);
      const { status } = response;
      if (isPassing(status, body)) return hindrance(response, body);
      const replayed = response.headers.get('idempotency-replayed') === 'true';
      return { status, body, replayed, milliseconds: performance.now() - started };
    } catch (error) {
      return {
        reason: error instanceof Error && error.cause ? reasonOf(error.cause) : reasonOf(error),
        retryAfterSeconds: 0,
        holdsAll: false,
      };
    }
  }

  const write = (method: string, path: string, idempotencyKey: string, body: unknown, headers = {}) =>
    request(path, {
      method,
      headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey, ...headers },
      body: JSON.stringify(body),
    });

  return {
    capture: (idempotencyKey, body) => write('POST', '/v1/leads/capture', idempotencyKey, body),
    get: (path) => request(path, {}),
    post: (path, idempotencyKey, body) => write('POST', path, idempotencyKey, body),
    patch: (path, idempotencyKey, version, body) =>
      write('PATCH', path, idempotencyKey, body, { 'if-match': `"${version}"` }),
  };
}

/** Why a request has to be sent again. */
interface Hindrance {
  reason: string;
  retryAfterSeconds: number;
  holdsAll: boolean;
}

function isPassing(status: number, { code }: Record<string, unknown>): boolean {
  return status >= 500 || status === 429 || status === 408 || (status === 409 && passing.has(String(code)));
}

function hindrance({ status, headers }: Response, { detail }: Record<string, unknown>): Hindrance {
  const seconds = Number(headers.get('retry-after') ?? 0);
  const retryAfterSeconds = Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), 60) : 0;
  return {
    reason: `${status}${typeof detail === 'string' ? ` ${detail}` : ''}`,
    retryAfterSeconds,
    holdsAll: status === 429,
  };
}

function jsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Waits so long, or until the signal. */
export async function wait(milliseconds: number, stop: AbortSignal): Promise<void> {
  if (milliseconds > 0) await pause(milliseconds, undefined, { signal: stop }).catch(() => undefined);
}
