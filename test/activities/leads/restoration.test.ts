import { describe, expect, it } from '@jest/globals';
import { takeUpRestored } from '../../../activities/leads/restoration.ts';
import { teams } from '../../../db/access/team.ts';
import { users } from '../../../db/access/user.ts';
import { assignmentRules } from '../../../db/leads/assignment-rule.ts';
import { leads } from '../../../db/leads/lead.ts';
import { scoringModels } from '../../../db/leads/scoring-model.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { writeAs } from '../../support/factories.ts';
import { chasedLead, monday, notificationsOf, stepsOf } from './chased-lead.ts';
import { after, berlin, type House } from './house.ts';

const fixture = databaseFixture();

const friday = new Date('2026-11-27T09:00:00.000Z');

async function removed(house: House, leadId: string): Promise<void> {
  await house.org.records.remove(writeAs(house.admin, { receivedAt: after(monday, 5) }), leads, leadId, '*');
}

/** Restores on Friday, and delivers the event as often as asked. */
async function restored(house: House, leadId: string, deliveries = 1): Promise<void> {
  await house.org.records.restore(writeAs(house.admin, { receivedAt: friday }), leads, leadId);
  for (let times = 0; times < deliveries; times++)
    await takeUpRestored(house.database, { organizationId: house.org.id, leadId, at: friday });
}

const dueAt = async (house: House, leadId: string) => new Date(String((await house.lead(leadId))['next_due_at']));

