import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { eventually, timeSkipping } from '../../support/temporal.ts';
import { utcMinute } from '../../../workflows/text/utc-minute.ts';
import { currentDetails, eventTypes, IntakeWorld } from './intake-world.ts';
import { ladderMinutes } from './recorded-leads.ts';

const minutes = (count: number) => count * 60_000;

let environment: TestWorkflowEnvironment;
let world: IntakeWorld;

beforeAll(async () => {
  environment = await timeSkipping();
  world = await IntakeWorld.open(environment);
});
afterEach(async () => {
  await world?.clear();
});
afterAll(async () => {
  await world?.close();
  await environment?.teardown();
});

const evidence = { statement: 'said so', reference: 'call of Monday' };
const allEvidence = { budget: evidence, authority: evidence, need: evidence, timing: evidence };
const touched = (leadId: string) => world.leads.stateOf(leadId).stage === 'touched';

describe('the no-touch ladder', () => {
  it('reminds the owner, tells the manager, reassigns, and begins anew, each at its time', async () => {
    const { state } = await world.start();
    expect(state).toMatchObject({ stage: 'assigned', assignedUserId: 'user-1', round: 1 });

    const climbed = [
      [1, 'remind_owner'],
      [1, 'tell_manager'],
      [1, 'reassign'],
      [2, 'remind_owner'],
    ] as const;
    for (const [index, [, step]] of climbed.entries()) {
      await environment.sleep(minutes(ladderMinutes[step]));
      await eventually(`step ${index + 1} is taken`, () => world.leads.steps.length > index);
    }

    expect(world.leads.steps.map(({ round, step }) => [round, step])).toEqual(climbed);
    for (const { dueAt, detectedAt } of world.leads.steps) {
      const lateMs = Date.parse(detectedAt) - Date.parse(dueAt);
      expect(lateMs).toBeGreaterThanOrEqual(0);
      expect(lateMs).toBeLessThan(minutes(5));
    }
  });

  it('is ended by a touch, and a touched lead left idle is reminded of, then closed as stale', async () => {
    const { handle, leadId } = await world.start();
    await environment.sleep(minutes(10));
    expect(await world.send(handle, 'touch', { channel: 'call' })).toMatchObject({ stage: 'touched' });

    expect(await handle.result()).toMatchObject({ stage: 'disqualified' });
    expect(world.leads.steps.map(({ step }) => step)).toEqual(['remind_idle', 'close_stale']);
    expect(world.leads.stateOf(leadId).status).toBe('disqualified');
  });

  it('moves with the configuration', async () => {
    const { handle, leadId, state } = await world.start();
    world.leads.shiftMinutes = 60;
    await handle.signal('configurationChanged');
    await eventually('it waits for the new time', async () => {
      const dueAt = world.leads.stateOf(leadId).next?.dueAt ?? '';
      return dueAt !== state.next?.dueAt && (await currentDetails(handle)).includes(utcMinute(dueAt));
    });
    await environment.sleep(minutes(60));
    expect(world.leads.steps).toEqual([]);
    await environment.sleep(minutes(31));
    await eventually('the owner is reminded', () => world.leads.steps.length > 0);
    expect(world.leads.steps.map(({ step }) => step)).toEqual(['remind_owner']);
  });
});

