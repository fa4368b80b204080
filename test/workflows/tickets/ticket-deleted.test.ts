import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { createSubscribers } from '../../../activities/automation/subscribers.ts';
import type { UndeliveredEvent } from '../../../db/automation/outbox.queries.ts';
import { tickets } from '../../../db/tickets/ticket.ts';
import { after } from '../../activities/tickets/ticket-house.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { writeAs } from '../../support/factories.ts';
import { eventually, timeSkipping } from '../../support/temporal.ts';
import { SlaWorld } from './sla-world.ts';

const fixture = databaseFixture();
const minutes = (count: number) => count * 60_000;

let environment: TestWorkflowEnvironment;
let world: SlaWorld;

beforeAll(async () => {
  environment = await timeSkipping();
});
afterEach(() => world?.close());
afterAll(() => environment?.teardown());

/** Delivers the last event of a kind about a ticket to whoever is to hear of it. */
async function deliver(kind: string, ticketId: string): Promise<void> {
  const { taskQueue, house } = world;
  const subscriberOf = createSubscribers({
    relay: fixture.relay,
    database: fixture.app,
    temporal: environment.client,
    mail: null,
    taskQueues: { processes: taskQueue, bulk: taskQueue },
  });
  const [event] = await house.sql<UndeliveredEvent>(
    `select event_id as id, organization_id as "organizationId", kind, subject_id as "subjectId", payload
     from crm_core.crm_outbox where subject_id = ? and kind = ?`,
    [ticketId, kind],
  );
  if (!event) throw new Error(`There is no event ${kind}`);
  await subscriberOf(kind)?.(event);
}

describe('a ticket that is deleted', () => {
  it('ends its process; restored, it has a new one, and its customer has waited all the while', async () => {
    world = await SlaWorld.open(environment, fixture.app);
    const { house } = world;
    const { ticketId, handle, openedAt } = await world.start({ priority: 'P1' });
    const firstRun = (await handle.describe()).runId;
    const { records } = house.org;
    await records.remove(writeAs(house.admin, { receivedAt: await world.now() }), tickets, ticketId, '*');
    await deliver('ticket.removed', ticketId);
    expect(await handle.result()).toMatchObject({ isDeleted: true, stage: 'assigned' });

    await environment.sleep(minutes(100));
    expect(await house.steps(ticketId)).toEqual([]);
    const restoredAt = await world.now();
    await records.restore(writeAs(house.admin, { receivedAt: restoredAt }), tickets, ticketId);
    await deliver('ticket.restored', ticketId);
    await eventually('it is breached', async () => (await house.ticket(ticketId))['sla'] === 'breached');
    expect((await handle.describe()).runId).not.toBe(firstRun);
    const [first, resolution] = await house.clocks(ticketId);
    expect(first).toMatchObject({ state: 'breached', breached_at: after(openedAt, 60) });
    expect(Number(first?.breach_detected_at)).toBeGreaterThanOrEqual(restoredAt.getTime());
    expect(resolution).toMatchObject({ state: 'running', due_at: after(openedAt, 240) });

    await world.send({ ticketId, handle }, 'reply', { text: 'Sorry.' });
    await world.send({ ticketId, handle }, 'close');
    expect(await handle.result()).toMatchObject({ stage: 'closed' });
  });
});