describe('a restored lead', () => {
  it('is chased from its restoration on, stays with its owner, who is told once', async () => {
    const { house, leadId, state } = await chasedLead(fixture.app);
    await removed(house, leadId);
    await restored(house, leadId, 2);
    expect(await house.lead(leadId)).toMatchObject({
      round: 1,
      assigned_user_id: state.assignedUserId,
      next_step: 'remind_owner',
    });
    expect(await dueAt(house, leadId)).toEqual(after(friday, 10));
    expect(await stepsOf(house, leadId)).toEqual([]);
    expect(await notificationsOf(house, leadId)).toEqual([
      { kind: 'lead.assigned', user_id: state.assignedUserId },
      { kind: 'lead.assigned', user_id: state.assignedUserId },
    ]);
    // What the deadline of Monday would have done is not done: it is only planned again.
    const due = { round: 1, step: 'remind_owner', dueAt: after(monday, 10).toISOString() } as const;
    await house.activities.takeStep({
      organizationId: house.org.id,
      leadId,
      ...due,
      detectedAt: after(friday, 1).toISOString(),
    });
    expect(await stepsOf(house, leadId)).toEqual([]);
    expect((await house.takeDue(leadId)).taken).toEqual({
      step: 'remind_owner',
      dueAt: after(friday, 10).toISOString(),
    });
    expect((await house.takeDue(leadId)).taken.step).toBe('tell_manager');
  });

  it('whose owner has left meanwhile is given to somebody else, once', async () => {
    const { house, leadId, state } = await chasedLead(fixture.app);
    await removed(house, leadId);
    await house.sql('update crm_core.crm_users set active = false where user_id = ?', [state.assignedUserId]);
    await restored(house, leadId, 2);
    const { assigned_user_id: ownerId, ...lead } = await house.lead(leadId);
    expect(lead).toMatchObject({ round: 2, stage: 'assigned', next_step: 'remind_owner' });
    expect(ownerId).toBe(house.users.find(({ id }) => id !== state.assignedUserId)?.id);
    expect(await dueAt(house, leadId)).toEqual(after(friday, 10));
    expect((await notificationsOf(house, leadId)).slice(1)).toEqual([{ kind: 'lead.assigned', user_id: ownerId }]);
  });

  it('comes back although who had it, the team, the rule and the model are deleted by now', async () => {
    const { house, leadId, state } = await chasedLead(fixture.app);
    await removed(house, leadId);
    const { records } = house.org;
    const [model] = (await records.list(house.admin, scoringModels, { filters: [], sort: [], limit: 1 })).data;
    for (const [resource, id] of [
      [users, state.assignedUserId],
      [teams, house.team.id],
      [assignmentRules, house.rule.id],
      [scoringModels, model?.['id']],
    ] as const)
      await records.remove(writeAs(house.admin), resource, String(id), '*');
    await restored(house, leadId);
    expect(await house.lead(leadId)).toMatchObject({
      stage: 'scored',
      assigned_user_id: null,
      next_step: 'find_owner',
    });
  });

  it('that was touched is idle from its restoration on', async () => {
    const { house, leadId } = await chasedLead(fixture.app);
    await house.send(leadId, 'touch', {}, { receivedAt: after(monday, 1) });
    await removed(house, leadId);
    await restored(house, leadId);
    expect(await house.lead(leadId)).toMatchObject({ stage: 'touched', next_step: 'remind_idle' });
    expect(await dueAt(house, leadId)).toEqual(after(friday, 100));
  });

  it('whose person was captured again meanwhile is merged into that lead, and a person can take it back', async () => {
    const { house } = await chasedLead(fixture.app);
    const ada = { fullName: 'Ada Lovelace', email: 'ada@example.com', phone: berlin(51) };
    const first = await house.capture(ada, { receivedAt: monday });
    await removed(house, first.leadId);
    const second = await house.capture({ fullName: 'Ada King', email: 'ada@example.com' }, { receivedAt: friday });
    const third = await house.capture({ fullName: 'Ada Lovelace', phone: berlin(51) }, { receivedAt: friday });
    expect([second.answer.status, third.answer.status]).toEqual([201, 201]);
    await restored(house, first.leadId, 2);
    expect(await house.lead(first.leadId)).toMatchObject({ status: 'merged', merged_into_lead_id: second.leadId });
    // The phone is that of a third open lead.
    expect(await house.lead(second.leadId)).toMatchObject({ status: 'open', phone: null, engagement_count: 1 });
    const [merge] = await house.sql<{ evidence: unknown }>('select evidence from crm_core.crm_merges');
    expect(merge?.evidence).toMatchObject({
      rule: 'same person',
      stage: 'assigned',
      duplicate: { leadId: second.leadId, verdict: 'exact' },
    });
    expect((await house.send(first.leadId, 'unmerge', {}, { receivedAt: friday })).state).toMatchObject({
      stage: 'assigned',
      assignedUserId: first.state.assignedUserId,
    });
  });

  it('that somebody took out of another one stands beside it', async () => {
    const { house } = await chasedLead(fixture.app);
    const ada = { fullName: 'Ada Lovelace', email: 'ada@example.com' };
    const first = await house.capture(ada, { receivedAt: monday });
    const second = await house.capture(ada, { receivedAt: monday });
    await house.send(second.leadId, 'unmerge', {}, { receivedAt: monday });
    for (const { leadId } of [first, second]) {
      await removed(house, leadId);
      await restored(house, leadId);
      expect(await house.lead(leadId)).toMatchObject({ status: 'open', next_step: 'remind_owner' });
    }
  });

  it('that is closed, deleted again, or has been worked on since is left as it is', async () => {
    const { house, leadId } = await chasedLead(fixture.app);
    const at = after(monday, 1);
    await house.send(leadId, 'touch', {}, { receivedAt: after(monday, 2) });
    const before = await house.lead(leadId);
    await takeUpRestored(house.database, { organizationId: house.org.id, leadId, at });
    expect(await house.lead(leadId)).toEqual(before);
    await house.send(leadId, 'disqualify', { reason: 'spam' }, { receivedAt: after(monday, 3) });
    const closed = await house.lead(leadId);
    await takeUpRestored(house.database, { organizationId: house.org.id, leadId, at: friday });
    expect(await house.lead(leadId)).toEqual(closed);
  });
});
