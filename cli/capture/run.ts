import { createHash } from 'node:crypto';
import { type Answer, type ApiClient, wait } from './client.ts';
import { followUp } from './follow-up.ts';
import type { Mapping } from './mapping.ts';
import type { Row } from './source.ts';
import type { Pending, Reason, Tally } from './tally.ts';
import { captureOf } from './transform.ts';

export interface RunOptions {
  rows: AsyncGenerator<Row>;
  mapping: Mapping;
  client: ApiClient;
  tally: Tally;
  /** Requests at once. */
  concurrency: number;
  /** Rows a second, whatever the answers take; undefined: as fast as they are answered. */
  rate: number | undefined;
  /** How long the lead of a 202 is waited for, after the last row was sent. */
  decisionWithinMilliseconds: number;
  stop: AbortSignal;
}

/** A refusal that is about the caller, not about the row: going on would refuse every row. */
export class CallerRefused extends Error {
  override name = 'CallerRefused';
}

const mostPending = 2_000;
const aboutTheCaller = new Set([401, 403, 404, 405]);

/**
 * Sends every row of a file through the API and books what became of it. Ends when each is settled or has waited long
 * enough, or after `stop` when the requests on their way are answered. Throws CallerRefused.
 */
export async function runCapture({
  rows,
  mapping,
  client,
  tally,
  concurrency,
  rate,
  decisionWithinMilliseconds,
  stop,
}: RunOptions): Promise<void> {
  const pending: Pending[] = [];
  const ended = new AbortController();
  const pace = paceOf(rate, stop);
  let failure: CallerRefused | undefined;

  async function send({ number, content, bytes }: Row): Promise<void> {
    if ('unreadable' in content) {
      tally.refuse(number, [{ code: 'unreadable', path: '', message: content.unreadable }]);
    } else {
      const body = captureOf(content.fields, mapping);
      const reply = await client.capture(keyOf(number, body), body);
      if (reply.kind === 'answered') book(number, reply);
      else if (reply.kind === 'silent') tally.unanswered.add(number);
      else tally.unsent.add(number);
    }
    tally.settledBytes += bytes;
  }

  function book(row: number, answer: Answer): void {
    const { status, body, milliseconds } = answer;
    if (aboutTheCaller.has(status)) {
      tally.unsent.add(row);
      failure ??= new CallerRefused(
        `${status}: ${typeof body['detail'] === 'string' ? body['detail'] : 'no reason given'}`,
      );
    } else if (status === 202) {
      tally.stored(row, answer);
      pending.push({ row, leadId: String(body['id']) });
    } else if (status === 200 || status === 201) {
      tally.decided(answer);
    } else {
      tally.refuse(row, reasonsOf(answer), milliseconds);
    }
  }

  async function sender(): Promise<void> {
    for (;;) {
      await pace();
      while (pending.length >= mostPending && !stop.aborted) await wait(100, stop);
      if (stop.aborted || failure) return;
      const { done, value } = await rows.next();
      if (done) {
        tally.readAll = true;
        return;
      }
      tally.read++;
      await send(value);
    }
  }

  const following = followUp({
    pending,
    client,
    tally,
    ended: ended.signal,
    withinMilliseconds: decisionWithinMilliseconds,
    stop,
  });
  try {
    await Promise.all(Array.from({ length: concurrency }, sender));
  } finally {
    ended.abort();
    await rows.return(undefined);
  }
  await following;
  if (failure) throw failure;
}

/** Made of the row's number and what is sent for it: the same row of a second run is the same write. */
function keyOf(row: number, body: unknown): string {
  return `crm-capture-${createHash('sha256')
    .update(JSON.stringify([row, body]))
    .digest('base64url')}`;
}

/** Open loop: each call waits for its own slot, which does not depend on how long the calls before it took. */
function paceOf(rate: number | undefined, stop: AbortSignal): () => Promise<void> {
  if (rate === undefined) return () => Promise.resolve();
  const start = performance.now();
  let slot = 0;
  return () => wait(start + (slot++ * 1_000) / rate - performance.now(), stop);
}

function reasonsOf({ status, body: { code, detail, errors } }: Answer): Omit<Reason, 'rows'>[] {
  const word = typeof code === 'string' ? code : String(status);
  const whole = typeof detail === 'string' ? detail : 'no reason given';
  const entries = Array.isArray(errors) ? (errors as { path?: string; message?: string }[]) : [];
  if (entries.length === 0) return [{ code: word, path: '', message: whole }];
  return entries.map(({ path = '', message = whole }) => ({ code: word, path, message }));
}
