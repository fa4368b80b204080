import { describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { databaseFixture, refusalCode } from '../../db/database-fixture.ts';
import { makeCalendar, makeTeam, makeUser } from '../../support/factories.ts';
import { after, form, type House, makeHouse } from './house.ts';

const fixture = databaseFixture();
const monday = new Date('2026-11-23T09:00:00.000Z');

const replan = ({ org, activities }: House, leadId: string, at = monday) =>
  activities.replan({ organizationId: org.id, leadId, at: at.toISOString() });

describe('planning again', () => {
  it('moves the next step to the hours of a calendar that has changed, and keeps those of a deleted one', async () => {
    const house = await makeHouse(fixture.app);
    const { leadId, state } = await house.capture(form(), { receivedAt: monday });
    const calendar = await makeCalendar(house.org, {
      timeZone: 'UTC',
      hours: { tuesday: [{ from: '10:00', to: '12:00' }] },
    });
    await house.sql('update crm_core.crm_users set calendar_id = ? where user_id = ?', [
      calendar.id,
      state.assignedUserId,
    ]);
    const moved = await replan(house, leadId);
    expect(moved.next).toMatchObject({ step: 'remind_owner', dueAt: '2026-11-24T10:30:00.000Z' });
    expect(await replan(house, leadId)).toEqual(moved);
    await house.sql('update crm_core.crm_calendars set deleted_at = now(), version = version + 1');
    expect(await replan(house, leadId)).toEqual(moved);
  });

  it('gives a lead that nobody could get to the first who can', async () => {
    const house = await makeHouse(fixture.app, { users: () => Promise.resolve([]) });
    const { leadId, state } = await house.capture(form(), { receivedAt: monday });
    expect(state.stage).toBe('scored');
    expect(await replan(house, leadId)).toEqual(state);
    expect(await house.count('crm_lead_assignments', 'lead_id = ?', [leadId])).toBe(1);
    const user = await makeUser(house.org);
    const team = await makeTeam(house.org, [user]);
    await house.sql('update crm_core.crm_assignment_rules set team_id = ?', [team.id]);
    const at = after(monday, 60);
    const given = await replan(house, leadId, at);
    expect(given).toMatchObject({
      stage: 'assigned',
      assignedUserId: user.id,
      round: 1,
      next: { step: 'remind_owner', dueAt: after(at, 30).toISOString() },
    });
    expect(await replan(house, leadId, at)).toEqual(given);
    expect(await house.count('crm_lead_assignments', 'lead_id = ? and user_id is not null', [leadId])).toBe(1);
    expect(await house.count('crm_notifications', "subject_id = ? and kind = 'lead.assigned'", [leadId])).toBe(1);
  });

  it('tells the process of a lead that is deleted or has ended that it is over', async () => {
    const house = await makeHouse(fixture.app);
    const { leadId } = await house.capture(form());
    const ended = await house.send(leadId, 'disqualify', { reason: 'spam' });
    expect(await replan(house, leadId)).toEqual(ended.state);
    await house.sql('update crm_core.crm_leads set deleted_at = now() where lead_id = ?', [leadId]);
    expect(await replan(house, leadId)).toMatchObject({ isDeleted: true });
    expect(await house.decide(leadId)).toMatchObject({ isDeleted: true });
  });

  it('is not possible for a lead that is foreign or unknown', async () => {
    const [house, other] = [await makeHouse(fixture.app), await makeHouse(fixture.app)];
    const { leadId } = await house.capture(form());
    expect(await refusalCode(replan(other, leadId))).toBe('not_found');
    expect(await refusalCode(replan(house, uuidv7()))).toBe('not_found');
  });
});
