import { describe, expect, it } from '@jest/globals';
import { databaseFixture } from '../../db/database-fixture.ts';
import { salesRep } from '../../support/factories.ts';
import { chasedLead, monday, notificationsOf, stepsOf } from './chased-lead.ts';
import { after } from './house.ts';

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
