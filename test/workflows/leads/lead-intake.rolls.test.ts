import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { isGrpcServiceError, ServiceError, type WorkflowHandle } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import type { LeadState } from '../../../activities/leads.types.ts';
import { obtainTemporalCli } from '../../../runtime/temporal-cli.ts';
import { eventually, withSearchAttributes } from '../../support/temporal.ts';
import { IntakeWorld } from './intake-world.ts';

const failedPrecondition = 9;

let environment: TestWorkflowEnvironment;
let world: IntakeWorld;

// A server that asks for a new run after a hundred events, not after some thousands.
beforeAll(async () => {
  const path = await obtainTemporalCli(() => undefined);
  const extraArgs = ['--dynamic-config-value', 'limit.historyCount.suggestContinueAsNew=100'];
  const server = { executable: { type: 'existing-path', path }, extraArgs } as const;
  environment = await withSearchAttributes(await TestWorkflowEnvironment.createLocal({ server }));
  world = await IntakeWorld.open(environment);
});
afterAll(async () => {
  await world?.close();
  await environment?.teardown();
});

it('continues as new without losing a Signal or an Update that comes meanwhile', async () => {
  const { handle, leadId } = await world.startWith(randomUUID(), 'captured');
  const [{ runId: firstRunId }] = [await handle.describe()];
  await world.send(handle, 'touch');

  const signals = 150;
  const updates = 60;
  await Promise.all([
    inTurn(signals, async () => await handle.signal('rescore')),
    inTurn(updates, async () => await touchAsTheRelayDoes(handle)),
  ]);
  await eventually('every message is applied', () => world.leads.messages.length >= signals + updates + 1);

  expect(world.leads.messages.filter(({ name }) => name === 'rescore')).toHaveLength(signals);
  expect(world.leads.messages.filter(({ name }) => name === 'touch')).toHaveLength(updates + 1);
  expect((await handle.describe()).runId).not.toBe(firstRunId);
  expect(world.leads.calls.filter(({ activity }) => activity === 'decideIntake').length).toBeGreaterThan(1);
  expect(world.leads.stateOf(leadId)).toMatchObject({ stage: 'touched' });
  await handle.terminate();
});

// A Signal that comes while a run ends fails its workflow task and, now and then, the Update in it: sent again, same key.
async function touchAsTheRelayDoes(handle: WorkflowHandle, commandId: string = randomUUID()): Promise<LeadState> {
  try {
    return await world.send(handle, 'touch', {}, { commandId });
  } catch (error) {
    const cause = error instanceof ServiceError ? error.cause : null;
    if (!isGrpcServiceError(cause) || Number(cause.code) !== failedPrecondition) throw error;
    return await touchAsTheRelayDoes(handle, commandId);
  }
}

async function inTurn(count: number, send: () => Promise<unknown>): Promise<void> {
  for (let sent = 0; sent < count; sent += 1) await send();
}
