import { describe, expect, it } from '@jest/globals';
import { readLeadProcess } from '../../../db/leads/process.queries.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { makeUser } from '../../support/factories.ts';
import { notificationsOf } from './chased-lead.ts';
import { after, form, type House, makeHouse } from './house.ts';

const fixture = databaseFixture();
const monday = new Date('2026-11-23T09:00:00.000Z');

/** A house whose only member is full, with a lead that nobody could be given that morning. */
async function houseWithWaiting() {
  const house = await makeHouse(fixture.app, { users: async (org) => [await makeUser(org, { capacity: 0 })] });
  return { house, ...(await house.capture(form(), { receivedAt: monday })) };
}

const setCapacity = (house: House, capacity: number) =>
  house.sql('update crm_core.crm_users set capacity = ? where user_id = ?', [capacity, house.users[0]?.id]);

describe('a lead that nobody can be given', () => {
  it('says what it waits for and why, and its team’s manager hears of it once', async () => {
    const { house, leadId, state } = await houseWithWaiting();
    expect(state).toMatchObject({
      stage: 'scored',
      round: 0,
      next: { step: 'find_owner', dueAt: after(monday, 60).toISOString() },
    });
    expect(await readLeadProcess(house.database, house.admin, leadId)).toMatchObject({
      waitsFor: { step: 'find_owner', dueAt: after(monday, 60).toISOString(), userId: null },
      explanation: {
        assignment: {
          userId: null,
          teamId: house.team.id,
          candidates: [{ userId: house.users[0]?.id, code: 'at_capacity' }],
          rulesTried: [{ ruleId: house.rule.id, matched: true }],
        },
      },
    });
    const looked = await house.takeDue(leadId);
    expect(looked.next).toEqual({ step: 'find_owner', dueAt: after(monday, 120).toISOString() });
    expect(await notificationsOf(house, leadId)).toEqual([
      { kind: 'lead.nobody_found', user_id: house.team['managerUserId'] },
    ]);
    expect(await house.count('crm_lead_assignments', 'lead_id = ?', [leadId])).toBe(1);
    expect(await house.count('crm_timeline', "subject_id = ? and kind = 'lead.waiting'", [leadId])).toBe(1);
    expect(await house.lead(leadId)).toMatchObject({ team_id: house.team.id });
  });

  it('is told of to administrators where no manager works here', async () => {
    const { house } = await houseWithWaiting();
    const admin = await makeUser(house.org);
    await house.sql('update crm_core.crm_users set active = false where user_id = ?', [house.team['managerUserId']]);
    await house.sql(
      `with role as (insert into crm_core.core_roles (role_id, organization_id, name, title, created_at, created_by, updated_at, updated_by)
         values (gen_random_uuid(), ?, 'admin', 'Administrator', now(), 'test', now(), 'test') returning role_id)
       insert into crm_core.core_role_assignments (role_assignment_id, organization_id, user_id, role_id, created_at, created_by, updated_at, updated_by)
         select gen_random_uuid(), ?, ?, role_id, now(), 'test', now(), 'test' from role`,
      [house.org.id, house.org.id, admin.id],
    );
    const { leadId } = await house.capture(form(), { receivedAt: monday });
    expect(await notificationsOf(house, leadId)).toEqual([{ kind: 'lead.nobody_found', user_id: admin.id }]);
  });

  it('is looked at again when somebody is back, and keeps why it waits if that is another reason by then', async () => {
    const { house } = await houseWithWaiting();
    await house.sql('update crm_core.crm_users set out_of_office_from = ?, out_of_office_until = ? where user_id = ?', [
      after(monday, -60),
      after(monday, 20),
      house.users[0]?.id,
    ]);
    const { leadId, state } = await house.capture(form(), { receivedAt: monday });
    expect(state.next).toEqual({ step: 'find_owner', dueAt: after(monday, 20).toISOString() });
    await house.takeDue(leadId);
    const { explanation } = await readLeadProcess(house.database, house.admin, leadId);
    expect(explanation).toMatchObject({
      assignment: { candidates: [{ code: 'at_capacity' }] },
      earlierAssignments: [{ candidates: [{ code: 'out_of_office' }] }],
    });
    await setCapacity(house, 1);
    const given = await house.takeDue(leadId);
    expect(given).toMatchObject({
      stage: 'assigned',
      assignedUserId: house.users[0]?.id,
      round: 1,
      next: { step: 'remind_owner' },
    });
    expect((await notificationsOf(house, leadId)).map(({ kind }) => kind)).toEqual([
      'lead.nobody_found',
      'lead.assigned',
    ]);
  });

  it('is given by the score of that moment, which is kept with the decision', async () => {
    const { house, leadId } = await houseWithWaiting();
    await house.sql(
      `update crm_core.crm_scoring_models set fit = '[{"label": "Any", "when": "true", "points": 80}]', version = 2`,
    );
    await setCapacity(house, 1);
    expect(await house.takeDue(leadId)).toMatchObject({ stage: 'assigned', score: 40, band: 'warm' });
    expect((await readLeadProcess(house.database, house.admin, leadId)).explanation['score']).toMatchObject({
      score: 40,
      cause: 'assigned',
      model: { version: 2 },
    });
  });
});

describe('a place that somebody has free again', () => {
  const freed = (house: House) =>
    house.sql<{ subject_id: string; user_id: string }>(
      "select subject_id, payload ->> 'userId' as user_id from crm_core.crm_outbox where kind = 'lead.capacity_freed' order by event_id",
    );

  it('is announced when a lead ends, and when it goes to somebody else; not when its owner goes on with it', async () => {
    const house = await makeHouse(fixture.app);
    const leads = [await house.capture(form()), await house.capture(form()), await house.capture(form())];
    const [first, second, third] = leads.map(({ leadId }) => leadId) as [string, string, string];
    await house.send(first, 'touch');
    await house.send(first, 'disqualify', { reason: 'spam' });
    await house.send(second, 'reassign');
    await house.send(third, 'merge', { intoLeadId: second });
    expect(await freed(house)).toEqual(
      leads.map(({ leadId, state }) => ({ subject_id: leadId, user_id: state.assignedUserId })),
    );
  });

  it('comes with a change of a team’s members', async () => {
    const house = await makeHouse(fixture.app);
    const [member] = await house.sql<{ id: string }>(
      'select team_member_id as id from crm_core.crm_team_members order by position',
    );
    expect(await house.count('crm_outbox', "kind = 'team_member.created' and subject_id = ?", [member?.id])).toBe(1);
  });
});
