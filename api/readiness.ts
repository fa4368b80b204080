import type { Connection } from '@temporalio/client';

/** Resolves when a part is fit to work; rejects with why it is not. */
export type Check = () => Promise<unknown>;

export interface Readiness {
  ready: boolean;
  parts: Record<string, { ready: boolean; detail?: string }>;
}

const patienceMilliseconds = 2_000;
const freshMilliseconds = 1_000;
const lastPollWithinMilliseconds = 120_000;
const workflowTaskQueueType = 1;

/** Makes a reader of all checks at once, each with 2 s of patience, kept for a second. */
export function createReadiness(checks: Readonly<Record<string, Check>>): () => Promise<Readiness> {
  let kept: { until: number; readiness: Promise<Readiness> } | undefined;
  return () => {
    if (!kept || kept.until < performance.now())
      kept = { until: performance.now() + freshMilliseconds, readiness: askAll(checks) };
    return kept.readiness;
  };
}

async function askAll(checks: Readonly<Record<string, Check>>): Promise<Readiness> {
  const answers = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, await ask(check)] as const),
  );
  return { ready: answers.every(([, { ready }]) => ready), parts: Object.fromEntries(answers) };
}

async function ask(check: Check): Promise<Readiness['parts'][string]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, refuse) => {
    timer = setTimeout(() => refuse(new Error(`no answer within ${patienceMilliseconds} ms`)), patienceMilliseconds);
  });
  try {
    await Promise.race([check(), late]);
    return { ready: true };
  } catch (error) {
    return { ready: false, detail: error instanceof Error ? error.message.slice(0, 200) : String(error) };
  } finally {
    clearTimeout(timer);
  }
}

/** Whether the Temporal server serves this namespace. */
export function temporalCheck(connection: Connection, namespace: string): Check {
  return () =>
    connection.withDeadline(Date.now() + patienceMilliseconds, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
}

/** Whether a worker has polled this task queue for workflow tasks lately. */
export function workerCheck(connection: Connection, namespace: string, taskQueue: string): Check {
  return async () => {
    const { pollers } = await connection.withDeadline(Date.now() + patienceMilliseconds, () =>
      connection.workflowService.describeTaskQueue({
        namespace,
        taskQueue: { name: taskQueue },
        taskQueueType: workflowTaskQueueType,
      }),
    );
    const since = Date.now() - lastPollWithinMilliseconds;
    const alive = (pollers ?? []).some(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1_000 > since);
    if (!alive) throw new Error(`no worker polls the task queue ${taskQueue}`);
  };
}
