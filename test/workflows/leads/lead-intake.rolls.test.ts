import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { LeadState } from '../../../activities/leads.types.ts';
import { eventually, outgrowRun, sharedTemporal, untilAccepted } from '../../support/temporal.ts';
import { IntakeWorld } from './intake-world.ts';

const [rolls, signals, updates] = [3, 20, 10];

let environment: TestWorkflowEnvironment;
let world: IntakeWorld;

beforeAll(async () => {
  environment = await sharedTemporal();
  world = await IntakeWorld.open(environment);
});
afterAll(async () => {
  await world?.clear();
  await world?.close();
  await environment?.teardown();
});

const runs = () => world.leads.calls.filter(({ activity }) => activity === 'decideIntake').length;
const applied = (name: string) => world.leads.messages.filter((message) => message.name === name).length;

it('continues as new without losing a Signal or an Update that comes meanwhile', async () => {
  const { handle, leadId } = await world.startWith(randomUUID(), 'captured');
  const { runId: firstRunId } = await handle.describe();
  await world.send(handle, 'touch');

  for (let roll = 1; roll <= rolls; roll += 1) {
    await Promise.all([
      outgrowRun(handle, 'sing'),
      inTurn(signals, async () => await handle.signal('rescore')),
      inTurn(updates, async () => await touchAsTheRelayDoes(handle)),
    ]);
    await eventually(`roll ${roll} is done`, () => runs() > roll);
  }
  await eventually('every Signal is applied', () => applied('rescore') >= rolls * signals);

  expect([applied('rescore'), applied('touch')]).toEqual([rolls * signals, rolls * updates + 1]);
  expect((await handle.describe()).runId).not.toBe(firstRunId);
  expect(world.leads.stateOf(leadId)).toMatchObject({ stage: 'touched' });
});

async function touchAsTheRelayDoes(handle: WorkflowHandle): Promise<LeadState> {
  const commandId = randomUUID();
  return await untilAccepted(() => world.send(handle, 'touch', {}, { commandId }));
}

async function inTurn(count: number, send: () => Promise<unknown>): Promise<void> {
  for (let sent = 0; sent < count; sent += 1) await send();
}
