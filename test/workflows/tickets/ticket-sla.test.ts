import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { utcMinute } from '../../../workflows/text/utc-minute.ts';
import { after } from '../../activities/tickets/ticket-house.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { keepHistory } from '../../support/histories.ts';
import { eventually, timeSkipping } from '../../support/temporal.ts';
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
    // The time-skipping server's clock runs on while a step is served.
    expect(Number(clock?.breach_detected_at) - Number(clock?.breached_at)).toBeLessThan(5_000);
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
});
