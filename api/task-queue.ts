import type { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';

const { TaskQueueType, WorkerVersioningMode } = proto.temporal.api.enums.v1;
const lastPollWithinMilliseconds = 120_000;

/** Why a queue's workflow tasks are not run, and what to do. */
export interface QueueTrouble {
  reason: string;
  mend: string;
}

interface Version {
  deploymentName?: string | null;
  buildId?: string | null;
}

/**
 * Whether workers that may have a queue's workflow tasks have polled it lately; null when they have. With worker
 * deployment versions those of the current one alone may, and before any is made current only unversioned workers.
 */
export async function queueTrouble(
  connection: Connection,
  namespace: string,
  taskQueue: string,
): Promise<QueueTrouble | null> {
  const { pollers, versioningInfo } = await connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
  });
  const since = Date.now() - lastPollWithinMilliseconds;
  const polling = (pollers ?? [])
    .filter(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1_000 > since)
    .map(({ deploymentOptions }) =>
      deploymentOptions?.workerVersioningMode === WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED
        ? deploymentOptions
        : null,
    );
  return troubleAmong(taskQueue, polling, versioningInfo?.currentDeploymentVersion ?? null);
}

/** The same for the versions (null: a worker without one) that have polled a queue, and the version that is current there. */
export function troubleAmong(
  taskQueue: string,
  polling: readonly (Version | null)[],
  current: Version | null,
): QueueTrouble | null {
  if (polling.length === 0)
    return {
      reason: `no worker polls the task queue ${taskQueue}`,
      mend: 'start one: `npm start`, or `npm run worker`',
    };
  if (polling.some((version) => named(version) === named(current))) return null;
  const newest = polling.findLast((version) => version !== null);
  return {
    reason: `the task queue ${taskQueue} is polled by ${[...new Set(polling.map(named))].join(', ')}, but current is ${named(current)}`,
    mend: newest
      ? `\`temporal worker deployment set-current-version --deployment-name ${newest.deploymentName} --build-id ${newest.buildId}\``
      : 'start workers with its TEMPORAL_DEPLOYMENT_NAME and TEMPORAL_WORKER_BUILD_ID',
  };
}

const named = (version: Version | null): string =>
  version ? `version ${version.buildId} of ${version.deploymentName}` : 'no version';
