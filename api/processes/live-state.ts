import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { withinDeadline } from './deadline.ts';

/** What only Temporal knows of a process; `live` is false when it could not be asked in time. */
export interface LiveState {
  runId: string | null;
  /** Of the run, in lower case: `running`, `completed`, `terminated` …; null when Temporal knows no such run. */
  state: string | null;
  live: boolean;
}

export type ReadLiveState = (workflowId: string) => Promise<LiveState>;

const patienceMilliseconds = 500;

/** Makes a reader of the latest run of a workflow. A run that Temporal has forgotten has neither run ID nor state. */
export function createLiveStateReader(client: Client): ReadLiveState {
  return async (workflowId) => {
    const describe = () => client.workflow.getHandle(workflowId).describe();
    try {
      const { runId, status } = await withinDeadline(client, patienceMilliseconds, describe);
      return { runId, state: status.name.toLowerCase(), live: true };
    } catch (error) {
      return { runId: null, state: null, live: error instanceof WorkflowNotFoundError };
    }
  };
}
