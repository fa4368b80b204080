import { type ApiClient, wait } from './client.ts';
import type { Pending, Tally } from './tally.ts';

interface FollowUp {
  /** Grows at its end while rows are sent; emptied from its beginning. */
  pending: Pending[];
  client: ApiClient;
  tally: Tally;
  /** Set when no more are added. */
  ended: AbortSignal;
  /** How long to go on asking after that. */
  withinMilliseconds: number;
  stop: AbortSignal;
}

// Polling must not use up the rate that the API grants to the rows themselves.
const pollEveryMilliseconds = 100;

/**
 * Asks after the leads of rows that were answered 202, each in its turn, until they are decided on or time is up; not at
 * all for a caller who may capture but not read leads.
 */
export async function followUp({ pending, client, tally, ended, withinMilliseconds, stop }: FollowUp): Promise<void> {
  let deadline = Infinity;
  ended.addEventListener('abort', () => (deadline = performance.now() + withinMilliseconds));
  while (!stop.aborted && performance.now() < deadline) {
    const next = pending.shift();
    if (next) {
      const reply = await client.get(`/crm/v1/leads/${next.leadId}`);
      const lead = reply.kind === 'answered' && reply.status === 200 ? reply.body : undefined;
      const mayNotAsk = reply.kind === 'answered' && [401, 403].includes(reply.status);
      // A lead has no row before the decision on it.
      if (lead && lead['stage'] !== 'captured') tally.decidedLater(next.row, lead);
      else if (!mayNotAsk) pending.push(next);
    } else if (ended.aborted) {
      return;
    }
    await wait(pollEveryMilliseconds, stop);
  }
}
