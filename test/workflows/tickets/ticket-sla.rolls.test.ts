import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { readAnswer } from '../../../db/automation/answers.queries.ts';
import { ticketProcess } from '../../../workflows/tickets/messages.ts';
import { after } from '../../activities/tickets/ticket-house.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { keepHistory } from '../../support/histories.ts';
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

it('a hundred messages and more across new runs are each stored once, and no run grows long', async () => {
  const ticket = await world.start({ priority: 'P1' });
  const { handle, ticketId } = ticket;
  const { house } = world;
  const stored = (kind: string) =>
    house.count('crm_conversation_messages', 'ticket_id = ? and kind = ?', [ticketId, kind]);
  const mailOf = (number: number) => ({ text: `Message ${number}`, messageId: `m${number}@example.org` });
  const signal = (number: number) => handle.signal('customerReply', mailOf(number));
  type Sent = { name: string; payload: Record<string, unknown>; at: Date; commandId: string; answer: unknown };
  const answers: Sent[] = [];
  const record = async (name: string, payload: Record<string, unknown>) => {
    const [commandId, at] = [randomUUID(), new Date()];
    await world.send(ticket, name, payload, at, commandId);
    const answer = await readAnswer(house.database, house.org.id, commandId);
    expect(answer).toMatchObject({ status: 200 });
    answers.push({ name, payload, at, commandId, answer });
  };
  const runs = [(await handle.describe()).runId];
  // Temporal tells a run that it has grown too long with the next task, and the task after that one ends it.
  const nextRun = async () => {
    await world.send(ticket, 'setPriority', { priority: 'P1' });
    await handle.signal('configurationChanged', {});
    await eventually('a new run has begun', async () => {
      const { runId } = await handle.describe();
      return !runs.includes(runId) && runs.push(runId) > 0;
    });
  };

  await record('reply', { text: 'Hello' });
  for (let number = 0; number < 20; number += 1) await signal(number);
  await eventually('the first twenty are stored', async () => (await stored('customer')) === 20);
  await record('reply', { text: 'To all of you.' });
  for (const first of [20, 60]) {
    await Promise.all([
      outgrowRun(handle, 'unheardOf'),
      // Ten repeat what an earlier run was sent.
      inTurn(40, (count) => signal(first - 10 + count)),
      inTurn(10, (count) => record('customerReply', mailOf(first + 30 + count))),
      inTurn(4, (count) => record('note', { text: `Note ${first + count}` })),
      inTurn(4, (count) => record('setPriority', { priority: count % 2 === 0 ? 'P3' : 'P1' })),
    ]);
    await eventually('all that was sent is stored', async () => (await stored('customer')) === first + 40);
    await nextRun();

    await record('setStatus', { status: 'waiting_for_customer' });
    const before = await house.clocks(ticketId);
    await outgrowRun(handle, 'unheardOf');
    await nextRun();
    expect(await house.clocks(ticketId)).toEqual(before);
    await record('setStatus', { status: 'open' });
  }

  // Of what nobody has answered each has its clock, and each clock every pause.
  const next = (await house.clocks(ticketId)).filter(({ target }) => target === 'next_response');
  expect(next.map(({ ordinal, state }) => [ordinal, state])).toEqual(
    Array.from({ length: 100 }, (_, index) => [index + 1, index < 20 ? 'met' : 'running']),
  );
  const pauses = next.map(({ intervals }) => intervals.filter(({ kind }) => kind === 'paused').length);
  expect([pauses[0], pauses[20], pauses[99]]).toEqual([0, 2, 1]);

  // Whatever an earlier run was sent is known to this one: messages by their Message-ID, commands by their identifier.
  const before = [await house.ticket(ticketId), await house.clocks(ticketId)];
  for (let number = 0; number < 100; number += 3) await signal(number);
  for (const { name, payload, at, commandId, answer } of answers.filter((_sent, index) => index % 4 === 0)) {
    await world.send(ticket, name, payload, at, commandId);
    expect(await readAnswer(house.database, house.org.id, commandId)).toEqual(answer);
  }
  expect([await house.ticket(ticketId), await house.clocks(ticketId)]).toEqual(before);
  expect([await stored('customer'), await stored('reply'), await stored('note')]).toEqual([100, 2, 8]);

  expect(await world.send(ticket, 'reply', { text: 'All of it.' })).toMatchObject({ sla: 'on_track' });
  expect((await house.clocks(ticketId)).map(({ state }) => state).filter((state) => state === 'running')).toHaveLength(
    1,
  );
  expect(runs.length).toBeGreaterThanOrEqual(5);
  for (const runId of runs) {
    const { historyLength } = await environment.client.workflow.getHandle(handle.workflowId, runId).describe();
    expect(historyLength).toBeLessThan(4_096);
  }
  await handle.terminate();
}, 400_000);

