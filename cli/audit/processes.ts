import { setTimeout as pause } from 'node:timers/promises';
import { type Client, type WorkflowExecutionInfo, WorkflowNotFoundError } from '@temporalio/client';
import type { ClientBase } from 'pg';
import type { Outcome } from '../../db/automation/audit/check.ts';
import { processChecks, processTable, putProcesses, unknownProcess } from '../../db/automation/audit/processes.ts';
import { runCheck } from '../../db/automation/audit.queries.ts';
import { processes } from '../../workflows/processes/registry.ts';
import { searchAttributes } from '../../workflows/processes/search-attributes.ts';

interface KnownProcess {
  workflowId: string;
  status: string;
  stage: string | null;
}

const pageSize = 1_000;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Rounds of a second look, a second longer each: what is under way settles, what is wrong stays. */
const secondLooks = 3;
const describedAtOnce = 20;

// More than so many disagreements are no passing ones.
const mostSuspects = 5_000;

/** Compares records with the processes that Temporal knows. What disagrees is looked at again before it is reported. */
export async function checkProcesses(database: ClientBase, temporal: Client): Promise<Outcome[]> {
  await database.query(processTable);
  await listRunning(database, temporal);
  await database.query('analyze audit_processes');
  for (let look = 1; ; look++) {
    const outcomes: Outcome[] = [];
    for (const check of processChecks) outcomes.push(await runCheck(database, check));
    const total = outcomes.reduce((sum, { count }) => sum + count, 0);
    if (total === 0 || total > mostSuspects || look > secondLooks) return outcomes;
    await pause(look * 1_000);
    await lookAgain(database, temporal, await findSuspects(database));
  }
}

async function listRunning(database: ClientBase, temporal: Client): Promise<void> {
  const names = processes.map(({ name }) => `'${name}'`).join(', ');
  const query = `ExecutionStatus = 'Running' and ${searchAttributes.process.name} in (${names})`;
  let page: KnownProcess[] = [];
  for await (const info of temporal.workflow.list({ query, pageSize })) {
    page.push({ workflowId: info.workflowId, status: 'running', stage: stageOf(info) });
    if (page.length < pageSize) continue;
    await put(database, page);
    page = [];
  }
  await put(database, page);
}

async function findSuspects(database: ClientBase): Promise<string[]> {
  const found = processChecks.map(({ workflowIds }) => workflowIds).join(' union ');
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
    return { workflowId, status: info.status.name.toLowerCase(), stage: stageOf(info) };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { workflowId, status: unknownProcess, stage: null };
    throw error;
  }
}

function stageOf({ typedSearchAttributes }: Pick<WorkflowExecutionInfo, 'typedSearchAttributes'>): string | null {
  return typedSearchAttributes.get(searchAttributes.stage) ?? null;
}

async function put(database: ClientBase, processes: readonly KnownProcess[]): Promise<void> {
  await database.query(putProcesses, [
    processes.map(({ workflowId }) => workflowId),
    processes.map(({ workflowId }) => recordOf(workflowId)),
    processes.map(({ status }) => status),
    processes.map(({ stage }) => stage),
  ]);
}

/** The record that a workflow's ID is made of. */
function recordOf(workflowId: string): string | null {
  const id = workflowId.slice(workflowId.indexOf(':') + 1);
  return uuid.test(id) ? id : null;
}
