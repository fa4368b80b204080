import { afterAll, beforeAll } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import { MockActivityEnvironment, type TestWorkflowEnvironment } from '@temporalio/testing';
import { v7 as uuidv7 } from 'uuid';
import { createAutomationActivities } from '../../activities/automation.ts';
import type { Process } from '../../workflows/processes/messages.ts';
import type { DatabaseFixture } from '../db/database-fixture.ts';
import { sharedTemporal } from '../support/temporal.ts';

/** Processes on a task queue at which nobody works: what each was told is in its history. */
export interface UnattendedProcesses {
  /** Starts the process of a record. */
  start(process: Process, recordId: string, argument: object): Promise<void>;
  /** The process of a record, or by its identifier what a delivery has started: ended with the others. */
  handle(workflowId: string): WorkflowHandle;
  /** The signals that the process of a record was sent, in order. */
  signalsOf(process: Process, recordId: string): Promise<string[]>;
  /** Delivers the events of a batch, as the relay does. */
  deliver(batchId: string): Promise<void>;
}

/** The processes for the tests of one file, which end with it. */
export function unattendedProcesses(database: DatabaseFixture): UnattendedProcesses {
  const taskQueue = `unattended-${uuidv7()}`;
  const started = new Set<string>();
  let environment: TestWorkflowEnvironment;

  const handle = (workflowId: string) => {
    started.add(workflowId);
    return environment.client.workflow.getHandle(workflowId);
  };

  beforeAll(async () => {
    environment = await sharedTemporal();
  });
  afterAll(async () => {
    for (const workflowId of started)
      await handle(workflowId)
        .terminate()
        .catch(() => undefined);
    await environment.teardown();
  });

  return {
    handle,

    async start(process, recordId, argument) {
      const workflowId = process.workflowId(recordId);
      started.add(workflowId);
      await environment.client.workflow.start(process.workflowType, { workflowId, taskQueue, args: [argument] });
    },

    async signalsOf(process, recordId) {
      const { events } = await handle(process.workflowId(recordId)).fetchHistory();
      return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) => signal?.signalName ?? []);
    },

    async deliver(batchId) {
      const { deliverBatch } = createAutomationActivities({
        database: database.app,
        relay: database.relay,
        temporal: environment.client,
        mail: null,
        taskQueues: { processes: taskQueue, bulk: taskQueue },
      });
      await new MockActivityEnvironment().run(deliverBatch, { batchId });
    },
  };
}
