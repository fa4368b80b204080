import { expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { leads } from '../../db/leads/lead.ts';
import { leadProcess } from '../../workflows/leads/messages.ts';
import { databaseFixture } from '../db/database-fixture.ts';
import { makeAssignmentRule, makeTeam, makeUser, writeAs } from '../support/factories.ts';
import { form, type House, makeHouse } from './leads/house.ts';
import { unattendedProcesses } from './unattended-processes.ts';

const fixture = databaseFixture();
const processes = unattendedProcesses(fixture);

/** A lead that nobody can be given, with a process. */
async function waitingLead(house: House, about: Parameters<typeof form>[0] = {}): Promise<string> {
  const { leadId, state } = await house.capture(form(about));
  expect(state.stage).toBe('scored');
  await processes.start(leadProcess, leadId, { organizationId: house.org.id, leadId });
  return leadId;
}

const told = (leadId: string) => processes.signalsOf(leadProcess, leadId);

/** Delivers the undelivered events of a kind. */
async function deliver(house: House, kind: string): Promise<void> {
  const batchId = uuidv7();
  await house.sql('update crm_core.crm_outbox set batch_id = ? where kind = ? and delivered_at is null', [
    batchId,
    kind,
  ]);
  await processes.deliver(batchId);
}

const fullHouse = (capacity = 1) =>
  makeHouse(fixture.app, { users: async (org) => [await makeUser(org, { capacity })] });

it('the lead that has waited longest hears when a place is free, one for each place', async () => {
  const house = await fullHouse();
  const held = await house.capture(form());
  const [ended, first, second] = [await waitingLead(house), await waitingLead(house), await waitingLead(house)];
  await processes.handle(leadProcess.workflowId(ended)).terminate();
  await house.send(held.leadId, 'disqualify', { reason: 'spam' });
  await deliver(house, 'lead.capacity_freed');
  expect([await told(first), await told(second)]).toEqual([['capacityFreed'], []]);
  const { org, activities } = house;
  const given = await activities.replan({ organizationId: org.id, leadId: first, at: new Date().toISOString() });
  expect(given).toMatchObject({ stage: 'assigned', assignedUserId: held.state.assignedUserId });
});

it('a place whose lead has ended, or was given another one, goes on to the next lead', async () => {
  const house = await makeHouse(fixture.app, {
    users: async (org) => [await makeUser(org, { capacity: 1 }), await makeUser(org, { capacity: 1 })],
  });
  const [one, other] = house.users.map(({ id }) => id) as [string, string];
  const held = [await house.capture(form()), await house.capture(form())];
  const [first, second] = [await waitingLead(house), await waitingLead(house)];
  for (const { leadId } of held) await house.send(leadId, 'disqualify', { reason: 'spam' });
  await deliver(house, 'lead.capacity_freed');
  expect([await told(first), await told(second)]).toEqual([['capacityFreed', 'capacityFreed'], []]);

  const announced = () =>
    house.sql<{ user_id: string }>(
      `select payload ->> 'userId' as user_id from crm_core.crm_outbox
       where kind = 'lead.capacity_freed' and subject_id = any(?::uuid[]) order by event_id`,
      [`{${first},${second}}`],
    );
  const look = (leadId: string, freedUserId: string) =>
    house.activities.replan({ organizationId: house.org.id, leadId, at: new Date().toISOString(), freedUserId });
  const { assignedUserId: taken } = await look(first, one);
  expect(await announced()).toEqual([]);
  const free = taken === one ? other : one;
  await look(first, free);
  expect(await announced()).toEqual([{ user_id: free }]);
  expect((await look(second, free)).assignedUserId).toBe(free);
  // Somebody was quicker: who has the place says when it is free again.
  const late = await waitingLead(house);
  await look(late, free);
  expect(await announced()).toHaveLength(1);
});

it('leads that have waited longer, but that the user cannot be given, are passed over', async () => {
  const house = await fullHouse();
  const elsewhere = await makeTeam(house.org, [await makeUser(house.org, { capacity: 0 })]);
  await makeAssignmentRule(house.org, elsewhere, { when: 'country == "FR"', position: 1 });
  await house.sql(`update crm_core.crm_assignment_rules set condition = 'country == "DE"' where position = 100`);
  const held = await house.capture(form({ country: 'DE' }));
  const [other, waiting] = [await waitingLead(house, { country: 'FR' }), await waitingLead(house, { country: 'DE' })];
  await house.send(held.leadId, 'disqualify', { reason: 'spam' });
  await deliver(house, 'lead.capacity_freed');
  expect([await told(other), await told(waiting)]).toEqual([[], ['capacityFreed']]);
});

it('it hears when a lead of its user is deleted, and when a user has more capacity', async () => {
  const house = await fullHouse();
  const held = await house.capture(form());
  const waiting = await waitingLead(house);
  await house.org.records.remove(writeAs(house.admin), leads, held.leadId, '*');
  await deliver(house, 'lead.removed');
  expect(await told(waiting)).toEqual(['capacityFreed']);
  const [user] = house.users;
  await house.sql('update crm_core.crm_users set capacity = 5 where user_id = ?', [user?.id]);
  await house.sql(
    "update crm_core.crm_outbox set kind = 'user.updated' where subject_id = ? and kind = 'user.created'",
    [user?.id],
  );
  await deliver(house, 'user.updated');
  expect(await told(waiting)).toEqual(['capacityFreed', 'capacityFreed']);
  processes.handle(`fan-out:${house.org.id}:user:${user?.id}`);
});

it('it hears of a new member of a team through the fan-out', async () => {
  const house = await fullHouse(0);
  await waitingLead(house);
  const [member] = await house.sql<{ id: string }>('select team_member_id as id from crm_core.crm_team_members');
  await deliver(house, 'team_member.created');
  const fanOut = processes.handle(`fan-out:${house.org.id}:team_member:${member?.id}`);
  expect((await fanOut.describe()).status.name).toBe('RUNNING');
});

it('a lead hears that somebody has changed its row', async () => {
  const house = await fullHouse(0);
  const leadId = await waitingLead(house);
  await house.org.records.patch(writeAs(house.admin), leads, leadId, '*', { urgency: 'high' });
  await deliver(house, 'lead.updated');
  expect(await told(leadId)).toEqual(['changed']);
});
