import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { receiveCommand } from '../../../db/automation/ledger.queries.ts';
import { utcMinute } from '../../../workflows/text/utc-minute.ts';
import { after, type TicketHouse } from '../../activities/tickets/ticket-house.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { keepHistory } from '../../support/histories.ts';
import { writeAs } from '../../support/factories.ts';
import { eventually, sleepUnattended, timeSkipping } from '../../support/temporal.ts';
import { currentDetails } from '../leads/intake-world.ts';
import { SlaWorld } from './sla-world.ts';

const fixture = databaseFixture();
const minutes = (count: number) => count * 60_000;

let environment: TestWorkflowEnvironment;
let world: SlaWorld | undefined;

beforeAll(async () => {
  environment = await timeSkipping();
});
afterEach(async () => {
  await world?.close();
  world = undefined;
});
afterAll(async () => {
  await environment?.teardown();
});

/**
 * By how many milliseconds the timer for a due instant fired late, by the server's own history; what the workflow task
 * took that asked for it is not counted, since timers count from its end.
 */
async function lateness(handle: WorkflowHandle, due: Date): Promise<number> {
  const events = (await handle.fetchHistory()).events ?? [];
  const at = (index: number) => {
    const time = events[index]?.eventTime;
    return Number(time?.seconds) * 1_000 + Number(time?.nanos) / 1e6;
  };
  const delays = events.flatMap(({ timerFiredEventAttributes: fired }, index) => {
    if (!fired || at(index) < due.getTime()) return [];
    const started = Number(fired.startedEventId) - 1;
    const task = events.findLastIndex((event, place) => place < started && event.workflowTaskStartedEventAttributes);
    return [at(index) - due.getTime() - (at(started) - at(task))];
  });
  return Math.min(...delays);
}

interface StepRow {
  target: string;
  step: string;
  due_at: string;
  detected_at: string;
}

/** The steps of a ticket in the order in which they were put on record. */
const stepsInOrder = (house: TicketHouse, ticketId: string) =>
  house.sql<StepRow>('select * from crm_core.crm_ticket_steps where ticket_id = ? order by ticket_step_id', [ticketId]);

const plan = { policy: { closeAfterMinutes: 60, reopenWithinMinutes: 30 } };

