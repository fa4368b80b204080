import type { ConfigurationChange } from '../../activities/automation.types.ts';

/** Signal sent with the start of a fan-out (signal-with-start), and again with every further change of the record. */
export const changedSignal = 'changed';

/** ID of the fan-out of a change: one at a time for each record. */
export function fanOutWorkflowId({ organizationId, kind, id }: ConfigurationChange): string {
  return `fan-out:${organizationId}:${kind}:${id}`;
}

/** ID of the delivery of a batch of the outbox. */
export function outboxWorkflowId(batchId: string): string {
  return `outbox:${batchId}`;
}
