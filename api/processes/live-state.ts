import { type Client, WorkflowNotFoundError } from '@temporalio/client';

/** What only Temporal knows of a process; `live` is false when it could not be asked in time. */
export interface LiveState {
  runId: string | null;
  state: string | null;
  live: boolean;
}

export type ReadLiveState = (workflowId: string) => Promise<LiveState>;

const patienceMilliseconds = 500;

/** Makes a reader of the latest run of a workflow. A run that Temporal has forgotten has neither run ID nor state. */
export function createLiveStateReader(client: Client): ReadLiveState {
  return async (workflowId) => {
    const unknown: LiveState = { runId: null, state: null, live: false };
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<LiveState>((settle) => {
      timer = setTimeout(() => settle(unknown), patienceMilliseconds);
    });
    const described = client
      .withDeadline(Date.now() + patienceMilliseconds, () => client.workflow.getHandle(workflowId).describe())
      .then(
        ({ runId, status }): LiveState => ({ runId, state: status.name.toLowerCase(), live: true }),
        (error: unknown): LiveState => ({ ...unknown, live: error instanceof WorkflowNotFoundError }),
      );
    return Promise.race([described, late]).finally(() => clearTimeout(timer));
  };
}
