import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { createLeadActivities } from '../../../activities/leads.ts';
import type { Actor } from '../../../db/access/actor.ts';
import { openDatabase } from '../../../db/database.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { leads } from '../../../db/leads/lead.ts';
import { makeUser, salesRep } from '../../support/factories.ts';
import { berlin, form, type House, makeHouse } from './house.ts';

const fixture = databaseFixture();

const website = ({ org }: House): Actor => ({
  kind: 'service',
  organizationId: org.id,
  clientId: 'website',
  scopes: ['crm:leads:capture'],
});

describe('the decision on a new lead', () => {
  it('makes person and lead, scores, assigns, and keeps the answer that the API promises', async () => {
    const house = await makeHouse(fixture.app);
    const { leadId, state, answer } = await house.capture({
      fullName: 'Ada Lovelace',
      email: ' Ada@Example.com',
      phone: '030 901820',
      country: 'DE',
      source: 'website',
      urgency: 'high',
      externalRefs: [{ system: 'cms', externalId: '4711' }],
    });
    expect(state).toMatchObject({
      stage: 'assigned',
      status: 'open',
      score: 50,
      band: 'hot',
      priority: 'high',
      round: 1,
      next: { step: 'remind_owner' },
      isDeleted: undefined,
    });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      id: leadId,
      status: 'open',
      stage: 'assigned',
      score: 50,
      assignedUserId: state.assignedUserId,
      email: 'ada@example.com',
      person: {
        fullName: 'Ada Lovelace',
        primaryEmail: 'ada@example.com',
        primaryPhone: '+4930901820',
        emailStatus: 'accepts',
      },
      process: { workflowId: `lead:${leadId}`, stage: 'assigned', href: `/crm/v1/leads/${leadId}/process` },
    });
    expect(answer.body).not.toHaveProperty('normalization');

    const kinds = await house.sql<{ kind: string }>(
      'select kind from crm_core.crm_timeline where subject_id = ? order by kind',
      [leadId],
    );
    expect(kinds.map(({ kind }) => kind)).toEqual(['lead.assigned', 'lead.captured', 'lead.scored']);
    const [notification] = await house.sql<Record<string, unknown>>(
      'select user_id, kind, body from crm_core.crm_notifications where subject_id = ?',
      [leadId],
    );
    expect(notification).toMatchObject({ user_id: state.assignedUserId, kind: 'lead.assigned' });
    expect(notification?.['body']).toContain('Ada Lovelace');
    expect(await house.count('crm_outbox', "kind = 'notification.created' and subject_id = ?", [leadId])).toBe(1);
    expect(await house.count('crm_external_refs', "subject_id = ? and system = 'cms'", [leadId])).toBe(1);
    expect(await house.count('crm_lead_scores', 'lead_id = ?', [leadId])).toBe(1);
    const [assignment] = await house.sql<Record<string, unknown>>(
      'select * from crm_core.crm_lead_assignments where lead_id = ?',
      [leadId],
    );
    expect(assignment).toMatchObject({
      round: 1,
      user_id: state.assignedUserId,
      took_turn: true,
      over_capacity: false,
      assignment_rule_version: 1,
    });
    expect(assignment?.['candidates']).toHaveLength(2);
  });

  it('is made once: a second call finds it and writes nothing', async () => {
    const house = await makeHouse(fixture.app);
    const { leadId, commandId, state, answer } = await house.capture(form());
    const tables = [
      'crm_leads',
      'crm_people',
      'crm_lead_scores',
      'crm_lead_assignments',
      'crm_timeline',
      'crm_notifications',
      'crm_outbox',
    ];
    const before = await Promise.all(tables.map((table) => house.count(table)));
    expect(await house.decide(leadId)).toEqual(state);
    expect(await Promise.all(tables.map((table) => house.count(table)))).toEqual(before);
    expect(await house.answerOf(commandId)).toEqual(answer);
  });

  it('is found again when the ledger has forgotten its capture', async () => {
    const house = await makeHouse(fixture.app);
    const { leadId, state } = await house.capture(form());
    await house.sql('update crm_core.crm_commands set body = null where record_id = ?', [leadId]);
    expect(await house.decide(leadId)).toEqual(state);
  });

  it('is not possible without a capture in the ledger', async () => {
    const house = await makeHouse(fixture.app);
    await expect(house.decide(uuidv7())).rejects.toMatchObject({ code: 'not_found' });
  });

  it('is not possible for a capture of another organisation', async () => {
    const [house, other] = [await makeHouse(fixture.app), await makeHouse(fixture.app)];
    const { leadId } = await house.receive(form());
    await expect(other.decide(leadId)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('holds no transaction while a slow look-up of the mail domain lasts', async () => {
    const house = await makeHouse(fixture.app);
    const { leadId } = await house.receive(form());
    const narrow = await openDatabase({ url: fixture.url, role: 'crm_app', size: 1 });
    const lookup = async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      // The only connection of this pool: were it held, this would never answer.
      await narrow.orm.em.fork().execute('select 1');
      return 'rejects' as const;
    };
    const { decideIntake } = createLeadActivities({ database: narrow, mailExchange: { lookup } });
    await decideIntake({ organizationId: house.org.id, leadId, at: new Date().toISOString() });
    await narrow.close();
    expect(await house.count('crm_people', "email_status = 'rejects'")).toBe(1);
  });

  it('takes eight statements, begin and commit included', async () => {
    const house = await makeHouse(fixture.app);
    const { leadId } = await house.receive(form({ phone: berlin(1) }));
    const statements: string[] = [];
    const query = pg.Client.prototype.query;
    pg.Client.prototype.query = function counted(this: pg.Client, ...input: unknown[]) {
      const [first] = input as [string | { text: string }];
      statements.push(typeof first === 'string' ? first : first.text);
      return Reflect.apply(query, this, input) as never;
    } as typeof query;
    try {
      await house.decide(leadId);
    } finally {
      pg.Client.prototype.query = query;
    }
    expect(statements.map((statement) => statement.trim().slice(0, 12))).toHaveLength(8);
    expect(statements.filter((statement) => /^\s*(begin|commit)/.test(statement))).toHaveLength(2);
  });

  it('tells a website form nothing about the person', async () => {
    const house = await makeHouse(fixture.app);
    const { answer } = await house.capture(
      { fullName: 'Ada Lovelace', email: 'ada@example.com', phone: '030 901820', message: 'secret' },
      { actor: website(house) },
    );
    expect(answer.body).toMatchObject({ status: 'open', stage: 'assigned', person: { id: expect.any(String) } });
    expect(JSON.stringify(answer.body)).not.toMatch(/Ada|ada@|901820|secret/);
  });

  it('tells a sales representative of their own lead, and of somebody else’s only what a form hears', async () => {
    const house = await makeHouse(fixture.app, { users: async (org) => [await makeUser(org)] });
    const [owner] = house.users;
    const colleague = salesRep(house.org, await makeUser(house.org));
    if (!owner) throw new Error('The house is empty');
    const own = await house.capture(form({ fullName: 'Ada Lovelace', email: 'ada@example.com' }), {
      actor: salesRep(house.org, owner),
    });
    expect(own.answer.body).toMatchObject({ fullName: 'Ada Lovelace', email: 'ada@example.com' });
    const again = await house.capture(form({ fullName: 'A. L.', email: 'ada@example.com' }), { actor: colleague });
    expect(again.answer).toMatchObject({ status: 200, body: { id: own.leadId } });
    expect(JSON.stringify(again.answer.body)).not.toMatch(/Ada|ada@/);
  });

  it('leaves a lead scored when there is nobody, and says so', async () => {
    const house = await makeHouse(fixture.app, { users: () => Promise.resolve([]), rule: { when: 'country == "FR"' } });
    const { leadId, state, answer } = await house.capture(form());
    expect(state).toMatchObject({ stage: 'scored', assignedUserId: undefined, round: 0, next: { step: 'find_owner' } });
    expect(answer).toMatchObject({ status: 201, body: { stage: 'scored', assignedUserId: null } });
    expect(
      await house.sql('select user_id, round, reason from crm_core.crm_lead_assignments where lead_id = ?', [leadId]),
    ).toEqual([{ user_id: null, round: 1, reason: 'no rule matches, and there is no fallback' }]);
  });

  it('gives a lead to the fallback of the organisation only while they are active', async () => {
    const house = await makeHouse(fixture.app, { users: () => Promise.resolve([]), rule: { active: false } });
    const fallback = await makeUser(house.org);
    await house.sql('update crm_core.core_organizations set fallback_user_id = ?', [fallback.id]);
    expect((await house.capture(form())).state).toMatchObject({ stage: 'assigned', assignedUserId: fallback.id });
    await house.sql('update crm_core.crm_users set active = false where user_id = ?', [fallback.id]);
    expect((await house.capture(form())).state).toMatchObject({ stage: 'scored', assignedUserId: undefined });
  });
});

