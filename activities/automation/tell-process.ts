import { type Client, WorkflowNotFoundError } from '@temporalio/client';

/** A call that hangs must not hold up what else is to be told. */
export const callPatienceMilliseconds = 5_000;

/** Signals a process by its workflow ID; one that has ended, or never was, need not hear it. Other failures are thrown. */
export async function tellProcess(temporal: Client, workflowId: string, signal: string): Promise<void> {
  try {
    await temporal.withDeadline(Date.now() + callPatienceMilliseconds, () =>
      temporal.workflow.getHandle(workflowId).signal(signal, {}),
    );
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
