import { setTimeout as pause } from 'node:timers/promises';
import {
  type Client,
  type WorkflowExecutionDescription,
  type WorkflowExecutionInfo,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { tsToMs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import type { ClientBase } from 'pg';
import type { Outcome } from '../../db/automation/audit/check.ts';
import {
  type KnownProcess,
  onSuspects,
  type ProcessCheck,
  processChecks,
  processTables,
  putProcesses,
  putSuspects,
  unknownProcess,
} from '../../db/automation/audit/processes.ts';
import { runCheck } from '../../db/automation/audit.queries.ts';
import { processes } from '../../workflows/processes/registry.ts';
import { searchAttributes } from '../../workflows/processes/search-attributes.ts';

const pageSize = 1_000;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Rounds of a second look, a second longer each: what is under way settles, what is wrong stays. */
const secondLooks = 3;
const describedAtOnce = 20;

/** For so long a process may be busy before what it shows is taken for what it is. */
const busyMilliseconds = 60_000;

// More than so many disagreements are no passing ones.
const mostSuspects = 5_000;

/** Compares records with the processes that Temporal knows. What disagrees is looked at again before it is reported. */
export async function checkProcesses(database: ClientBase, temporal: Client): Promise<Outcome[]> {
  await database.query(processTables);
  await listRunning(database, temporal);
  await database.query('analyze audit_processes');
  let checks = processChecks;
  for (let look = 1; ; look++) {
    const outcomes: Outcome[] = [];
    for (const check of checks) outcomes.push(await runCheck(database, check));
    const total = outcomes.reduce((sum, { count }) => sum + count, 0);
    if (total === 0 || total > mostSuspects || look > secondLooks) return outcomes;
    const suspects = await findSuspects(database, checks);
    await database.query(putSuspects, [suspects]);
    await pause(look * 1_000);
    await lookAgain(database, temporal, suspects);
    checks = processChecks.map(onSuspects);
  }
}

async function listRunning(database: ClientBase, temporal: Client): Promise<void> {
  const names = processes.map(({ name }) => `'${name}'`).join(', ');
  const query = `ExecutionStatus = 'Running' and ${searchAttributes.process.name} in (${names})`;
  let page: KnownProcess[] = [];
  for await (const info of temporal.workflow.list({ query, pageSize })) {
    page.push({ ...knownBy(info), status: 'running', is_busy: false });
    if (page.length < pageSize) continue;
    await put(database, page);
    page = [];
  }
  await put(database, page);
}

async function findSuspects(database: ClientBase, checks: readonly ProcessCheck[]): Promise<string[]> {
  const found = checks.map(({ workflowIds }) => workflowIds).join(' union ');
  const { rows } = await database.query<{ workflow_id: string }>(found);
  return rows.map((row) => row.workflow_id);
}

async function lookAgain(database: ClientBase, temporal: Client, workflowIds: readonly string[]): Promise<void> {
  for (let first = 0; first < workflowIds.length; first += describedAtOnce) {
    const some = workflowIds.slice(first, first + describedAtOnce);
    const known = await Promise.all(some.map((workflowId) => describe(temporal, workflowId)));
    await put(database, known);
  }
}

async function describe(temporal: Client, workflowId: string): Promise<KnownProcess> {
  try {
    const info = await temporal.workflow.getHandle(workflowId).describe();
    return { ...knownBy(info), status: info.status.name.toLowerCase(), is_busy: isBusy(info) };
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    return {
      workflow_id: workflowId,
      record_id: recordOf(workflowId),
      status: unknownProcess,
      is_busy: false,
      shown: {},
    };
  }
}

function knownBy({
  workflowId,
  typedSearchAttributes,
}: Pick<WorkflowExecutionInfo, 'workflowId' | 'typedSearchAttributes'>) {
  const shown = Object.entries(searchAttributes).flatMap(([name, key]) => {
    const value = typedSearchAttributes.get(key as never) as string | Date | undefined;
    return value === undefined ? [] : [[name, value instanceof Date ? value.toISOString() : value] as const];
  });
  return { workflow_id: workflowId, record_id: recordOf(workflowId), shown: Object.fromEntries(shown) };
}

const { PENDING_WORKFLOW_TASK_STATE_STARTED } = proto.temporal.api.enums.v1.PendingWorkflowTaskState;

/** Whether a worker is at it, or was and has to be waited for: what its activities wrote is not shown before the task ends. */
function isBusy({ raw: { pendingWorkflowTask: task } }: WorkflowExecutionDescription): boolean {
  if (!task) return false;
  const isTaken = task.state === PENDING_WORKFLOW_TASK_STATE_STARTED || (task.attempt ?? 1) > 1;
  return isTaken && Date.now() - tsToMs(task.originalScheduledTime ?? undefined) < busyMilliseconds;
}

async function put(database: ClientBase, processes: readonly KnownProcess[]): Promise<void> {
  await database.query(putProcesses, [JSON.stringify(processes)]);
}

/** The record that a workflow's ID is made of. */
function recordOf(workflowId: string): string | null {
  const id = workflowId.slice(workflowId.indexOf(':') + 1);
  return uuid.test(id) ? id : null;
}