describe('a lead that is likely the same as another', () => {
  it('goes its way, and is flagged for its owner: by a task, in its timeline, and to be filtered by', async () => {
    const house = await makeHouse(fixture.app);
    const first = await house.capture({ fullName: 'Ada Lovelace', phone: berlin(77) });
    const { leadId, state } = await house.capture({ fullName: 'Grace Hopper', phone: berlin(77) });
    expect(state.stage).toBe('assigned');
    expect(
      await house.sql('select title, description, assigned_user_id, status, subject_id from crm_core.crm_tasks'),
    ).toEqual([
      {
        title: 'Possible duplicate: Grace Hopper',
        description: expect.stringContaining(first.leadId),
        assigned_user_id: state.assignedUserId,
        status: 'open',
        subject_id: leadId,
      },
    ]);
    expect(
      await house.sql("select subject_id, details from crm_core.crm_timeline where kind = 'lead.duplicate_suspected'"),
    ).toEqual([{ subject_id: leadId, details: { leadIds: [first.leadId] } }]);
    const flagged = await house.org.records.list(house.admin, leads, {
      filters: [{ field: 'likelyDuplicates', op: 'gte', value: '1' }],
      sort: [],
      limit: 10,
    });
    expect(flagged.data.map(({ id }) => id)).toEqual([leadId]);
  });

  const taskOf = async (house: House, leadId: string) =>
    (
      await house.sql<{ assigned_user_id: string | null; version: number }>(
        'select assigned_user_id, version from crm_core.crm_tasks where subject_id = ?',
        [leadId],
      )
    )[0];

  it('has the task follow it to whoever owns it, unless somebody has given that to another', async () => {
    const house = await makeHouse(fixture.app, {
      users: async (org) => [await makeUser(org, { capacity: 0 }), await makeUser(org, { capacity: 0 })],
    });
    const [one, other] = house.users.map(({ id }) => id);
    await house.capture({ fullName: 'Ada Lovelace', phone: berlin(78) });
    const { leadId } = await house.capture({ fullName: 'Grace Hopper', phone: berlin(78) });
    expect(await taskOf(house, leadId)).toEqual({ assigned_user_id: null, version: 1 });
    await house.sql('update crm_core.crm_users set capacity = 5 where user_id = ?', [one]);
    expect((await house.takeDue(leadId)).assignedUserId).toBe(one);
    expect(await taskOf(house, leadId)).toEqual({ assigned_user_id: one, version: 2 });
    await house.send(leadId, 'reassign', { userId: other });
    expect(await taskOf(house, leadId)).toEqual({ assigned_user_id: other, version: 3 });
    expect(
      await house.sql(
        "select value_after from crm_core.crm_auditlog where subject_type = 'task' and field = 'assignedUserId' order by subject_version",
      ),
    ).toEqual([{ value_after: one }, { value_after: other }]);
    await house.sql("update crm_core.crm_tasks set status = 'done'");
    await house.send(leadId, 'reassign', { userId: one });
    expect(await taskOf(house, leadId)).toMatchObject({ assigned_user_id: other });
    const manager = house.team['managerUserId'];
    await house.sql("update crm_core.crm_tasks set status = 'open', assigned_user_id = ?", [manager]);
    await house.send(leadId, 'reassign', { userId: other });
    expect(await taskOf(house, leadId)).toMatchObject({ assigned_user_id: manager });
  });
});
