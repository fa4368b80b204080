import { type Client, WorkflowNotFoundError } from '@temporalio/client';

/** A call that hangs must not hold up what else is to be told. */
export const callPatienceMilliseconds = 5_000;

/**
 * Signals a process by its workflow ID; false for one that has ended, or never was: it need not hear it. Other failures
 * are thrown.
 */
export async function tellProcess(
  temporal: Client,
  workflowId: string,
  signal: string,
  payload: Readonly<Record<string, string>> = {},
): Promise<boolean> {
  try {
    await temporal.withDeadline(Date.now() + callPatienceMilliseconds, () =>
      temporal.workflow.getHandle(workflowId).signal(signal, payload),
    );
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
