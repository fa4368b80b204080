import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { withinDeadline } from '../api/processes/deadline.ts';
import { claimEvents, claimStalledBatches } from '../db/automation/outbox.queries.ts';
import type { Database } from '../db/database.ts';
import { meter } from '../runtime/telemetry.ts';
import { outboxWorkflowId } from '../workflows/automation/messages.ts';
import type { Found } from './poll.ts';

const batchSize = 100;
const stalledAtOnce = 200;
// A call to a server that is away must not outlast the drain of a worker that is being stopped.
const startPatienceMilliseconds = 5_000;
const claimed = meter.createCounter('crm.relay.events', {
  description: 'Domain events handed to a delivery workflow.',
});

/**
 * Makes one round of the relay: hands domain events to delivery workflows, a batch to each. What a crash left between
 * claim and start, or without its workflow, is started again under the same ID.
 */
export function createOutboxRound(deps: {
  relay: Database;
  temporal: Client;
  taskQueue: string;
  log: Logger;
}): () => Promise<Found> {
  const { relay, temporal, taskQueue, log } = deps;

  const start = (batchId: string) =>
    withinDeadline(temporal, startPatienceMilliseconds, () =>
      temporal.workflow.start('deliverEvents', {
        workflowId: outboxWorkflowId(batchId),
        taskQueue,
        args: [{ batchId }],
        // One that runs goes on; one that has closed over undelivered events gets a new run.
        workflowIdConflictPolicy: 'USE_EXISTING',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        staticSummary: 'deliver a batch of domain events',
      }),
    );

  return async () => {
    const stalled = await claimStalledBatches(relay, stalledAtOnce);
    for (const batchId of stalled) await start(batchId);
    if (stalled.length > 0) log.info({ batches: stalled.length }, 'outbox: restarted stalled batches');

    const batchId = uuidv7();
    const events = await claimEvents(relay, batchId, batchSize);
    if (events === 0) return 'none';
    await start(batchId);
    claimed.add(events);
    return events === batchSize ? 'more' : 'some';
  };
}
