import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { jest } from '@jest/globals';
import {
  type Client,
  type Connection,
  isGrpcServiceError,
  ServiceError,
  type WorkflowHandle,
} from '@temporalio/client';
import proto from '@temporalio/proto';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { WorkerOptions } from '@temporalio/worker';
import { payloadConverterPath } from '../../workers/workflow-bundle.ts';
import { searchAttributes } from '../../workflows/processes/search-attributes.ts';
import { coverageSinks } from './coverage.ts';
import { addressOf } from './servers.ts';
import { startTimeSkippingServer } from './time-skipping-server.ts';

const { IndexedValueType } = proto.temporal.api.enums.v1;

// Where a server is started or a worker loads the bundle, a bound is for what hangs, not for what is slow.
jest.setTimeout(180_000);

Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR' } } });

/** The dev server of this run, shared by all test files: each keeps to task queues and IDs of its own. `teardown()` when done. */
export async function sharedTemporal(): Promise<TestWorkflowEnvironment> {
  return withSearchAttributes(
    await TestWorkflowEnvironment.createFromExistingServer({
      address: await addressOf('temporal'),
      namespace: 'default',
    }),
  );
}

/**
 * A time-skipping server of the test's own: timers pass at once while the test awaits a result or `sleep`s. For one
 * workflow at a time; under parallel load it skips past task timeouts. `teardown()` when done.
 */
export async function timeSkipping(): Promise<TestWorkflowEnvironment> {
  const server = await startTimeSkippingServer(await addressOf('test-server'));
  // The public way to an environment on a running server is without time skipping; `create` is what both ways call.
  const environment = await TestWorkflowEnvironment['create']({
    server: { type: 'existing' },
    address: server.address,
    supportsTimeSkipping: true,
  });
  const disconnect = environment.teardown.bind(environment);
  environment.teardown = async () => {
    await disconnect();
    await server.stop();
  };
  return await withSearchAttributes(environment);
}

/**
 * Lets time pass on a time-skipping server while nobody works. The server itself stands still as long as a workflow task
 * waits for a worker: this lets go of that hold once the task is there, and takes it back.
 */
export async function sleepUnattended(
  environment: TestWorkflowEnvironment,
  handle: WorkflowHandle,
  milliseconds: number,
): Promise<void> {
  const { testService } = environment.connection as Connection;
  if (!testService) throw new Error('This server skips no time.');
  const passed = environment.sleep(milliseconds);
  await eventually('a workflow task waits', async () => {
    const { events } = await handle.fetchHistory();
    return Boolean(events?.at(-1)?.workflowTaskScheduledEventAttributes);
  });
  await testService.unlockTimeSkipping({});
  await passed;
  await testService.lockTimeSkipping({});
}

/** The same environment with the product's search attributes; the time-skipping server can add them, but not list them. */
async function withSearchAttributes(environment: TestWorkflowEnvironment): Promise<TestWorkflowEnvironment> {
  const types = Object.values(searchAttributes).map(({ name, type }) => [
    name,
    type === 'DATETIME' ? IndexedValueType.INDEXED_VALUE_TYPE_DATETIME : IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  ]);
  await environment.connection.operatorService.addSearchAttributes({
    namespace: environment.namespace ?? 'default',
    searchAttributes: Object.fromEntries(types),
  });
  return environment;
}

/** A worker that runs. */
export interface TestWorker {
  client: Client;
  taskQueue: string;
  /** Lets it finish what it has begun, then stops it. */
  close(): Promise<void>;
}

/** Starts a worker with the run's workflow bundle on a task queue of its own (or `options.taskQueue`). */
export async function testWorker(
  environment: TestWorkflowEnvironment,
  activities: object,
  options: Partial<WorkerOptions> = {},
): Promise<TestWorker> {
  const taskQueue = options.taskQueue ?? `test-${randomUUID()}`;
  const worker = await Worker.create({
    ...options,
    connection: environment.nativeConnection,
    namespace: environment.namespace,
    taskQueue,
    activities,
    workflowBundle: { codePath: await addressOf('bundle') },
    dataConverter: { payloadConverterPath },
    sinks: coverageSinks,
    shutdownGraceTime: '5s',
  });
  const running = worker.run();
  return {
    client: environment.client,
    taskQueue,
    async close() {
      worker.shutdown();
      await running;
    },
  };
}

/** Sends three big Signals: Temporal asks for a new run when a history has grown to 4 MB, and takes 2 MB at a time. */
export async function outgrowRun(handle: WorkflowHandle, signal: string): Promise<void> {
  for (let sent = 0; sent < 3; sent += 1) await handle.signal(signal, new Uint8Array(1_500_000));
}

const failedPrecondition = 9;

/**
 * Sends something again, as the relay does, while the run that it reaches is being closed: a Signal that comes meanwhile
 * fails the workflow task and, now and then, the Update in it.
 */
export async function untilAccepted<T>(send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    const cause = error instanceof ServiceError ? error.cause : null;
    if (!isGrpcServiceError(cause) || Number(cause.code) !== failedPrecondition) throw error;
    return await untilAccepted(send);
  }
}

/** Waits until `condition` holds, asking every 20 ms; throws after `seconds` with what was waited for. */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  { seconds = 60 } = {},
): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Waited ${seconds} s in vain until ${what}.`);
    await pause(20);
  }
}
