import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { ticketProcess } from '../../../workflows/tickets/messages.ts';
import { after } from '../../activities/tickets/ticket-house.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { eventually, outgrowRun, sharedTemporal } from '../../support/temporal.ts';
import { declaredMessages, takenMessages } from '../leads/intake-world.ts';
import { SlaWorld } from './sla-world.ts';

const fixture = databaseFixture();
let environment: TestWorkflowEnvironment;
let world: SlaWorld;

beforeAll(async () => {
  environment = await sharedTemporal();
  world = await SlaWorld.open(environment, fixture.app);
});
afterAll(async () => {
  await world?.close();
  await environment?.teardown();
});

it('takes every declared message as a Signal and as an Update, in the words of its declaration', async () => {
  const { handle } = await world.start();
  expect(await takenMessages(handle)).toMatchObject(declaredMessages(ticketProcess));
  await handle.terminate();
});

it('a hundred messages across a new run lose none, and no run grows long', async () => {
  const ticket = await world.start({ priority: 'P1' });
  const { handle, ticketId } = ticket;
  const firstRun = (await handle.describe()).runId;
  await world.send(ticket, 'reply', { text: 'Hello' });
  for (let count = 1; count <= 50; count += 1)
    await handle.signal('customerReply', { text: `Message ${count}`, messageId: `m${count}@example.org` });
  await outgrowRun(handle, 'unheardOf');
  // Half of these repeat what was sent before the roll.
  for (let count = 26; count <= 75; count += 1)
    await handle.signal('customerReply', { text: `Message ${count}`, messageId: `m${count}@example.org` });
  const { house } = world;
  const stored = () => house.count('crm_conversation_messages', `ticket_id = ? and kind = 'customer'`, [ticketId]);
  await eventually('every message is stored', async () => (await stored()) >= 75);

  const next = (await house.clocks(ticketId)).filter(({ target }) => target === 'next_response');
  expect(next.map(({ ordinal, state }) => [ordinal, state])).toEqual(
    Array.from({ length: 75 }, (_, index) => [index + 1, 'running']),
  );
  expect(await world.send(ticket, 'reply', { text: 'All of it.' })).toMatchObject({ sla: 'on_track' });
  // Temporal tells a run that it has grown too long with the next task.
  await handle.signal('configurationChanged', {});
  await eventually('a new run has begun', async () => (await handle.describe()).runId !== firstRun);
  expect(await world.send(ticket, 'note', { text: 'Still here.' })).toMatchObject({ stage: 'assigned' });
  expect(await stored()).toBe(75);
  for (const runId of [firstRun, (await handle.describe()).runId]) {
    const { historyLength } = await environment.client.workflow.getHandle(handle.workflowId, runId).describe();
    expect(historyLength).toBeLessThan(4_096);
  }
  await handle.terminate();
});

it('a merge ends one process and tells the other, which has clocks for what nobody answered', async () => {
  const one = await world.start({ priority: 'P1' });
  const other = await world.start({ priority: 'P1' });
  for (const ticket of [one, other]) await world.send(ticket, 'reply', { text: 'Hello' });
  await world.send(one, 'customerReply', { text: 'Help!' });
  await world.send(one, 'merge', { intoTicketId: other.ticketId });
  expect(await one.handle.result()).toMatchObject({ stage: 'merged', mergedIntoTicketId: other.ticketId });
  await eventually('the other has a clock for it', async () =>
    (await world.house.clocks(other.ticketId)).some(({ target }) => target === 'next_response'),
  );
  await other.handle.terminate();
});

it('after two days without a worker is caught up with once, in order, and says when it was noticed', async () => {
  const { house } = world;
  await world.stopWorker();
  const back = await world.now();
  const openedAt = after(back, -2 * 24 * 60);
  const { ticketId, handle } = await world.begin({ priority: 'P1' }, openedAt);
  await world.startWorker();
  await eventually('the resolution is breached', async () => (await house.steps(ticketId)).length >= 6);
  const steps = await house.steps(ticketId);
  expect(steps.map(({ target, step }) => `${target} ${step}`)).toEqual([
    'first_response warning_50',
    'first_response warning_75',
    'first_response breach',
    'resolution warning_50',
    'resolution warning_75',
    'resolution breach',
  ]);
  for (const { detected_at } of steps) expect(detected_at.getTime()).toBeGreaterThanOrEqual(back.getTime());
  expect((await house.clocks(ticketId)).map(({ breached_at }) => breached_at)).toEqual([
    after(openedAt, 60),
    after(openedAt, 240),
  ]);
  // What is late at once is told of once.
  expect(await house.count('crm_notifications', `kind = 'ticket.warning' and subject_id = ?`, [ticketId])).toBe(0);
  expect(await house.count('crm_notifications', `kind = 'ticket.breach' and subject_id = ?`, [ticketId])).toBe(2);
  await handle.terminate();
});

it('is met by a reply at the very second of the breach, whatever the timer did', async () => {
  const { house } = world;
  await world.stopWorker();
  const openedAt = after(await world.now(), -60);
  const ticket = await world.begin({ priority: 'P1' }, openedAt);
  const due = after(openedAt, 60);
  const sent = world.send(ticket, 'reply', { text: 'Just in time.' }, due);
  await world.startWorker();
  await sent;
  const [clock] = await house.clocks(ticket.ticketId);
  expect(clock).toMatchObject({ state: 'met', met_at: due, breached: false, elapsed_minutes: 60 });
  await ticket.handle.terminate();
});