describe('messages', () => {
  it('are accepted as Signal and as Update, and end with the evidence kept out of Temporal', async () => {
    const { handle, leadId } = await world.start();
    await handle.signal('touch', {});
    await eventually('the lead is touched', () => touched(leadId));
    expect(world.leads.messages[0]).toMatchObject({
      name: 'touch',
      key: expect.stringMatching(/^signal:[0-9a-f-]{36}:1$/),
      commandId: null,
      actor: { kind: 'temporal' },
    });

    expect(await world.send(handle, 'qualify')).toMatchObject({ stage: 'qualified', status: 'qualified' });
    expect(await handle.result()).toMatchObject({ stage: 'qualified' });
    expect(world.leads.messages[1]).toMatchObject({ name: 'qualify', payload: {}, actor: { kind: 'user' } });
  });

  it('carry their whole payload when they come by the Temporal CLI, as a Signal or as an Update without an envelope', async () => {
    const { handle } = await world.start();
    expect(await handle.executeUpdate('touch', { args: [{ note: 'Rang her.' }] })).toBe('touched');
    await expect(handle.executeUpdate('qualify', { args: [{}] })).rejects.toMatchObject({ cause: { type: 'invalid' } });
    await handle.signal('qualify', { evidence: allEvidence });
    expect(await handle.result()).toMatchObject({ stage: 'qualified' });
    expect(world.leads.messages.map(({ payload }) => payload)).toEqual([
      { note: 'Rang her.' },
      { evidence: allEvidence },
    ]);
  });

  it('are passed back when a rule refuses them, and the process goes on', async () => {
    const { handle } = await world.start();
    const nobody = '00000000-0000-7000-8000-000000000000';
    await expect(world.send(handle, 'reassign', { userId: nobody })).rejects.toMatchObject({
      cause: { type: 'rule_violation', message: 'This user has left.' },
    });
    const userId = randomUUID();
    expect(await world.send(handle, 'reassign', { userId })).toMatchObject({ assignedUserId: userId });
  });

  it('that are bad Signals are noted in the current details and ignored', async () => {
    const { handle, leadId } = await world.start();
    await handle.signal('touch', { channel: 'pigeon' });
    await handle.signal('unmerge', {});
    await handle.signal('sing', {});
    await handle.signal('touch', {});
    await eventually('the lead is touched', () => touched(leadId));

    const details = await currentDetails(handle);
    expect(details).toContain('| refused: touch | ');
    expect(details).toContain('unmerge is legal while the lead is "merged"; it is "assigned".');
    expect(details).toContain('The process lead knows no such signal.');
    expect(details).toContain('| next action | remind owner · idle |');
    expect(world.leads.messages.map(({ name }) => name)).toEqual(['touch']);
  });
});

describe('an end', () => {
  it('of a merged lead is told to the survivor', async () => {
    const survivor = await world.start();
    const leadId = randomUUID();
    world.leads.place(leadId, { stage: 'merged', mergedIntoLeadId: survivor.leadId, assignedUserId: undefined });
    const { handle, state } = await world.start(leadId);
    expect(state).toMatchObject({ stage: 'merged', mergedIntoLeadId: survivor.leadId });
    await handle.result();
    await eventually('the survivor hears', () => world.leads.messages.length > 0);
    expect(world.leads.messages[0]).toMatchObject({ name: 'engaged', payload: { leadId }, actor: { kind: 'process' } });
  });

  it('of a merged lead does not need a survivor that is still in intake', async () => {
    const { handle } = await world.start();
    await world.send(handle, 'merge', { intoLeadId: randomUUID() });
    expect(await handle.result()).toMatchObject({ stage: 'merged' });
  });

  it('comes when the lead is deleted', async () => {
    const { handle, leadId } = await world.start();
    world.leads.place(leadId, { isDeleted: true });
    await handle.signal('deleted');
    expect(await handle.result()).toMatchObject({ isDeleted: true });
  });

  it('comes when an operator cancels the process, whatever it waits for', async () => {
    const { handle } = await world.start();
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    expect(world.leads.steps).toEqual([]);
  });

  it('of an unknown lead is a failure', async () => {
    world.leads.interruption = async () => {
      throw ApplicationFailure.nonRetryable('No such lead.', 'not_found');
    };
    await expect(world.start()).rejects.toThrow();
    await expect(world.result(randomUUID())).rejects.toMatchObject({ cause: { type: 'not_found' } });
  });
});

describe('an outage', () => {
  it('is survived: the decision comes when the database is back', async () => {
    const backAt = (await environment.currentTimeMs()) + minutes(1);
    let attempts = 0;
    world.leads.interruption = async () => {
      attempts += 1;
      if ((await environment.currentTimeMs()) < backAt) throw new Error('connect ECONNREFUSED');
    };
    const leadId = randomUUID();
    world.leads.place(leadId, { stage: 'disqualified' });

    expect(await world.result(leadId)).toMatchObject({ stage: 'disqualified' });
    // Short pauses pass in the worker, without a trace; longer ones are timers, which a worker may sleep through.
    const timers = (await eventTypes(world.handle(leadId))).filter((type) => type === 'timerFiredEventAttributes');
    expect(timers.length).toBeGreaterThan(0);
    expect(attempts).toBeGreaterThan(timers.length);
  });
});
