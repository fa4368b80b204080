import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { WorkerOptions } from '@temporalio/worker';
import { payloadConverterPath } from '../../workers/workflow-bundle.ts';
import { searchAttributes } from '../../workflows/processes/search-attributes.ts';
import { coverageSinks } from './coverage.ts';
import { addressOf } from './servers.ts';

const { IndexedValueType } = proto.temporal.api.enums.v1;

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
  const executable = { type: 'existing-path', path: await addressOf('test-server') } as const;
  return withSearchAttributes(
    await startedWithin(3, () => TestWorkflowEnvironment.createTimeSkipping({ server: { executable } })),
  );
}

// The SDK gives a server five seconds to start, which a JVM on a busy machine may miss the first time.
async function startedWithin<T>(attempts: number, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    if (attempts === 1) throw error;
    return await startedWithin(attempts - 1, start);
  }
}

/** The same environment with the product's search attributes; the time-skipping server can add them, but not list them. */
export async function withSearchAttributes(environment: TestWorkflowEnvironment): Promise<TestWorkflowEnvironment> {
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

/** Waits until `condition` holds, asking every 20 ms; throws after `seconds` with what was waited for. */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  { seconds = 10 } = {},
): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Waited ${seconds} s in vain until ${what}.`);
    await pause(20);
  }
}
