import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { AutomationActivities, ConfigurationChange } from '../../../activities/automation.types.ts';
import { changedSignal, fanOutWorkflowId, outboxWorkflowId } from '../../../workflows/automation/messages.ts';
import { keepHistory } from '../../support/histories.ts';
import { outgrowRun, sharedTemporal, testWorker, type TestWorker } from '../../support/temporal.ts';

let environment: TestWorkflowEnvironment;
let worker: TestWorker;
let signalled: string[];
let delivered: string[];
let failures: number;
let beforeSignalling: (page: number) => Promise<void>;

const pages = [['lead:1', 'lead:2'], ['lead:3'], []];
let asked: (string | null)[];
const activities: AutomationActivities = {
  async deliverBatch({ batchId }) {
    if (failures-- > 0) throw new Error('connect ECONNREFUSED');
    delivered.push(batchId);
  },
  async affectedProcesses({ cursor }) {
    asked.push(cursor);
    const page = Number(cursor ?? 0);
    return { workflowIds: pages[page] ?? [], cursor: page + 1 < pages.length ? String(page + 1) : null };
  },
  async signalConfigurationChanged({ workflowIds, perSecond }) {
    expect(perSecond).toBeLessThanOrEqual(50);
    await beforeSignalling(signalled.length);
    signalled.push(...workflowIds);
  },
};

beforeAll(async () => {
  environment = await sharedTemporal();
  worker = await testWorker(environment, activities);
});
afterAll(async () => {
  await worker?.close();
  await environment?.teardown();
});
beforeEach(() => {
  asked = [];
  signalled = [];
  delivered = [];
  failures = 0;
  beforeSignalling = async () => undefined;
});

describe('deliverEvents', () => {
  it('delivers a batch, also when the first attempt fails', async () => {
    const batchId = randomUUID();
    failures = 1;
    const { taskQueue, client } = worker;
    const handle = await client.workflow.start('deliverEvents', {
      workflowId: outboxWorkflowId(batchId),
      taskQueue,
      args: [{ batchId }],
    });
    await handle.result();
    expect(delivered).toEqual([batchId]);
    await keepHistory('events-delivered', handle);
  });
});

describe('fanOutConfiguration', () => {
  const start = async (change: ConfigurationChange) =>
    await worker.client.workflow.signalWithStart('fanOutConfiguration', {
      workflowId: fanOutWorkflowId(change),
      taskQueue: worker.taskQueue,
      args: [change],
      signal: changedSignal,
    });
  const change = (): ConfigurationChange => ({ organizationId: randomUUID(), kind: 'calendar', id: randomUUID() });

  it('tells every affected process once', async () => {
    const handle = await start(change());
    await handle.result();
    expect(signalled).toEqual(['lead:1', 'lead:2', 'lead:3']);
    await keepHistory('configuration-fanned-out', handle);
  });

  it('goes round once more for a change that comes while it runs', async () => {
    const changed = change();
    beforeSignalling = async (sent) => {
      if (sent === 2) await start(changed);
    };
    const handle = await start(changed);
    await handle.result();
    expect(signalled).toEqual(['lead:1', 'lead:2', 'lead:3', 'lead:1', 'lead:2', 'lead:3']);
  });

  it('goes round by itself when it is started without the signal', async () => {
    const changed = change();
    await worker.client.workflow.execute('fanOutConfiguration', {
      workflowId: fanOutWorkflowId(changed),
      taskQueue: worker.taskQueue,
      args: [changed, { cursor: '1', changed: false }],
    });
    expect(signalled).toEqual(['lead:3']);
  });

  it('continues as new between two pages, and keeps its place and a change that came before', async () => {
    const changed = change();
    beforeSignalling = async (sent) => {
      if (sent === 0) await outgrowRun(worker.client.workflow.getHandle(fanOutWorkflowId(changed)), changedSignal);
    };
    const handle = await start(changed);
    await handle.result();

    expect(asked).toEqual([null, '1', '2', null, '1', '2']);
    expect(signalled).toEqual(['lead:1', 'lead:2', 'lead:3', 'lead:1', 'lead:2', 'lead:3']);
    const { runId: lastRunId } = await worker.client.workflow.getHandle(handle.workflowId).describe();
    expect(lastRunId).not.toBe(handle.signaledRunId);
  });
});
