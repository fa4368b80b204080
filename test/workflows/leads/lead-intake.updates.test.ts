import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { keepHistory } from '../../support/histories.ts';
import { eventually, sharedTemporal } from '../../support/temporal.ts';
import { leadProcess } from '../../../workflows/leads/messages.ts';
import { currentDetails, declaredMessages, eventTypes, IntakeWorld, takenMessages } from './intake-world.ts';

// What the time-skipping server cannot do: update-with-start, histories as the real server writes them.

let environment: TestWorkflowEnvironment;
let world: IntakeWorld;

beforeAll(async () => {
  environment = await sharedTemporal();
  world = await IntakeWorld.open(environment);
});
afterEach(async () => {
  await world?.clear();
});
afterAll(async () => {
  await world?.close();
  await environment?.teardown();
});

const hasFired = async (handle: WorkflowHandle) => (await eventTypes(handle)).includes('timerFiredEventAttributes');

/** A lead whose worker has gone before its step falls due; another one, due later, when this machine was too slow. */
async function withoutWorkerWhenDue(dueInMs = 1_000): Promise<{ handle: WorkflowHandle; dueAt: number }> {
  const leadId = randomUUID();
  const dueAt = Date.now() + dueInMs;
  const next = { step: 'remind_owner', dueAt: new Date(dueAt).toISOString() } as const;
  world.leads.place(leadId, { next });
  const { handle } = await capture(leadId);
  await world.stopWorker();
  if (world.leads.steps.length === 0 && !(await hasFired(handle))) return { handle, dueAt };
  await world.clear();
  return await withoutWorkerWhenDue(dueInMs * 2);
}

const capture = async (leadId: string = randomUUID()) => await world.startWith(leadId, 'captured');

describe('an intake', () => {
  it('costs at most 12 history events up to `assigned`, and is found by its search attributes', async () => {
    const { handle, leadId, state } = await capture();
    expect(state.stage).toBe('assigned');
    const events = await eventTypes(handle);
    expect(events.length).toBeLessThanOrEqual(12);
    expect(events).toContain('timerStartedEventAttributes');

    const query = `CrmRecord = "${leadId}" AND CrmStage = "assigned" AND CrmSla = "on_track" AND CrmProcess = "lead"`;
    await eventually('the lead is listed', async () => (await environment.client.workflow.count(query)).count === 1);
    expect((await handle.describe()).typedSearchAttributes.toJSON()).toContainEqual({
      key: { name: 'CrmDueAt', type: 'DATETIME' },
      value: new Date(state.next?.dueAt ?? ''),
    });
  });

  it('takes every declared message as a Signal and as an Update, in the words of its declaration', async () => {
    const { handle } = await capture();
    expect(await takenMessages(handle)).toMatchObject(declaredMessages(leadProcess));
  });

  it('that was touched and qualified keeps its history for replay', async () => {
    const { handle } = await capture();
    await world.send(handle, 'touch', { channel: 'call' });
    await handle.signal('rescore');
    await world.send(handle, 'qualify');
    await handle.result();
    await keepHistory('lead-qualified', handle);
  });

  it('that was merged keeps its history for replay', async () => {
    const survivor = await capture();
    const leadId = randomUUID();
    world.leads.place(leadId, { stage: 'merged', mergedIntoLeadId: survivor.leadId, assignedUserId: undefined });
    const { handle } = await capture(leadId);
    await handle.result();
    await eventually('the survivor hears', () => world.leads.messages.some(({ name }) => name === 'engaged'));
    await keepHistory('lead-merged', handle);
  });

  it('that climbed its ladder to a new owner keeps its history for replay', async () => {
    world.leads.minuteMs = 5;
    const { handle } = await capture();
    await eventually('it is reassigned', () => world.leads.steps.some(({ step }) => step === 'reassign'));
    await world.send(handle, 'disqualify', { reason: 'unreachable' });
    await handle.result();
    await keepHistory('lead-reassigned', handle);
  });

  it('of an unknown lead fails, and so does the Update that came with it', async () => {
    world.leads.interruption = async () => {
      throw ApplicationFailure.nonRetryable('No such lead.', 'not_found');
    };
    await expect(capture()).rejects.toThrow();
  });
});

describe('a message', () => {
  it('is refused without a trace in the history when illegal or malformed', async () => {
    const { handle } = await capture();
    const before = await eventTypes(handle);
    await expect(world.send(handle, 'unmerge')).rejects.toMatchObject({
      cause: { type: 'illegal_stage', message: 'unmerge is legal while the lead is "merged"; it is "assigned".' },
    });
    await expect(world.send(handle, 'touch', { chanel: 'call' })).rejects.toMatchObject({ cause: { type: 'invalid' } });
    await expect(world.send(handle, 'touch', { note: 'kept fields stay in the ledger' })).rejects.toMatchObject({
      cause: { type: 'invalid' },
    });
    await expect(world.send(handle, 'touch', {}, { receivedAt: 'yesterday' })).rejects.toMatchObject({
      cause: { type: 'invalid', details: [[{ path: 'receivedAt' }]] },
    });
    expect(await eventTypes(handle)).toEqual(before);
  });

  it.each([
    { received: 'at the due instant', lateMs: 0, order: ['applyMessage'] },
    { received: 'after the due instant', lateMs: 1, order: ['takeStep', 'applyMessage'] },
  ])(
    'received $received and found with a timer that fired is dealt with in the order of business',
    async ({ lateMs, order }) => {
      const { handle, dueAt } = await withoutWorkerWhenDue();
      const answer = world.send(handle, 'touch', {}, { receivedAt: new Date(dueAt + lateMs).toISOString() });
      await eventually('the timer has fired', async () => await hasFired(handle));
      await world.startWorker();
      await answer;
      expect(world.leads.calls.map(({ activity }) => activity).slice(1)).toEqual(order);
    },
  );

  it('that cannot be decoded is noted and ignored', async () => {
    const { handle, state } = await capture();
    await environment.connection.workflowService.signalWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: handle.workflowId },
      signalName: 'touch',
      input: { payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{"channel": ') }] },
    });
    await eventually('it is noted', async () => (await currentDetails(handle)).includes('could not be decoded'));
    expect(world.leads.messages).toEqual([]);
    expect(await currentDetails(handle)).toContain(`| waits for | user ${state.assignedUserId} |`);
  });

  it('to a lead that is just ending is taken by the run that ends', async () => {
    const survivor = await capture();
    // The run tells the survivor before it closes: what comes meanwhile must be dealt with by somebody.
    const takenBack = async () => {
      const { handle, leadId } = await capture();
      await world.send(handle, 'merge', { intoLeadId: survivor.leadId });
      return (await world.startWith(leadId, 'unmerge', [{}])).state.stage;
    };
    expect(await Promise.all(Array.from({ length: 12 }, takenBack))).toEqual(
      Array.from({ length: 12 }, () => 'assigned'),
    );
  });

  it('to a merged lead takes the merge back by a new run', async () => {
    const { handle, leadId } = await capture();
    await world.send(handle, 'merge', { intoLeadId: randomUUID() });
    await handle.result();

    const again = await world.startWith(leadId, 'unmerge', [{}]);
    expect(again.state).toMatchObject({ stage: 'assigned', status: 'open', mergedIntoLeadId: undefined });
    expect(await world.send(again.handle, 'touch')).toMatchObject({ stage: 'touched' });
  });
});
