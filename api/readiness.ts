import type { Connection } from '@temporalio/client';
import { queueTrouble } from './task-queue.ts';

/** Resolves when a part is fit to work; rejects with why it is not. */
export type Check = () => Promise<unknown>;

export interface Readiness {
  ready: boolean;
  parts: Record<string, { ready: boolean; detail?: string }>;
}

const patienceMilliseconds = 2_000;
const freshMilliseconds = 1_000;
const longestDetail = 500;

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
    return { ready: false, detail: error instanceof Error ? error.message.slice(0, longestDetail) : String(error) };
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

/** Whether workers take this queue's workflow tasks. */
export function workerCheck(connection: Connection, namespace: string, taskQueue: string): Check {
  return async () => {
    const trouble = await connection.withDeadline(Date.now() + patienceMilliseconds, () =>
      queueTrouble(connection, namespace, taskQueue),
    );
    if (trouble) throw new Error(`${trouble.reason}; ${trouble.mend}`);
  };
}
