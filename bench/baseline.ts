import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Client, Connection, WithStartWorkflowOperation } from '@temporalio/client';
import { atConcurrency, rateOf, type Request } from './load.ts';
import type { Figure } from './report.ts';

/** Runs `measure` with a client of this Temporal and a worker for the baselines, in a process of its own. */
export async function withBaseline<Result>(
  temporalAddress: string,
  measure: (client: Client) => Promise<Result>,
): Promise<Result> {
  const worker = fork(fileURLToPath(new URL('baseline-worker.ts', import.meta.url)), [temporalAddress]);
  await once(worker, 'message');
  const connection = await Connection.connect({ address: temporalAddress });
  try {
    return await measure(new Client({ connection }));
  } finally {
    worker.kill('SIGTERM');
    await once(worker, 'exit');
    await connection.close();
  }
}

/** An update-with-start that is answered by a local activity which does nothing. */
export function bareUpdate(client: Client): Request {
  return async () => {
    const startWorkflowOperation = new WithStartWorkflowOperation('bareUpdate', {
      workflowId: `baseline-update-${randomUUID()}`,
      taskQueue: 'baseline',
      args: [],
      workflowIdConflictPolicy: 'USE_EXISTING',
    });
    const answer = await client.workflow.executeUpdateWithStart<() => Promise<void>, string, []>('answer', {
      startWorkflowOperation,
      args: [],
    });
    return answer === 'done' ? null : answer;
  };
}

const clients = 40;

/** What this machine gives: bare updates-with-start a second, when warm. */
export async function bareRate(client: Client): Promise<Figure> {
  await atConcurrency(clients, 5, bareUpdate(client));
  const value = rateOf(await atConcurrency(clients, 15, bareUpdate(client)));
  return { name: `bare update-with-start on this machine, a second, at ${clients} concurrent`, value };
}

/**
 * 50 a second, in proportion to the machine: that was found reachable where a bare update-with-start makes 94
 * (docs/decisions.md), so that a slower machine still says whether the product keeps its part.
 */
export const inProportion = ({ value }: Figure): number => Math.floor(value * (50 / 94));

/** A workflow of three regular activities that do nothing, from start to end. */
export function threeActivities(client: Client): Request {
  return async () => {
    const answer: unknown = await client.workflow.execute('threeActivities', {
      workflowId: `baseline-activities-${randomUUID()}`,
      taskQueue: 'baseline',
      args: [],
    });
    return answer === 'done' ? null : String(answer);
  };
}

/** A workflow that waits for a day is started. */
export function bareTimer(client: Client): Request {
  return async () => {
    await client.workflow.start('bareTimer', {
      workflowId: `baseline-timer-${randomUUID()}`,
      taskQueue: 'baseline',
      args: [],
    });
    return null;
  };
}
