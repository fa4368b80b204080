import { describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { receiveCommand } from '../../../db/automation/ledger.queries.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { salesRep, writeAs } from '../../support/factories.ts';
import { chasedLead, monday, notificationsOf, stepsOf } from './chased-lead.ts';
import { after, type House } from './house.ts';

const fixture = databaseFixture();
const houseWithLead = () => chasedLead(fixture.app);

describe('a touch that was received in time and arrives late', () => {
  it('voids the steps that fell due after it, and brings the lead back to its toucher', async () => {
    const { house, leadId, state } = await houseWithLead();
    const owner = house.users.find(({ id }) => id === state.assignedUserId);
    if (!owner) throw new Error('The lead has no owner');
    for (const _ of ['remind_owner', 'tell_manager', 'reassign']) await house.takeDue(leadId);
    const touch = await house.send(
      leadId,
      'touch',
      { channel: 'call' },
      { receivedAt: after(monday, 20), actor: salesRep(house.org, owner) },
    );
    expect(touch.state).toMatchObject({
      stage: 'touched',
      assignedUserId: owner.id,
      round: 3,
      next: { step: 'remind_idle', dueAt: after(monday, 120).toISOString() },
    });
    expect((await stepsOf(house, leadId)).map(({ outcome }) => outcome)).toEqual([
      'owner reminded',
      'not missed: touched before it was due',
      'not missed: touched before it was due',
    ]);
    const last = (await notificationsOf(house, leadId)).at(-1);
    expect(last?.kind).toBe('lead.reassigned_away');
    expect(last?.user_id).not.toBe(owner.id);
  });

  it('leaves the lead with somebody who has touched it since', async () => {
    const { house, leadId, state } = await houseWithLead();
    const [owner, other] = [
      house.users.find(({ id }) => id === state.assignedUserId),
      house.users.find(({ id }) => id !== state.assignedUserId),
    ];
    if (!owner || !other) throw new Error('The house is empty');
    for (const _ of ['remind_owner', 'tell_manager', 'reassign']) await house.takeDue(leadId);
    await house.send(leadId, 'touch', {}, { receivedAt: after(monday, 31), actor: salesRep(house.org, other) });
    const late = await house.send(
      leadId,
      'touch',
      {},
      { receivedAt: after(monday, 5), actor: salesRep(house.org, owner) },
    );
    expect(late.state).toMatchObject({ stage: 'touched', assignedUserId: other.id, round: 2 });
    expect(
      (await stepsOf(house, leadId)).every(({ outcome }) => outcome === 'not missed: touched before it was due'),
    ).toBe(true);
  });

  it('is recorded all the same when its sender has left', async () => {
    const { house, leadId, state } = await houseWithLead();
    const owner = house.users.find(({ id }) => id === state.assignedUserId);
    if (!owner) throw new Error('The lead has no owner');
    for (const _ of ['remind_owner', 'tell_manager', 'reassign']) await house.takeDue(leadId);
    await house.sql('update crm_core.crm_users set active = false where user_id = ?', [owner.id]);
    const late = await house.send(
      leadId,
      'touch',
      {},
      { receivedAt: after(monday, 5), actor: salesRep(house.org, owner) },
    );
    expect(late.state).toMatchObject({ stage: 'touched', round: 2 });
  });
});

describe('a qualification or a disqualification that was received in time and arrives late', () => {
  const proof = { statement: 'said so', reference: 'call' };
  const evidence = { budget: proof, authority: proof, need: proof, timing: proof };

  it('voids the steps as a touch does, and what it makes belongs to whoever sent it', async () => {
    const { house, leadId, state } = await houseWithLead();
    const owner = house.users.find(({ id }) => id === state.assignedUserId);
    if (!owner) throw new Error('The lead has no owner');
    for (const _ of ['remind_owner', 'tell_manager', 'reassign']) await house.takeDue(leadId);
    const sent = { receivedAt: after(monday, 20), actor: salesRep(house.org, owner) };
    const { state: qualified } = await house.send(leadId, 'qualify', { evidence, accountName: 'Engines' }, sent);
    expect(qualified).toMatchObject({ stage: 'qualified', assignedUserId: owner.id, next: undefined });
    expect(await house.sql('select owner_user_id from crm_core.crm_accounts')).toEqual([{ owner_user_id: owner.id }]);
    expect((await stepsOf(house, leadId)).map(({ outcome }) => outcome)).toEqual([
      'owner reminded',
      'not missed: qualified before it was due',
      'not missed: qualified before it was due',
    ]);
  });

  it('of an idle lead, too', async () => {
    const { house, leadId } = await houseWithLead();
    await house.send(leadId, 'touch', {}, { receivedAt: after(monday, 5) });
    await house.takeDue(leadId);
    await house.send(leadId, 'disqualify', { reason: 'no_need' }, { receivedAt: after(monday, 104) });
    expect((await stepsOf(house, leadId)).map(({ outcome }) => outcome)).toEqual([
      'not missed: disqualified before it was due',
    ]);
  });
});

describe('a step that falls due while a message that was received in time is on its way', () => {
  /** Puts a message into the ledger, as the API does; `house.send` with its `commandId` delivers it. */
  async function receive(house: House, leadId: string, message: string, receivedAt: Date) {
    const commandId = uuidv7();
    const write = writeAs(house.admin, { receivedAt, idempotencyKey: commandId }, {});
    await receiveCommand(house.database, write, { commandId, process: 'lead', message, recordId: leadId, body: {} });
    return { commandId, receivedAt };
  }

  it('waits for it: a closing as stale would be the end of the lead', async () => {
    const { house, leadId } = await houseWithLead();
    await house.send(leadId, 'touch', {}, { receivedAt: after(monday, 5) });
    await house.takeDue(leadId);
    const touch = await receive(house, leadId, 'touch', after(monday, 205));
    for (const minute of [206, 207]) {
      expect(await house.takeDue(leadId, after(monday, minute - 1))).toMatchObject({
        stage: 'touched',
        next: { step: 'close_stale', dueAt: after(monday, minute).toISOString() },
      });
    }
    expect((await house.send(leadId, 'touch', {}, touch)).state).toMatchObject({
      stage: 'touched',
      next: { step: 'remind_idle', dueAt: after(monday, 305).toISOString() },
    });
    expect((await stepsOf(house, leadId)).map(({ step }) => step)).toEqual(['remind_idle']);
  });

  it('does not wait for what was received too late, nor for what changes nothing about it', async () => {
    const { house, leadId } = await houseWithLead();
    await receive(house, leadId, 'touch', after(monday, 10.001));
    await receive(house, leadId, 'rescore', after(monday, 1));
    expect((await house.takeDue(leadId)).next?.step).toBe('tell_manager');
  });
});
