import { describe, expect, it } from '@jest/globals';
import type { RecordJson } from '../../../db/model/record-json.ts';
import { resources } from '../../../db/registry.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { makeAccount, makeTeam, makeUser } from '../../support/factories.ts';
import { form, makeHouse } from './house.ts';

const fixture = databaseFixture();

describe('who gets it', () => {
  it('is the owner of the account of that name or domain, before any rule', async () => {
    const house = await makeHouse(fixture.app);
    const owner = await makeUser(house.org);
    await makeTeam(house.org, [owner]);
    const account = await makeAccount(house.org, {
      accountName: 'Analytical Engines Ltd',
      domain: 'engines.example',
      ownerUserId: owner.id,
    });
    await house.sql("update crm_core.crm_accounts set normalized_name = 'analytical engines' where account_id = ?", [
      account.id,
    ]);
    for (const about of [{ company: 'ANALYTICAL Engines' }, { email: 'ada@engines.example' }]) {
      const { leadId, state } = await house.capture(form(about));
      expect(state.assignedUserId).toBe(owner.id);
      expect(await house.lead(leadId)).toMatchObject({ account_id: account.id, assignment_rule_id: null });
    }
    const turns = await house.sql<{ turns: number }>('select turns from crm_core.crm_team_members');
    expect(turns.every((member) => member.turns === 0)).toBe(true);
  });

  it('is the delegate of a member who is away, though the delegate sits in another team', async () => {
    const house = await makeHouse(fixture.app, { users: async (org) => [await makeUser(org)] });
    const [away] = house.users;
    const delegate = await makeUser(house.org);
    await makeTeam(house.org, [delegate]);
    await house.sql(
      "update crm_core.crm_users set out_of_office_from = now() - interval '1 day', delegate_user_id = ? where user_id = ?",
      [delegate.id, away?.id],
    );
    const { leadId, state } = await house.capture(form());
    expect(state.assignedUserId).toBe(delegate.id);
    const [turn] = await house.sql<{ turns: number }>('select turns from crm_core.crm_team_members where user_id = ?', [
      away?.id,
    ]);
    expect(turn?.turns).toBe(1);
    expect(await house.lead(leadId)).toMatchObject({ team_id: house.team.id });
  });

  it('is not a fallback of the team who is away, though they sit in another team', async () => {
    const house = await makeHouse(fixture.app, { users: async (org) => [await makeUser(org, { capacity: 0 })] });
    const [stand, last] = [await makeUser(house.org), await makeUser(house.org)];
    await makeTeam(house.org, [stand]);
    await house.sql('update crm_core.crm_teams set fallback_user_id = ? where team_id = ?', [stand.id, house.team.id]);
    await house.sql('update crm_core.core_organizations set fallback_user_id = ?', [last.id]);
    expect((await house.capture(form())).state.assignedUserId).toBe(stand.id);
    await house.sql("update crm_core.crm_users set out_of_office_from = now() - interval '1 day' where user_id = ?", [
      stand.id,
    ]);
    expect((await house.capture(form())).state.assignedUserId).toBe(last.id);
  });

  it('goes by the ladder of its rule', async () => {
    const ladder = {
      remindOwnerAfterMinutes: 5,
      tellManagerAfterMinutes: 10,
      reassignAfterMinutes: 15,
      maxRounds: 2,
      remindIdleAfterMinutes: 60,
      closeStaleAfterMinutes: 120,
    };
    const house = await makeHouse(fixture.app, { rule: { ladder } });
    const receivedAt = new Date('2026-11-23T09:00:00.000Z');
    const { leadId, state } = await house.capture(form(), { receivedAt });
    expect(state.next?.dueAt).toBe('2026-11-23T09:05:00.000Z');
    const named = house.users.find(({ id }) => id !== state.assignedUserId);
    const given = await house.send(leadId, 'reassign', { userId: named?.id }, { receivedAt });
    expect(given.state.next?.dueAt).toBe('2026-11-23T09:05:00.000Z');
    expect(await house.lead(leadId)).toMatchObject({ assignment_rule_id: house.rule.id, assignment_rule_version: 1 });
    const [byHand] = await house.sql(
      'select assignment_rule_id, reason from crm_core.crm_lead_assignments where lead_id = ? and round = 2',
      [leadId],
    );
    expect(byHand).toEqual({ assignment_rule_id: null, reason: 'given by a person' });
  });

  it('changes no record that keeps its version: a reader who has the ETag has it as it is', async () => {
    const house = await makeHouse(fixture.app);
    const everything = { filters: [], sort: [], limit: 200 };
    const versions = async () => {
      const known = new Map<string, RecordJson>();
      for (const resource of resources)
        for (const record of (await house.org.records.list(house.admin, resource, everything)).data)
          known.set(`${resource.path} ${String(record['id'])} version ${String(record['version'])}`, record);
      return known;
    };
    await house.capture(form());
    const before = await versions();
    const { leadId } = await house.capture(form());
    await house.send(leadId, 'touch', { channel: 'call' });
    const after = await versions();
    const kept = [...after].filter(([key]) => before.has(key));
    expect(kept.filter(([key]) => key.startsWith('team-members'))).not.toEqual([]);
    for (const [key, record] of kept) expect([key, record]).toEqual([key, before.get(key)]);
  });
});
