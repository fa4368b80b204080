import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { createSubscribers } from '../../../activities/automation/subscribers.ts';
import type { UndeliveredEvent } from '../../../db/automation/outbox.queries.ts';
import { leads } from '../../../db/leads/lead.ts';
import { leadProcess } from '../../../workflows/leads/messages.ts';
import { startSearchAttributes } from '../../../workflows/processes/search-attributes.ts';
import { makeHouse } from '../../activities/leads/house.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { writeAs } from '../../support/factories.ts';
import { eventually, sharedTemporal, testWorker, type TestWorker } from '../../support/temporal.ts';
import { currentDetails } from './intake-world.ts';

const fixture = databaseFixture();
const taskQueue = `test-${randomUUID()}`;
let environment: TestWorkflowEnvironment;
let worker: TestWorker;

beforeAll(async () => {
  environment = await sharedTemporal();
});
afterAll(async () => {
  await worker?.close();
  await environment?.teardown();
});

it('a deleted lead ends its process, and restored has a new one that begins its ladder anew', async () => {
  const house = await makeHouse(fixture.app);
  worker = await testWorker(environment, house.activities, { taskQueue });
  const { leadId } = await house.receive({ email: 'ada@example.com', source: 'web' });
  const { client } = environment;
  const { id: organizationId, records } = house.org;
  await client.workflow.start(leadProcess.workflowType, {
    workflowId: leadProcess.workflowId(leadId),
    taskQueue,
    args: [{ organizationId, leadId }],
    typedSearchAttributes: startSearchAttributes(organizationId, leadProcess.name, leadId),
  });
  const handle = client.workflow.getHandle(leadProcess.workflowId(leadId));
  expect(await handle.executeUpdate(leadProcess.startUpdate)).toBe('assigned');
  expect(await currentDetails(handle)).toContain('| next action | remind owner');
  const firstRun = (await handle.describe()).runId;

  const subscriberOf = createSubscribers({
    relay: fixture.relay,
    database: fixture.app,
    temporal: client,
    mail: null,
    taskQueues: { processes: taskQueue, bulk: taskQueue },
  });
  const deliver = async (kind: string) => {
    const [event] = await house.sql<UndeliveredEvent>(
      `select event_id as id, organization_id as "organizationId", kind, subject_id as "subjectId", payload,
         occurred_at as "occurredAt"
       from crm_core.crm_outbox where subject_id = ? and kind = ?`,
      [leadId, kind],
    );
    if (!event) throw new Error(`There is no event ${kind}`);
    await subscriberOf(kind)?.(event);
  };

  await records.remove(writeAs(house.admin), leads, leadId, '*');
  await deliver('lead.removed');
  expect(await handle.result()).toMatchObject({ isDeleted: true });
  expect(await house.count('crm_users', 'open_leads > 0')).toBe(0);

  // It stayed deleted for longer than its ladder.
  await house.sql(
    `update crm_core.crm_leads set assigned_at = assigned_at - interval '3 days', next_due_at = next_due_at - interval '3 days',
       version = version + 1 where lead_id = ?`,
    [leadId],
  );
  await records.restore(writeAs(house.admin), leads, leadId);
  await deliver('lead.restored');
  await eventually('it runs again', async () => (await handle.describe()).runId !== firstRun);
  expect(await handle.executeUpdate(leadProcess.startUpdate)).toBe('assigned');
  expect(await currentDetails(handle)).toContain('| next action | remind owner');
  expect(await house.count('crm_lead_steps')).toBe(0);
  expect((await handle.describe()).status.name).toBe('RUNNING');
  await handle.terminate();
});
