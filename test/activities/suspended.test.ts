import { describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { Actor } from '../../db/access/actor.ts';
import { identities } from '../../db/access/identity.ts';
import { users } from '../../db/access/user.ts';
import { readNotifications } from '../../db/automation/outbox.queries.ts';
import { inOrganization } from '../../db/database.ts';
import { readLeadProcess } from '../../db/leads/process.queries.ts';
import { markReplyUndelivered } from '../../db/tickets/replies.queries.ts';
import { databaseFixture, refusalOf } from '../db/database-fixture.ts';
import { adminOf, type Made, makeUser, salesRep, type TestOrganization, writeAs } from '../support/factories.ts';
import { form, makeHouse } from './leads/house.ts';
import { makeDesk } from './tickets/routing-house.ts';
import { makeTicketHouse } from './tickets/ticket-house.ts';

const fixture = databaseFixture();

/** The API lets them in no more; at work they go on as they were. */
const suspend = (org: TestOrganization, id: unknown) =>
  org.records.patch(writeAs(adminOf(org)), identities, String(id), '*', { status: 'suspended' });

describe('somebody whose identity is suspended', () => {
  it('is given no lead, by turn, as a fallback or by name, until they may come in again', async () => {
    const house = await makeHouse(fixture.app, { users: async (org) => [await makeUser(org)] });
    const [one] = house.users.map(({ id }) => id);
    await suspend(house.org, one);
    const fallback = await makeUser(house.org);
    await house.sql('update crm_core.core_organizations set fallback_user_id = ?', [fallback.id]);
    await house.sql('update crm_core.crm_teams set fallback_user_id = ?', [one]);
    const { leadId, state } = await house.capture(form());
    expect(state.assignedUserId).toBe(fallback.id);
    const { explanation } = await readLeadProcess(house.database, house.admin, leadId);
    expect(explanation['assignment']).toMatchObject({
      candidates: expect.arrayContaining([
        { userId: one, teamId: house.team.id, outcome: 'passed_over', code: 'suspended', reason: 'is suspended' },
      ]),
    });
    expect(await refusalOf(house.send(leadId, 'reassign', { userId: one }))).toMatchObject({
      code: 'rule_violation',
      errors: [{ path: 'userId', message: 'is suspended' }],
    });
    await suspend(house.org, fallback.id);
    expect((await house.capture(form())).state).toMatchObject({ stage: 'scored', assignedUserId: undefined });
    expect(await house.org.records.get(house.admin, users, String(one))).toMatchObject({ active: true });
    await house.org.records.patch(writeAs(house.admin), identities, String(one), '*', { status: 'active' });
    expect((await house.capture(form())).state.assignedUserId).toBe(one);
  });

  it('does not get back a lead that they have touched in time', async () => {
    const house = await makeHouse(fixture.app);
    const at = new Date();
    const { leadId, state } = await house.capture(form(), { receivedAt: at });
    for (let taken = ''; taken !== 'reassign';) taken = (await house.takeDue(leadId)).taken.step;
    const owner = house.users.find(({ id }) => id === state.assignedUserId) as Made;
    await suspend(house.org, owner.id);
    const actor = salesRep(house.org, owner);
    const touched = await house.send(leadId, 'touch', {}, { actor, receivedAt: at });
    expect(touched.state.stage).toBe('touched');
    expect(touched.state.assignedUserId).not.toBe(owner.id);
  });

  it('is given no ticket, by turn or by name', async () => {
    const desk = await makeDesk(fixture.app);
    const [one, other] = desk.agents.map(({ id }) => String(id));
    await suspend(desk.org, one);
    for (const ticketId of [await desk.open(), await desk.open()])
      expect((await desk.route(ticketId)).userId).toBe(other);
    expect(await refusalOf(desk.route(await desk.open(), { userId: String(one) }))).toMatchObject({
      errors: [{ path: 'userId', message: 'is suspended' }],
    });
  });

  it('is told nothing by mail, nor of a reply of theirs that came back: whoever has the ticket is', async () => {
    const house = await makeTicketHouse(fixture.app);
    const { ticketId, state } = await house.open();
    const author = house.agents.find(({ id }) => id !== state.assignedUserId) as Made;
    await house.send(ticketId, 'reply', { text: 'Hello' }, { actor: { ...house.admin, userId: author.id } as Actor });
    await suspend(house.org, author.id);
    const [reply] = await house.sql<{ id: string }>(
      "select conversation_message_id as id from crm_core.crm_conversation_messages where kind = 'reply'",
    );
    const bounce = { at: new Date(), by: 'system', reason: 'no such mailbox', refused: [] };
    const undelivered = await inOrganization(fixture.app, house.org.id, (em) =>
      markReplyUndelivered(em, house.org.id, String(reply?.id), bounce),
    );
    expect(undelivered?.userId).toBe(state.assignedUserId);

    const [notification] = await house.sql<{ id: string }>(
      'select notification_id as id from crm_core.crm_notifications where user_id = ?',
      [state.assignedUserId],
    );
    const event = { eventId: uuidv7(), organizationId: house.org.id, notificationId: String(notification?.id) };
    expect(await readNotifications(fixture.relay, [event])).toHaveLength(1);
    await suspend(house.org, state.assignedUserId);
    expect(await readNotifications(fixture.relay, [event])).toEqual([]);
  });

  it('keeps no ticket and no lead: both go to somebody who can work on them', async () => {
    const tickets = await makeTicketHouse(fixture.app);
    const { ticketId, state: opened } = await tickets.open();
    await suspend(tickets.org, opened.assignedUserId);
    const replanned = await tickets.replan(ticketId, new Date());
    expect(replanned).toMatchObject({ stage: 'assigned', round: 2 });
    expect(replanned.assignedUserId).not.toBe(opened.assignedUserId);

    const house = await makeHouse(fixture.app, { users: async (org) => [await makeUser(org), await makeUser(org)] });
    const { leadId, state } = await house.capture(form());
    await suspend(house.org, state.assignedUserId);
    const given = await house.activities.replan({
      organizationId: house.org.id,
      leadId,
      at: new Date().toISOString(),
    });
    expect(given.assignedUserId).toBe(house.users.find(({ id }) => id !== state.assignedUserId)?.id);
  });

  it('is not who watches: the manager’s place is taken by whoever comes next', async () => {
    const nothing = { when: 'channel == "phone"' };
    const house = await makeTicketHouse(fixture.app, { agents: [], policy: nothing });
    await suspend(house.org, house.team['managerUserId']);
    const fallback = await makeUser(house.org);
    await house.sql('update crm_core.core_organizations set fallback_user_id = ?', [fallback.id]);
    await house.open();
    expect(await house.sql('select kind, user_id from crm_core.crm_notifications')).toEqual([
      { kind: 'ticket.unattended', user_id: fallback.id },
    ]);
  });
});
