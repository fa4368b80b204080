import { describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { Actor } from '../../../db/access/actor.ts';
import { teams } from '../../../db/access/team.ts';
import { claimOwedCommands } from '../../../db/automation/owed-commands.queries.ts';
import { activities } from '../../../db/engagement/activity.ts';
import { type ActivityInput, logActivity } from '../../../db/engagement/activity-log.queries.ts';
import { databaseFixture, refusalCode } from '../../db/database-fixture.ts';
import {
  type Made,
  makeAccount,
  makeTeam,
  makeUser,
  managerOf,
  marketer,
  salesRep,
  writeAs,
} from '../../support/factories.ts';
import { form, type House, makeHouse } from './house.ts';

const fixture = databaseFixture();

const call = (
  subjectType: ActivityInput['subjectType'],
  subjectId: string,
  overrides: Partial<ActivityInput> = {},
): ActivityInput => ({
  subjectType,
  subjectId,
  activityType: 'call',
  direction: 'outbound',
  userId: null,
  happenedAt: new Date('2026-11-20T10:00:00.000Z'),
  durationSeconds: 90,
  notes: 'Rang.',
  ...overrides,
});

const owedTo = (house: House, recordId: string) =>
  house.sql<Record<string, unknown>>(
    "select message, process, state, actor, body, command_id from crm_core.crm_commands where record_id = ? and state = 'received'",
    [recordId],
  );

async function houseWithLead() {
  const house = await makeHouse(fixture.app);
  const lead = await house.capture(form());
  const owner = house.users.find(({ id }) => id === lead.state.assignedUserId);
  if (!owner) throw new Error('The lead has no owner');
  return { house, leadId: lead.leadId, owner };
}

describe('logging an activity', () => {
  it('on an open lead writes it with its timeline entry, and owes a touch to its process, all or nothing', async () => {
    const { house, leadId, owner } = await houseWithLead();
    const actor = salesRep(house.org, owner);
    const write = writeAs(actor);
    const answer = await logActivity(house.database, write, call('lead', leadId, { userId: owner.id }));
    expect(answer).toMatchObject({
      status: 201,
      replayed: false,
      body: { id: expect.any(String), subjectId: leadId, activityType: 'call', durationSeconds: 90, userId: owner.id },
    });
    const [entry] = await house.sql<Record<string, unknown>>(
      "select happened_at, created_at, details from crm_core.crm_timeline where kind = 'activity.logged'",
    );
    expect(new Date(String(entry?.['happened_at'])).toISOString()).toBe('2026-11-20T10:00:00.000Z');
    expect(new Date(String(entry?.['created_at']))).toEqual(write.receivedAt);
    expect(entry?.['details']).toEqual({ activityId: answer.body?.['id'] });
    expect(await owedTo(house, leadId)).toMatchObject([{ message: 'touch', process: 'lead', actor }]);

    expect(await logActivity(house.database, write, call('lead', leadId, { userId: owner.id }))).toEqual({
      ...answer,
      replayed: true,
    });
    expect([await house.count('crm_activities'), (await owedTo(house, leadId)).length]).toEqual([1, 1]);

    const owed = (await claimOwedCommands(fixture.relay, 100)).find(({ recordId }) => recordId === leadId);
    if (!owed) throw new Error('The relay does not see the command');
    const message = {
      name: owed.message,
      key: owed.commandId,
      payload: {},
      commandId: owed.commandId,
      actor: owed.actor,
      receivedAt: owed.receivedAt.toISOString(),
    };
    const state = await house.activities.applyMessage({ organizationId: house.org.id, leadId, message });
    expect(state).toMatchObject({ stage: 'touched' });
    expect(await house.count('crm_activities')).toBe(1);
    expect(await owedTo(house, leadId)).toEqual([]);
  });

  it('touches the lead for those alone who may work on it; whoever else sees it, logs', async () => {
    const { house, leadId, owner } = await houseWithLead();
    const [place] = await house.sql<{ team_id: string }>(
      'select team_id from crm_core.crm_team_members where user_id = ?',
      [owner.id],
    );
    const { records } = house.org;
    const ofTheTeam = managerOf(house.org, (await records.get(house.admin, teams, String(place?.team_id))) as Made);
    const ofAnother = managerOf(house.org, await makeTeam(house.org));
    const log = async (actor: Actor) => {
      const answer = await logActivity(house.database, writeAs(actor), call('lead', leadId, { userId: owner.id }));
      expect(answer).toMatchObject({ status: 201, body: { userId: owner.id } });
      return (await owedTo(house, leadId)).length;
    };
    expect(await log(ofAnother)).toBe(0);
    expect(await log(ofTheTeam)).toBe(1);
    expect(await house.count('crm_activities')).toBe(2);
  });

  it('cannot be changed or taken back', async () => {
    const { house, leadId } = await houseWithLead();
    const { body } = await logActivity(house.database, writeAs(house.admin), call('lead', leadId));
    const id = String(body?.['id']);
    const { records } = house.org;
    const refused = [
      records.patch(writeAs(house.admin), activities, id, '*', { notes: 'Never.' }),
      records.remove(writeAs(house.admin), activities, id, '*'),
    ];
    for (const attempt of refused) expect(await refusalCode(attempt)).toBe('method_not_allowed');
    expect(await house.sql('select notes, version from crm_core.crm_activities')).toEqual([
      { notes: 'Rang.', version: 1 },
    ]);
  });

  it('on a lead that has ended, and on anything else, owes nothing', async () => {
    const { house, leadId } = await houseWithLead();
    await house.send(leadId, 'disqualify', { reason: 'spam' });
    await logActivity(house.database, writeAs(house.admin), call('lead', leadId));
    const account = await makeAccount(house.org);
    await logActivity(house.database, writeAs(house.admin), call('account', account.id));
    expect([...(await owedTo(house, leadId)), ...(await owedTo(house, account.id))]).toEqual([]);
    expect(await house.count('crm_activities')).toBe(2);
  });

  it('is refused on what the caller cannot see, for a user who does not exist, and by role, with nothing written', async () => {
    const { house, leadId } = await houseWithLead();
    const other = await makeHouse(fixture.app);
    const colleague = salesRep(house.org, await makeUser(house.org));
    const log = (actor: House['admin'], input: ActivityInput) =>
      refusalCode(logActivity(house.database, writeAs(actor), input));
    expect(await log(other.admin, call('lead', leadId))).toBe('reference_not_found');
    expect(await log(colleague, call('lead', leadId))).toBe('reference_not_found');
    expect(await log(house.admin, call('lead', uuidv7()))).toBe('reference_not_found');
    expect(await log(house.admin, call('lead', leadId, { userId: uuidv7() }))).toBe('reference_not_found');
    expect(await log(marketer(house.org), call('lead', leadId))).toBe('forbidden');
    expect([await house.count('crm_activities'), (await owedTo(house, leadId)).length]).toEqual([0, 0]);
  });
});
