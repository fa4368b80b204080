import { describe, expect, it } from '@jest/globals';
import { users } from '../../../db/access/user.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { makeTeam, makeUser, writeAs } from '../../support/factories.ts';
import { chasedLead, monday, notificationsOf, stepsOf } from './chased-lead.ts';
import { after, form, type House } from './house.ts';

const fixture = databaseFixture();
const houseWithLead = (members?: (org: House['org']) => Promise<House['users']>) => chasedLead(fixture.app, members);
const alone = async (org: House['org']) => [await makeUser(org)];

const deactivate = (house: House, userId: unknown) =>
  house.sql('update crm_core.crm_users set active = false where user_id = ?', [userId]);

const replan = ({ org, activities }: House, leadId: string, at: Date) =>
  activities.replan({ organizationId: org.id, leadId, at: at.toISOString() });

describe('an owner who has left', () => {
  it('loses an untouched lead to whom the rules choose, whose ladder begins', async () => {
    const { house, leadId, state } = await houseWithLead();
    const owner = house.users.find(({ id }) => id === state.assignedUserId);
    await house.org.records.remove(writeAs(house.admin), users, String(owner?.id), '*');
    const at = after(monday, 5);
    const given = await replan(house, leadId, at);
    expect(given).toMatchObject({
      stage: 'assigned',
      round: 2,
      next: { step: 'remind_owner', dueAt: after(at, 10).toISOString() },
    });
    expect(given.assignedUserId).toBe(house.users.find(({ id }) => id !== owner?.id)?.id);
    expect(await replan(house, leadId, at)).toEqual(given);
    const [told] = await house.sql<{ summary: string }>(
      "select summary from crm_core.crm_timeline where subject_id = ? and kind = 'lead.assigned' order by timeline_id desc",
      [leadId],
    );
    expect(told?.summary).toContain('its owner does not work here now: rule ');
    expect((await notificationsOf(house, leadId)).slice(1)).toEqual([
      { kind: 'lead.assigned', user_id: given.assignedUserId },
    ]);
  });

  it('loses a touched one, which stays touched and begins to be idle with its new owner', async () => {
    const { house, leadId, state } = await houseWithLead();
    await house.send(leadId, 'touch', {}, { receivedAt: after(monday, 5) });
    await deactivate(house, state.assignedUserId);
    const at = after(monday, 90);
    const given = await replan(house, leadId, at);
    expect(given).toMatchObject({
      stage: 'touched',
      round: 2,
      next: { step: 'remind_idle', dueAt: after(at, 100).toISOString() },
    });
    expect(given.assignedUserId).not.toBe(state.assignedUserId);
    const { touched_at: touchedAt } = await house.lead(leadId);
    expect(new Date(String(touchedAt))).toEqual(after(monday, 5));
  });

  it('is noticed when a step falls due: nobody is reminded who is not there', async () => {
    const { house, leadId, state } = await houseWithLead();
    await house.send(leadId, 'touch', {}, { receivedAt: after(monday, 5) });
    await deactivate(house, state.assignedUserId);
    const given = await house.takeDue(leadId);
    expect(given).toMatchObject({ stage: 'touched', round: 2, taken: { step: 'remind_idle' } });
    expect(given.assignedUserId).not.toBe(state.assignedUserId);
    expect(await stepsOf(house, leadId)).toEqual([]);
    const { taken, ...present } = given;
    const again = { organizationId: house.org.id, leadId, round: 1, detectedAt: taken.dueAt, ...taken };
    expect(await house.activities.takeStep(again)).toEqual(present);
  });

  it('leaves it without an owner when nobody can take it: the manager hears, and it does not go stale unseen', async () => {
    const { house, leadId, state } = await houseWithLead(alone);
    await house.send(leadId, 'touch', {}, { receivedAt: after(monday, 5) });
    await deactivate(house, state.assignedUserId);
    const at = after(monday, 10);
    expect(await replan(house, leadId, at)).toMatchObject({
      stage: 'touched',
      assignedUserId: undefined,
      round: 1,
      next: { step: 'find_owner', dueAt: after(at, 60).toISOString() },
    });
    expect((await notificationsOf(house, leadId)).at(-1)).toEqual({
      kind: 'lead.nobody_found',
      user_id: house.team['managerUserId'],
    });
    for (let hour = 0; hour < 5; hour++) expect((await house.takeDue(leadId)).stage).toBe('touched');
    const touchedAgain = await house.send(leadId, 'touch', {}, { receivedAt: after(monday, 400) });
    expect(touchedAgain.state.next?.step).toBe('find_owner');
    await house.sql('update crm_core.crm_users set active = true');
    expect(await house.takeDue(leadId)).toMatchObject({
      stage: 'touched',
      assignedUserId: state.assignedUserId,
      round: 2,
      next: { step: 'remind_idle' },
    });
    expect(await notificationsOf(house, leadId)).toHaveLength(3);
  });

  it('puts an untouched lead that nobody can take back to where it waits', async () => {
    const { house, leadId, state } = await houseWithLead(alone);
    await deactivate(house, state.assignedUserId);
    expect(await replan(house, leadId, monday)).toMatchObject({
      stage: 'scored',
      assignedUserId: undefined,
      next: { step: 'find_owner' },
    });
  });

  it('does not get it back when a merge is taken back', async () => {
    const { house, leadId, state } = await houseWithLead();
    const { leadId: survivor } = await house.capture(form(), { receivedAt: monday });
    await house.send(leadId, 'touch', {}, { receivedAt: after(monday, 5) });
    await house.send(leadId, 'merge', { intoLeadId: survivor }, { receivedAt: after(monday, 6) });
    await deactivate(house, state.assignedUserId);
    const { state: open, answer } = await house.send(leadId, 'unmerge', {}, { receivedAt: after(monday, 7) });
    expect(open).toMatchObject({ stage: 'touched', status: 'open', next: { step: 'remind_idle' } });
    expect(open.assignedUserId).toBe(house.users.find(({ id }) => id !== state.assignedUserId)?.id);
    expect(answer.body).toMatchObject({ assignedUserId: open.assignedUserId });
  });
});

