import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { MockActivityEnvironment, type TestWorkflowEnvironment } from '@temporalio/testing';
import { v7 as uuidv7 } from 'uuid';
import { createAutomationActivities } from '../../activities/automation.ts';
import { capacityFreed } from '../../activities/tickets/capacity.ts';
import { inOrganization } from '../../db/database.ts';
import { eventRow } from '../../db/model/changes.ts';
import { type Insertion, insertRows } from '../../db/model/set-based.ts';
import { tickets } from '../../db/tickets/ticket.ts';
import { ticketProcess } from '../../workflows/tickets/messages.ts';
import { databaseFixture } from '../db/database-fixture.ts';
import { adminOf, writeAs } from '../support/factories.ts';
import { eventually, sharedTemporal } from '../support/temporal.ts';
import { type Desk, makeDesk } from './tickets/routing-house.ts';

const fixture = databaseFixture();
let environment: TestWorkflowEnvironment;
const started: string[] = [];
// Nobody works on this queue: what a process was told is in its history.
const taskQueue = `unattended-${uuidv7()}`;

beforeAll(async () => {
  environment = await sharedTemporal();
});
afterAll(async () => {
  for (const workflowId of started)
    await environment.client.workflow
      .getHandle(workflowId)
      .terminate()
      .catch(() => undefined);
  await environment.teardown();
});

/** A queued ticket with a process. */
async function queuedTicket(desk: Desk): Promise<string> {
  const ticketId = await desk.open();
  await desk.route(ticketId);
  const workflowId = ticketProcess.workflowId(ticketId);
  started.push(workflowId);
  const args = [{ organizationId: desk.org.id, ticketId }];
  await environment.client.workflow.start(ticketProcess.workflowType, { workflowId, taskQueue, args });
  return ticketId;
}

async function signalsOf(workflowId: string): Promise<string[]> {
  const { events } = await environment.client.workflow.getHandle(workflowId).fetchHistory();
  return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) => signal?.signalName ?? []);
}

const toldTimes = async (ticketId: string) =>
  (await signalsOf(ticketProcess.workflowId(ticketId))).filter((name) => name === 'capacityFreed').length;

async function deliver({ org }: Desk, events: Insertion): Promise<void> {
  const batchId = uuidv7();
  const rows = events.rows.map((row) => ({ ...row, batchId }));
  await inOrganization(fixture.app, org.id, (em) => insertRows(em, [{ ...events, rows }]));
  const { deliverBatch } = createAutomationActivities({
    database: fixture.app,
    relay: fixture.relay,
    temporal: environment.client,
    mail: null,
    taskQueues: { processes: taskQueue, bulk: taskQueue },
  });
  await new MockActivityEnvironment().run(deliverBatch, { batchId });
}

const change = ({ org }: Desk, subjectType: string, subjectId: string) => ({
  organizationId: org.id,
  actor: adminOf(org),
  at: new Date(),
  subjectType,
  subjectId,
  commandId: null,
});

it('the oldest tickets in the queue hear when a place is free, one for each place', async () => {
  const desk = await makeDesk(fixture.app, { agents: [{ ticketCapacity: 1 }] });
  const userId = String(desk.agents[0]?.id);
  const held = await desk.open();
  await desk.route(held);
  const [first, second] = [await queuedTicket(desk), await queuedTicket(desk)];
  await deliver(desk, capacityFreed(change(desk, 'ticket', held), userId));
  expect([await toldTimes(first), await toldTimes(second)]).toEqual([0, 0]);
  await desk.resolve(held);
  await deliver(desk, capacityFreed(change(desk, 'ticket', held), userId));
  await eventually('the first one heard', async () => (await toldTimes(first)) === 1);
  expect(await toldTimes(second)).toBe(0);
});

it('they hear at once when a ticket of their agent is deleted, though its process has ended', async () => {
  const desk = await makeDesk(fixture.app, { agents: [{ ticketCapacity: 1 }] });
  const held = await desk.open();
  await desk.route(held);
  const waiting = await queuedTicket(desk);
  await desk.org.records.remove(writeAs(adminOf(desk.org)), tickets, held, '*');
  const [removed] = await desk.sql<{ kind: string }>(`select kind from crm_core.crm_outbox where subject_id = ?`, [
    held,
  ]);
  expect(removed).toEqual({ kind: 'ticket.removed' });
  await deliver(desk, eventRow(change(desk, 'ticket', held), 'ticket.removed'));
  await eventually('the first one heard', async () => (await toldTimes(waiting)) === 1);
});

it('they hear when somebody has more capacity, and one whose process has ended is passed over', async () => {
  const desk = await makeDesk(fixture.app, { agents: [{ ticketCapacity: 0 }] });
  const userId = String(desk.agents[0]?.id);
  const [ended, waiting] = [await queuedTicket(desk), await queuedTicket(desk)];
  await environment.client.workflow.getHandle(ticketProcess.workflowId(ended)).terminate();
  await desk.sql('update crm_core.crm_users set ticket_capacity = 5 where user_id = ?', [userId]);
  await deliver(desk, eventRow(change(desk, 'user', userId), 'user.updated'));
  await eventually('it heard', async () => (await toldTimes(waiting)) === 1);
  started.push(`fan-out:${desk.org.id}:user:${userId}`);
});

it('a ticket hears that somebody has changed its row, and one whose process has ended is passed over', async () => {
  const desk = await makeDesk(fixture.app, { agents: [{ ticketCapacity: 0 }] });
  const [ended, waiting] = [await queuedTicket(desk), await queuedTicket(desk)];
  await environment.client.workflow.getHandle(ticketProcess.workflowId(ended)).terminate();
  for (const ticketId of [ended, waiting])
    await deliver(desk, eventRow(change(desk, 'ticket', ticketId), 'ticket.updated'));
  for (const fields of [['description'], ['description', 'category']])
    await deliver(desk, eventRow(change(desk, 'ticket', waiting), 'ticket.updated', { fields }));
  expect(await signalsOf(ticketProcess.workflowId(waiting))).toEqual([
    'configurationChanged',
    'configurationChanged',
    'factsChanged',
  ]);
  expect(await signalsOf(ticketProcess.workflowId(ended))).toEqual([]);
});
