import {
  type Client,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { readAnswer } from '../../db/automation/answers.queries.ts';
import type { StoredCommand } from '../../db/automation/ledger.queries.ts';
import { isUnderway } from '../../db/automation/process-records.queries.ts';
import { keepRefused, withdrawCommand } from '../../db/automation/refused-commands.queries.ts';
import type { Database } from '../../db/database.ts';
import { Problem, type ProblemCode, type ProblemEntry, problemStatus } from '../../db/model/problem.ts';
import type { Envelope } from '../../workflows/processes/envelope.ts';
import { type Message, type Process, splitPayload } from '../../workflows/processes/messages.ts';
import { startSearchAttributes } from '../../workflows/processes/search-attributes.ts';
import { utcMinute } from '../../workflows/text/utc-minute.ts';
import { DeadlinePassed, withinDeadline } from './deadline.ts';
import { processNamed, resourceOfProcess } from './processes.ts';

/** What became of a stored command. */
export type Delivery =
  /** Carried out; status and body as the activity stored them in its own transaction. */
  | { outcome: 'answered'; status: number; body: Record<string, unknown> | null }
  /** Refused by the process: nothing happened. The ledger row is withdrawn when its sender hears it now, else it is kept. */
  | { outcome: 'refused'; problem: Problem }
  /**
   * No outcome in time, Temporal away, or no run of a process that is to go on (its record was restored, and the new run
   * starts with the event of that): deliver again, the update ID is the same.
   */
  | { outcome: 'pending'; reason: string };

export interface DeliveryOptions {
  client: Client;
  database: Database;
  taskQueue: string;
  /** Milliseconds to wait for an outcome. */
  waitMilliseconds: number;
}

/**
 * Delivers stored commands to their processes; the API does it at once, the relay for what is still owed. The `sender`
 * waits for the outcome, or was told already that the command is accepted: a refusal is kept for that one.
 */
export type Deliver = (command: StoredCommand, sender: 'waits' | 'has gone') => Promise<Delivery>;

/**
 * Makes `deliver`: an Update whose ID is the command's, so that a repetition changes nothing. A message that its process
 * does not declare is its start (`captured`), sent by update-with-start; so is one that reopens a closed process.
 */
export function createDelivery({ client, database, taskQueue, waitMilliseconds }: DeliveryOptions): Deliver {
  return async (command, sender) => {
    const failure = await withinDeadline(client, waitMilliseconds, () => send(client, taskQueue, command)).then(
      () => null,
      (error: unknown) => error,
    );
    const answer = await readAnswer(database, command.organizationId, command.commandId);
    if (answer) return { outcome: 'answered', ...answer };
    const problem = failure === null ? null : await refusalOf(failure, database, command);
    if (!problem) return { outcome: 'pending', reason: reasonOf(failure) };
    if (sender === 'has gone') await keepRefused(database, command, problem);
    else await withdrawCommand(database, command.organizationId, command.commandId);
    return { outcome: 'refused', problem };
  };
}

/** Any workflow: its argument names the organisation and the record. */
type WorkflowFn = (record: Record<string, string>) => Promise<unknown>;

function send(client: Client, taskQueue: string, command: StoredCommand): Promise<unknown> {
  const process = processNamed(command.process);
  const workflowId = process.workflowId(command.recordId);
  const message = process.messages[command.message];
  const updateId = command.commandId;
  if (message && !message.reopens) {
    return client.workflow
      .getHandle(workflowId)
      .executeUpdate(command.message, { updateId, args: messageArgs(message, command) });
  }
  return client.workflow.executeUpdateWithStart<WorkflowFn, unknown, unknown[]>(command.message, {
    updateId,
    args: message ? messageArgs(message, command) : [],
    // A start that a broken run left undone is made again; one that was carried out never is.
    startWorkflowOperation: startOf(
      process,
      taskQueue,
      command,
      message ? 'ALLOW_DUPLICATE' : 'ALLOW_DUPLICATE_FAILED_ONLY',
    ),
  });
}

function messageArgs(message: Message, { commandId, receivedAt, actor, body }: StoredCommand): [unknown, Envelope] {
  const { travels } = splitPayload(message, body as Record<string, unknown>);
  return [travels, { commandId, receivedAt: receivedAt.toISOString(), actor }];
}

/** A start; each operation object serves one call. */
function startOf(
  process: Process,
  taskQueue: string,
  { organizationId, recordId, receivedAt }: StoredCommand,
  workflowIdReusePolicy: 'ALLOW_DUPLICATE' | 'ALLOW_DUPLICATE_FAILED_ONLY',
) {
  return new WithStartWorkflowOperation<WorkflowFn>(process.workflowType, {
    workflowId: process.workflowId(recordId),
    taskQueue,
    args: [{ organizationId, [`${process.name}Id`]: recordId }],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy,
    staticSummary: `${process.name} · received ${utcMinute(receivedAt.toISOString())}`,
    typedSearchAttributes: startSearchAttributes(organizationId, process.name, recordId),
  });
}

/** The Problem that a failed Update means, or null when it says nothing about the command. */
async function refusalOf(failure: unknown, database: Database, command: StoredCommand): Promise<Problem | null> {
  const cause = failure instanceof WorkflowUpdateFailedError ? failure.cause : undefined;
  if (cause instanceof ApplicationFailure && isProblemCode(cause.type)) {
    return new Problem(cause.type, cause.message, entriesOf(cause.details));
  }
  if (!foundNoRun(failure)) return null;
  const { organizationId, message, recordId } = command;
  const process = processNamed(command.process);
  const declared = process.messages[message];
  // What starts a run needs none: this one broke off, or was about to close.
  if (!declared || declared.reopens) return null;
  // The row says more than the run: it may have been restored, and the event that starts the new run is on its way.
  if (await isUnderway(database, organizationId, resourceOfProcess(process), recordId, process.finalStages))
    return null;
  return new Problem('illegal_stage', `The ${process.name}'s process has ended; ${message} is not possible any more.`);
}

/** Whether no run took a message: there is none, or it was about to close. */
function foundNoRun(failure: unknown): boolean {
  const cause = failure instanceof WorkflowUpdateFailedError ? failure.cause : undefined;
  return (
    failure instanceof WorkflowNotFoundError ||
    failure instanceof WorkflowExecutionAlreadyStartedError ||
    (cause instanceof ApplicationFailure && cause.type === 'AcceptedUpdateCompletedWorkflow')
  );
}

function isProblemCode(type: string | undefined | null): type is ProblemCode {
  return typeof type === 'string' && Object.hasOwn(problemStatus, type);
}

function entriesOf(details: unknown[] | undefined | null): ProblemEntry[] {
  const [first] = details ?? [];
  const entries = Array.isArray(first) ? first : (first as { errors?: unknown } | undefined)?.errors;
  return Array.isArray(entries) ? (entries as ProblemEntry[]) : [];
}

function reasonOf(failure: unknown): string {
  if (failure === null) return 'answered without a stored answer';
  if (foundNoRun(failure)) return 'the process has no run now';
  if (failure instanceof DeadlinePassed) return 'no answer within the time';
  if (!(failure instanceof Error)) return typeof failure;
  return failure instanceof WorkflowUpdateFailedError && failure.cause
    ? `update failed: ${failure.cause.name}`
    : failure.name;
}
