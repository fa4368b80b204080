import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import pino from 'pino';
import { v7 as uuidv7 } from 'uuid';
import type { AutomationActivities } from '../../activities/automation.types.ts';
import { OutboxEvent } from '../../db/automation/outbox-event.ts';
import { claimEvents } from '../../db/automation/outbox.queries.ts';
import { acrossOrganizations, inOrganization, openDatabase } from '../../db/database.ts';
import { eventRow } from '../../db/model/changes.ts';
import { insertRows } from '../../db/model/set-based.ts';
import { createOutboxRound } from '../../workers/outbox.ts';
import { databaseFixture } from '../db/database-fixture.ts';
import { adminOf, makeOrganization, type TestOrganization } from '../support/factories.ts';
import { eventually, sharedTemporal, testWorker, type TestWorker } from '../support/temporal.ts';

const log = pino({ level: 'silent' });
const fixture = databaseFixture();
const execute = <Row>(sql: string, parameters: unknown[] = []) =>
  acrossOrganizations(fixture.relay, (em) => em.execute<Row[]>(sql, parameters));

describe('the outbox', () => {
  let temporal: TestWorkflowEnvironment;
  let org: TestOrganization;
  const batches: string[] = [];
  let worker: TestWorker;
  let round: ReturnType<typeof createOutboxRound>;

  beforeAll(async () => {
    const activities: Pick<AutomationActivities, 'deliverBatch'> = {
      async deliverBatch({ batchId }) {
        batches.push(batchId);
        await execute('update crm_core.crm_outbox set delivered_at = now() where batch_id = ?', [batchId]);
      },
    };
    temporal = await sharedTemporal();
    worker = await testWorker(temporal, activities);
    round = createOutboxRound({ relay: fixture.relay, temporal: temporal.client, taskQueue: worker.taskQueue, log });
  });
  afterAll(async () => {
    await worker?.close();
    await temporal?.teardown();
  });
  beforeEach(async () => {
    batches.length = 0;
    await execute('delete from crm_core.crm_outbox');
    org = await makeOrganization(fixture.app);
  });

  const makeEvents = (count: number) =>
    inOrganization(fixture.app, org.id, async (em) => {
      const change = {
        organizationId: org.id,
        actor: adminOf(org),
        at: new Date(),
        subjectType: 'lead',
        subjectId: uuidv7(),
        commandId: null,
      };
      const rows = Array.from({ length: count }, () => eventRow(change, 'lead.touched').rows).flat();
      await insertRows(em, [{ into: OutboxEvent, rows }]);
    });
  const undelivered = async () =>
    Number(
      (await execute<{ count: string }>('select count(*) from crm_core.crm_outbox where delivered_at is null'))[0]
        ?.count,
    );

  it('leaves in batches of at most a hundred, each by a workflow of its own', async () => {
    await makeEvents(250);
    expect([await round(), await round(), await round(), await round()]).toEqual(['more', 'more', 'some', 'none']);
    await eventually('all is delivered', async () => (await undelivered()) === 0);
    expect(new Set(batches).size).toBe(3);
  });

  it('is shared out among relays, no event to two of them', async () => {
    await makeEvents(500);
    const second = await openDatabase({ url: fixture.url, role: 'crm_relay' });
    const claims = await Promise.all(
      [fixture.relay, second, fixture.relay, second, fixture.relay, second].map((pool) =>
        claimEvents(pool, uuidv7(), 100),
      ),
    );
    await second.close();
    expect(claims.reduce((sum, count) => sum + count, 0)).toBe(500);
    const sizes = await execute<{ count: string }>('select count(*) from crm_core.crm_outbox group by batch_id');
    const ascending = (counts: number[]) => counts.toSorted((one, other) => one - other);
    expect(ascending(sizes.map(({ count }) => Number(count)))).toEqual(ascending(claims.filter((count) => count > 0)));
  });

  it('has a batch started again that a crash left between claim and start', async () => {
    await makeEvents(3);
    const batchId = uuidv7();
    await claimEvents(fixture.relay, batchId, 100);
    expect(await round()).toBe('none');
    expect(batches).toEqual([]);
    await execute(`update crm_core.crm_outbox set claimed_at = now() - interval '31 seconds'`);
    await round();
    await eventually('all is delivered', async () => (await undelivered()) === 0);
    expect(batches).toEqual([batchId]);
  });

  it('gives a new run to a batch whose workflow is gone, and leaves one that runs alone', async () => {
    await makeEvents(1);
    const batchId = uuidv7();
    await claimEvents(fixture.relay, batchId, 100);
    const start = { workflowId: `outbox:${batchId}`, taskQueue: `nobody-${uuidv7()}`, args: [{ batchId }] };
    const lost = await temporal.client.workflow.start('deliverEvents', start);
    const makeStalled = () =>
      execute(`update crm_core.crm_outbox set attempts = 3, claimed_at = now() - interval '6 minutes'`);
    await makeStalled();
    await round();
    expect((await temporal.client.workflow.getHandle(start.workflowId).describe()).runId).toBe(
      lost.firstExecutionRunId,
    );

    await lost.terminate();
    await round();
    expect(await undelivered()).toBe(1);
    await makeStalled();
    await round();
    await eventually('it is delivered', async () => (await undelivered()) === 0);
  });
});
