import { describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { databaseFixture, refusalOf } from '../../db/database-fixture.ts';
import { leads } from '../../../db/leads/lead.ts';
import { makeTeam, makeUser, managerOf, salesRep, writeAs } from '../../support/factories.ts';
import { form, type House, houseWithLead as withLead, makeHouse, tracesOf } from './house.ts';

const fixture = databaseFixture();

const houseWithLead = () => withLead(fixture.app);

describe('touch', () => {
  it('ends the ladder, logs what was done, and scores the lead again', async () => {
    const { house, leadId, state: before } = await houseWithLead();
    const receivedAt = new Date();
    const { state, answer } = await house.send(
      leadId,
      'touch',
      { channel: 'call', note: 'Wants a demonstration.' },
      { receivedAt },
    );
    expect(state).toMatchObject({
      stage: 'touched',
      status: 'open',
      assignedUserId: before.assignedUserId,
      next: { step: 'remind_idle' },
    });
    expect(state.score).toBeGreaterThan(before.score ?? 0);
    expect(answer).toMatchObject({
      status: 200,
      body: { id: leadId, stage: 'touched', touchedAt: receivedAt.toISOString(), engagementCount: 1 },
    });
    const logged = await house.sql(
      'select activity_type, notes, direction from crm_core.crm_activities where subject_id = ?',
      [leadId],
    );
    expect(logged).toEqual([{ activity_type: 'call', notes: 'Wants a demonstration.', direction: null }]);
    const [latest] = await house.sql(
      'select cause, score from crm_core.crm_lead_scores where lead_id = ? order by scored_at desc, lead_score_id desc',
      [leadId],
    );
    expect(latest).toEqual({ cause: 'engaged', score: state.score });
  });

  it('reads the note from the ledger: it does not travel with the message', async () => {
    const { house, leadId } = await houseWithLead();
    const { commandId } = await house.send(leadId, 'touch', { note: 'secret' });
    const [kept] = await house.sql<{ body: unknown }>('select body from crm_core.crm_commands where command_id = ?', [
      commandId,
    ]);
    expect(kept?.body).toEqual({ note: 'secret' });
    expect(await house.sql('select activity_type, notes from crm_core.crm_activities')).toEqual([
      { activity_type: 'note', notes: 'secret' },
    ]);
  });

  it('writes no activity when it says no more than that it happened', async () => {
    const { house, leadId } = await houseWithLead();
    await house.send(leadId, 'touch');
    expect(await house.count('crm_activities')).toBe(0);
    expect(await house.lead(leadId)).toMatchObject({ engagement_count: 1, stage: 'touched' });
  });

  it('of an older receipt keeps the later activity', async () => {
    const { house, leadId } = await houseWithLead();
    const [early, late] = [new Date(Date.now() + 60_000), new Date(Date.now() + 120_000)];
    await house.send(leadId, 'touch', {}, { receivedAt: late });
    const { answer } = await house.send(leadId, 'touch', {}, { receivedAt: early });
    expect(answer.body).toMatchObject({ touchedAt: early.toISOString(), lastActivityAt: late.toISOString() });
  });
});

describe('rescore', () => {
  it('scores by the model in force, and says which', async () => {
    const { house, leadId, state: before } = await houseWithLead();
    expect(before.score).toBe(0);
    await house.sql(
      `update crm_core.crm_scoring_models set fit = '[{"label": "Any", "when": "true", "points": 80}]', version = 2`,
    );
    const { state } = await house.send(leadId, 'rescore');
    expect(state).toMatchObject({ score: 40, band: 'warm', stage: 'assigned', next: before.next });
    const [latest] = await house.sql(
      'select scoring_model_version, cause from crm_core.crm_lead_scores where lead_id = ? order by lead_score_id desc',
      [leadId],
    );
    expect(latest).toEqual({ scoring_model_version: 2, cause: 'rescore' });
    expect(await house.lead(leadId)).toMatchObject({ scoring_model_version: 2 });
  });

  it('gives 0 and no band when no model is active', async () => {
    const { house, leadId } = await houseWithLead();
    await house.sql('update crm_core.crm_scoring_models set active = false');
    expect((await house.send(leadId, 'rescore')).state).toMatchObject({ score: 0, band: undefined });
  });
});

describe('reassign', () => {
  it('chooses by the rules, passing over who has had the lead, until nobody is left', async () => {
    const { house, leadId, state: before } = await houseWithLead();
    const { state } = await house.send(leadId, 'reassign', { reason: 'On leave from tomorrow.' });
    expect(state).toMatchObject({
      stage: 'assigned',
      round: 2,
      next: { step: 'remind_owner' },
    });
    expect(state.assignedUserId).not.toBe(before.assignedUserId);
    const notifications = await house.sql<{ user_id: string; kind: string }>(
      'select user_id, kind from crm_core.crm_notifications where subject_id = ? order by notification_id',
      [leadId],
    );
    expect(notifications.slice(1)).toEqual([
      { user_id: state.assignedUserId, kind: 'lead.assigned' },
      { user_id: before.assignedUserId, kind: 'lead.reassigned_away' },
    ]);
    expect(await house.sql('select body from crm_core.crm_notes where subject_id = ?', [leadId])).toEqual([
      { body: 'On leave from tomorrow.' },
    ]);
    expect(await refusalOf(house.send(leadId, 'reassign'))).toMatchObject({ code: 'rule_violation' });
  });

  it('asks the delegate of an owner who is away, as for a new lead', async () => {
    const { house, leadId, state: before } = await houseWithLead();
    const delegate = await makeUser(house.org);
    await makeTeam(house.org, [delegate]);
    await house.sql('update crm_core.crm_users set active = false where user_id <> ? and user_id <> ?', [
      before.assignedUserId,
      delegate.id,
    ]);
    await house.sql('update crm_core.crm_users set out_of_office_from = ?, delegate_user_id = ? where user_id = ?', [
      '2026-01-01T00:00:00Z',
      delegate.id,
      before.assignedUserId,
    ]);
    expect((await house.send(leadId, 'reassign')).state).toMatchObject({ assignedUserId: delegate.id, round: 2 });
  });

  it('does not give a lead back to a fallback who has had it', async () => {
    const { house, leadId, state } = await houseWithLead();
    await house.sql('update crm_core.core_organizations set fallback_user_id = ?', [state.assignedUserId]);
    await house.send(leadId, 'reassign');
    expect(await refusalOf(house.send(leadId, 'reassign'))).toMatchObject({ code: 'rule_violation' });
  });

  it('gives it to the user named, whatever their load', async () => {
    const { house, leadId } = await houseWithLead();
    const named = await makeUser(house.org, { capacity: 0 });
    const { state, answer } = await house.send(
      leadId,
      'reassign',
      { userId: named.id },
      { actor: managerOf(house.org, house.team) },
    );
    expect(state).toMatchObject({ assignedUserId: named.id, round: 2, stage: 'assigned' });
    expect(answer.body).toMatchObject({ assignedUserId: named.id, teamId: null });
  });

  it('refuses a user who is not active, or not of this organisation', async () => {
    const { house, leadId, state: before } = await houseWithLead();
    const idle = await makeUser(house.org, { active: false });
    const foreign = (await makeHouse(fixture.app)).users[0];
    for (const [userId, message] of [
      [idle.id, 'is not active'],
      [foreign?.id, 'is not a user of this organisation'],
      [uuidv7(), 'is not a user of this organisation'],
    ]) {
      const refusal = await refusalOf(house.send(leadId, 'reassign', { userId }));
      expect(refusal).toMatchObject({ code: 'rule_violation', errors: [{ path: 'userId', message }] });
    }
    expect(await house.lead(leadId)).toMatchObject({ round: 1, assigned_user_id: before.assignedUserId });
  });

  it('answers somebody who may not see the lead any more with no more than its state', async () => {
    const { house, leadId, state: before } = await houseWithLead();
    const [owner, other] = [
      house.users.find(({ id }) => id === before.assignedUserId),
      house.users.find(({ id }) => id !== before.assignedUserId),
    ];
    if (!owner || !other) throw new Error('The house is empty');
    await house.send(leadId, 'reassign', { userId: other.id });
    const { answer } = await house.send(leadId, 'touch', {}, { actor: salesRep(house.org, owner) });
    expect(answer.body).toMatchObject({ id: leadId, stage: 'touched' });
    expect(answer.body).not.toHaveProperty('email');
  });
});

describe('disqualify', () => {
  it('closes the lead with its reason and note, and plans no more', async () => {
    const { house, leadId } = await houseWithLead();
    const receivedAt = new Date();
    const { state, answer } = await house.send(
      leadId,
      'disqualify',
      { reason: 'no_budget', note: 'Next year.' },
      { receivedAt },
    );
    expect(state).toMatchObject({ stage: 'disqualified', status: 'disqualified', next: undefined });
    expect(answer.body).toMatchObject({
      disqualifyReason: 'no_budget',
      closedAt: receivedAt.toISOString(),
      nextStep: null,
    });
    expect(await house.sql('select notes from crm_core.crm_activities where subject_id = ?', [leadId])).toEqual([
      { notes: 'Next year.' },
    ]);
  });
});

describe('engaged', () => {
  it('scores an open lead again, and moves the idle step of a touched one', async () => {
    const { house, leadId } = await houseWithLead();
    const touchedAt = new Date(Date.now() - 3_600_000);
    const touched = await house.send(leadId, 'touch', {}, { receivedAt: touchedAt });
    const { email } = await house.lead(leadId);
    await house.capture(form({ email: String(email) }));
    const state = await house.signal(leadId, 'engaged', { leadId: uuidv7() });
    expect(Date.parse(state.next?.dueAt ?? '')).toBeGreaterThan(Date.parse(touched.state.next?.dueAt ?? ''));
    expect(state.next?.step).toBe('remind_idle');
  });

  it('is nothing to a lead that has ended, nor is a change of its row', async () => {
    const { house, leadId } = await houseWithLead();
    const { state } = await house.send(leadId, 'disqualify', { reason: 'spam' });
    const before = await tracesOf(house);
    expect(await house.signal(leadId, 'engaged')).toEqual(state);
    expect(await house.signal(leadId, 'changed')).toEqual(state);
    expect(await tracesOf(house)).toEqual(before);
  });
});

describe('a change of the row', () => {
  const patch = ({ org, admin }: House, leadId: string, body: Record<string, unknown>) =>
    org.records.patch(writeAs(admin), leads, leadId, '*', body);

  it('scores the lead again, and its process shows the new priority', async () => {
    const { house, leadId, state } = await houseWithLead();
    await patch(house, leadId, { country: 'DE', urgency: 'high' });
    expect(await house.signal(leadId, 'changed')).toMatchObject({
      score: (state.score ?? 0) + 30,
      priority: 'high',
      next: state.next,
    });
    const [latest] = await house.sql('select cause from crm_core.crm_lead_scores order by lead_score_id desc');
    expect(latest).toEqual({ cause: 'changed' });
  });

  it('gives one that waits to whom the rules choose by that', async () => {
    const house = await makeHouse(fixture.app, { rule: { when: 'country == "FR"' } });
    const { leadId, state } = await house.capture(form());
    expect(state.stage).toBe('scored');
    await patch(house, leadId, { country: 'FR' });
    expect(await house.signal(leadId, 'changed')).toMatchObject({ stage: 'assigned', round: 1 });
  });
});