describe('an owner who is away', () => {
  const leave = (house: House, userId: unknown, delegateUserId: string | null = null) =>
    house.sql(
      `update crm_core.crm_users set out_of_office_from = '2026-11-01T00:00:00Z', delegate_user_id = ? where user_id = ?`,
      [delegateUserId, userId],
    );

  it('keeps the lead; the delegate is reminded of it, and hears when it is closed', async () => {
    const { house, leadId, state } = await houseWithLead();
    const delegate = await makeUser(house.org);
    await makeTeam(house.org, [delegate]);
    await house.send(leadId, 'touch', {}, { receivedAt: after(monday, 5) });
    await leave(house, state.assignedUserId, delegate.id);
    expect(await house.takeDue(leadId)).toMatchObject({ assignedUserId: state.assignedUserId, round: 1 });
    expect(await house.takeDue(leadId)).toMatchObject({ stage: 'disqualified' });
    expect((await stepsOf(house, leadId)).map(({ outcome }) => outcome)).toEqual([
      'owner is away: delegate reminded',
      'closed as stale',
    ]);
    expect((await notificationsOf(house, leadId)).slice(1)).toEqual([
      { kind: 'lead.remind_idle', user_id: delegate.id },
      { kind: 'lead.close_stale', user_id: state.assignedUserId },
      { kind: 'lead.close_stale', user_id: delegate.id },
    ]);
  });

  it('without a delegate who is there has the manager reminded', async () => {
    const { house, leadId, state } = await houseWithLead();
    const delegate = await makeUser(house.org);
    await leave(house, state.assignedUserId, delegate.id);
    await leave(house, delegate.id);
    await house.takeDue(leadId);
    expect((await stepsOf(house, leadId))[0]).toMatchObject({ outcome: 'owner is away: manager reminded' });
    expect((await notificationsOf(house, leadId)).at(-1)).toEqual({
      kind: 'lead.remind_owner',
      user_id: house.team['managerUserId'],
    });
  });

  it('is reminded all the same where there is nobody else', async () => {
    const { house, leadId, state } = await houseWithLead();
    await leave(house, state.assignedUserId);
    await deactivate(house, house.team['managerUserId']);
    await house.takeDue(leadId);
    expect((await stepsOf(house, leadId))[0]).toMatchObject({
      outcome: 'owner reminded, though away: there is nobody else',
    });
  });
});