describe('a ticket', () => {
  it('is warned of and breaches exactly at its due second, goes on, and closes by itself', async () => {
    world = await SlaWorld.open(environment, fixture.app, plan);
    const { house } = world;
    const ticket = await world.start({ priority: 'P1' });
    const { ticketId, openedAt, handle } = ticket;
    await environment.sleep(minutes(61));
    await eventually(
      'the first response is breached',
      async () => (await house.ticket(ticketId))['sla'] === 'breached',
    );
    expect((await house.steps(ticketId)).map(({ step, due_at }) => [step, due_at])).toEqual([
      ['warning_50', after(openedAt, 30)],
      ['warning_75', after(openedAt, 45)],
      ['breach', after(openedAt, 60)],
    ]);
    const [clock] = await house.clocks(ticketId);
    expect(clock?.breached_at).toEqual(after(openedAt, 60));
    for (const due of [30, 45, 60]) expect(await lateness(handle, after(openedAt, due))).toBeLessThan(1_000);
    const details = await currentDetails(handle);
    expect(details).toContain(`first response | breached, due ${utcMinute(after(openedAt, 60).toISOString())}`);
    expect(details).toContain('resolution | running');

    await world.send(ticket, 'reply', { text: 'Sorry for the wait.' });
    await world.send(ticket, 'resolve');
    expect(await handle.result()).toMatchObject({ stage: 'closed', sla: 'breached' });
    expect((await house.steps(ticketId)).at(-1)).toMatchObject({ step: 'close' });
    await keepHistory('ticket-breached', handle);
  });

  it('never breaches while it waits for the customer, however long', async () => {
    world = await SlaWorld.open(environment, fixture.app, plan);
    const { house } = world;
    const ticket = await world.start({ priority: 'P1' });
    await environment.sleep(minutes(10));
    expect(await world.send(ticket, 'setStatus', { status: 'waiting_for_customer' })).toMatchObject({ sla: 'paused' });
    await environment.sleep(minutes(3 * 24 * 60));
    expect(await house.steps(ticket.ticketId)).toEqual([]);
    const state = await world.send(ticket, 'customerReply', { text: 'Here I am.' });
    expect(state).toMatchObject({ status: 'open', sla: 'on_track' });
    expect(await world.send(ticket, 'reply', { text: 'Thanks.' })).toMatchObject({
      clocks: [{ state: 'met' }, { state: 'running' }],
    });
    await world.send(ticket, 'close');
    await ticket.handle.result();
    await keepHistory('ticket-paused', ticket.handle);
  });

  it('is resolved by itself when its customer stays silent, and closes after that', async () => {
    world = await SlaWorld.open(environment, fixture.app, {
      policy: { ...plan.policy, resolveAfterMinutes: 7 * 24 * 60 },
    });
    const { house } = world;
    const ticket = await world.start({ priority: 'P1' });
    const { ticketId, handle } = ticket;
    await world.send(ticket, 'reply', { text: 'Which machine?' });
    await house.sql("update crm_core.crm_outbox set delivered_at = now() where kind = 'ticket_reply.created'");
    await world.send(ticket, 'setStatus', { status: 'waiting_for_customer' });
    const since = new Date((await house.ticket(ticketId))['waiting_since'] as string);
    const due = after(since, 7 * 24 * 60);
    expect(await currentDetails(handle)).toContain('next step | resolve · no word from the customer');
    await environment.sleep(minutes(7 * 24 * 60 + 1));
    await eventually('it is resolved', async () => (await house.ticket(ticketId))['stage'] === 'resolved');
    expect(await lateness(handle, due)).toBeLessThan(1_000);
    expect(await handle.result()).toMatchObject({ stage: 'closed', sla: 'met' });
    expect((await house.steps(ticketId)).map(({ step, due_at }) => [step, due_at])).toEqual([
      ['resolve', due],
      ['close', after(due, 60)],
    ]);
    await keepHistory('ticket-silent', handle);
  });

  it.each([
    ['takes the breach back', 0, { state: 'met', breached: false, breached_at: null, breach_detected_at: null }],
    ['a millisecond later does not', 1, { state: 'breached', breached: true }],
  ])('that has breached already: a reply received at the due second %s', async (_name, milliseconds, expected) => {
    world = await SlaWorld.open(environment, fixture.app, plan);
    const { house } = world;
    const ticket = await world.start({ priority: 'P1' });
    const due = after(ticket.openedAt, 60);
    await environment.sleep(minutes(61));
    await eventually('the breach is noticed', async () => (await house.ticket(ticket.ticketId))['sla'] === 'breached');
    const at = new Date(due.getTime() + milliseconds);
    const state = await world.send(ticket, 'reply', { text: 'Just about.' }, at);
    expect(state.sla).toBe('on_track');
    const [clock] = await house.clocks(ticket.ticketId);
    expect(clock).toMatchObject({ ...expected, met_at: at });
    const breach = (await house.steps(ticket.ticketId)).find(({ step }) => step === 'breach');
    expect(breach?.outcome.startsWith('taken back')).toBe(milliseconds === 0);
    await ticket.handle.terminate();
  });

  it('waits at its due second for a reply that was received before, and breaches no more', async () => {
    world = await SlaWorld.open(environment, fixture.app, plan);
    const { house } = world;
    const ticket = await world.start({ priority: 'P1' });
    const [commandId, received, payload] = [randomUUID(), after(ticket.openedAt, 59), { text: 'Here it is.' }];
    await receiveCommand(
      fixture.app,
      writeAs(house.admin, { receivedAt: received, idempotencyKey: commandId }, payload),
      { commandId, process: 'ticket', message: 'reply', recordId: ticket.ticketId, body: payload },
    );
    await environment.sleep(minutes(60.5));
    expect(await house.ticket(ticket.ticketId)).toMatchObject({ sla: 'warning', next_step: 'first_response.breach' });
    expect(await world.send(ticket, 'reply', payload, received, commandId)).toMatchObject({ sla: 'on_track' });
    expect((await house.steps(ticket.ticketId)).map(({ step }) => step)).toEqual(['warning_50', 'warning_75']);
    expect(await house.clocks(ticket.ticketId)).toMatchObject([
      { state: 'met', met_at: received },
      { state: 'running' },
    ]);
    await ticket.handle.terminate();
  });

  it('is caught up with after two days without a worker: each step once, in order, with honest times', async () => {
    const escalation = [
      { target: 'first_response', afterMinutes: 0, action: 'notify_manager' },
      { target: 'first_response', afterMinutes: 10, clock: 'wall', action: 'reassign' },
      { target: 'resolution', afterMinutes: 30, action: 'notify_administrators' },
    ];
    // Without a cache no task waits for the very worker that is gone: this server would never give it to another one.
    const laddered = { policy: { ...plan.policy, escalation } };
    world = await SlaWorld.open(environment, fixture.app, laddered, { maxCachedWorkflows: 0 });
    const { house } = world;
    const ticket = await world.start({ priority: 'P1' });
    const { ticketId, openedAt, handle } = ticket;
    await environment.sleep(minutes(31));
    await eventually('a warning is on record', async () => (await house.steps(ticketId)).length === 1);
    await world.stopWorker();
    await sleepUnattended(environment, handle, minutes(2 * 24 * 60));
    const back = await world.now();
    expect(back.getTime()).toBeGreaterThanOrEqual(after(openedAt, 2 * 24 * 60).getTime());
    expect(await house.steps(ticketId)).toHaveLength(1);

    await world.startWorker();
    await eventually('all is caught up with', async () => (await house.steps(ticketId)).length >= 9);
    await environment.sleep(minutes(24 * 60));
    const steps = await stepsInOrder(house, ticketId);
    expect(steps.map(({ target, step, due_at }) => [target, step, new Date(due_at)])).toEqual([
      ['first_response', 'warning_50', after(openedAt, 30)],
      ['first_response', 'warning_75', after(openedAt, 45)],
      ['first_response', 'breach', after(openedAt, 60)],
      ['first_response', 'rung_notify_manager_0', after(openedAt, 60)],
      ['first_response', 'rung_reassign_10_wall', after(openedAt, 70)],
      ['resolution', 'warning_50', after(openedAt, 120)],
      ['resolution', 'warning_75', after(openedAt, 180)],
      ['resolution', 'breach', after(openedAt, 240)],
      ['resolution', 'rung_notify_administrators_30', after(openedAt, 270)],
    ]);
    for (const { detected_at } of steps.slice(1))
      expect(new Date(detected_at).getTime()).toBeGreaterThanOrEqual(back.getTime());
    const noticed = (await house.clocks(ticketId)).map(({ breached_at, breach_detected_at }) => [
      breached_at,
      Number(breach_detected_at) >= back.getTime(),
    ]);
    expect(noticed).toEqual([
      [after(openedAt, 60), true],
      [after(openedAt, 240), true],
    ]);
    // What came while nobody was there is told of once, not step by step.
    const told = (kind: string) =>
      house.count('crm_notifications', 'kind = ? and subject_id = ?', [`ticket.${kind}`, ticketId]);
    expect([await told('warning'), await told('breach')]).toEqual([1, 2]);

    await world.send(ticket, 'resolve');
    expect(await handle.result()).toMatchObject({ stage: 'closed', sla: 'breached' });
    await keepHistory('ticket-escalated', handle);
  });
});