async function inTurn(count: number, send: (index: number) => Promise<unknown>): Promise<void> {
  for (let index = 0; index < count; index += 1) await send(index);
}

it('continues as new between two messages, and closes in its second run', async () => {
  const ticket = await world.start({ priority: 'P1' });
  const { handle } = ticket;
  const { runId: firstRun } = await handle.describe();
  await world.send(ticket, 'customerReply', { text: 'Hello?', messageId: 'first@example.org' });
  await outgrowRun(handle, 'unheardOf');
  // Temporal tells a run that it has grown too long with the next task, and the task after that one ends it.
  await world.send(ticket, 'reply', { text: 'Hello' });
  await handle.signal('configurationChanged', {});
  await eventually('a new run has begun', async () => (await handle.describe()).runId !== firstRun);
  await world.send(ticket, 'customerReply', { text: 'Hello?', messageId: 'first@example.org' });
  await world.send(ticket, 'setPriority', { priority: 'P3' });
  expect(await world.send(ticket, 'resolve')).toMatchObject({ stage: 'resolved', sla: 'met' });
  await world.send(ticket, 'close');
  expect(await handle.result()).toMatchObject({ stage: 'closed', sla: 'met' });
  await keepHistory('ticket-rolled-over', handle, firstRun);
  await keepHistory('ticket-rolled-on', handle);
});

it('a merge ends one process and tells the other, which has clocks for what nobody answered', async () => {
  const one = await world.start({ priority: 'P1' });
  const other = await world.start({ priority: 'P1' });
  for (const ticket of [one, other]) await world.send(ticket, 'reply', { text: 'Hello' });
  await world.send(one, 'customerReply', { text: 'Help!' });
  await world.send(one, 'merge', { intoTicketId: other.ticketId });
  expect(await one.handle.result()).toMatchObject({ stage: 'merged', mergedIntoTicketId: other.ticketId });
  await keepHistory('ticket-merged', one.handle);
  await eventually('the other has a clock for it', async () =>
    (await world.house.clocks(other.ticketId)).some(({ target }) => target === 'next_response'),
  );

  // The other is resolved, opened again by a person and by the customer, and closed.
  expect(await world.send(other, 'resolve')).toMatchObject({ stage: 'resolved' });
  expect(await world.send(other, 'reopen', { reason: 'Not done.' })).toMatchObject({ stage: 'assigned' });
  await world.send(other, 'resolve');
  await other.handle.signal('customerReply', { text: 'Still broken.', messageId: 'again@example.org' });
  await eventually(
    'the customer has opened it',
    async () => (await world.house.ticket(other.ticketId))['reopen_count'] === 2,
  );
  await world.send(other, 'close');
  expect(await other.handle.result()).toMatchObject({ stage: 'closed' });
  await keepHistory('ticket-reopened', other.handle);
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

it.each([
  ['is met by', 0, { state: 'met', breached: false, breached_at: null }],
  ['is not met by', 1, { state: 'breached', breached: true }],
])(
  '%s a reply that was received %i ms after the due instant and waits beside the timer',
  async (_name, late, expected) => {
    const { house } = world;
    await world.stopWorker();
    const openedAt = after(await world.now(), -60);
    const ticket = await world.begin({ priority: 'P1' }, openedAt);
    const at = new Date(after(openedAt, 60).getTime() + late);
    const sent = world.send(ticket, 'reply', { text: 'Just in time?' }, at);
    await world.startWorker();
    await sent;
    const [clock] = await house.clocks(ticket.ticketId);
    expect(clock).toMatchObject({ ...expected, met_at: at });
    expect((await house.steps(ticket.ticketId)).filter(({ step }) => step === 'breach')).toHaveLength(late);
    await ticket.handle.terminate();
  },
);
