import { proxyActivities } from '@temporalio/workflow';
import type { AutomationActivities } from '../../activities/automation.types.ts';

const { deliverBatch } = proxyActivities<AutomationActivities>({
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout: '20 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' },
  summary: 'deliver a batch of domain events',
});

/** Delivers one batch of the outbox; the relay starts it with the ID `outbox:{batchId}`, so that a batch has one. */
export async function deliverEvents({ batchId }: { batchId: string }): Promise<void> {
  await deliverBatch({ batchId });
}
