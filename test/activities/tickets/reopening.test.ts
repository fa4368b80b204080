import { describe, expect, it } from '@jest/globals';
import { supporter } from '../../support/factories.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { after, makeTicketHouse, type TicketHouse } from './ticket-house.ts';

const fixture = databaseFixture();
const monday = new Date('2026-11-23T09:00:00Z');
const at = (minutes: number) => after(monday, minutes);

const openClocks = async (house: TicketHouse, ticketId: string) =>
  (await house.clocks(ticketId))
    .filter(({ ended_at }) => ended_at === null)
    .map(({ target, due_at }) => [target, due_at]);

describe('a ticket that was resolved and is open again', () => {
  it('owes no answer to what was written before, whatever its priority becomes', async () => {
    const house = await makeTicketHouse(fixture.app);
    const { ticketId } = await house.open({ priority: 'P3' }, { receivedAt: monday });
    await house.send(ticketId, 'customerReply', { text: 'Hello?' }, { receivedAt: at(10) });
    await house.send(ticketId, 'resolve', {}, { receivedAt: at(20) });
    await house.send(ticketId, 'reopen', {}, { receivedAt: at(1_000) });
    const { state } = await house.send(ticketId, 'setPriority', { priority: 'P1' }, { receivedAt: at(1_001) });
    expect(await openClocks(house, ticketId)).toEqual([['resolution', at(1_240)]]);
    expect(state).toMatchObject({ sla: 'on_track' });
  });

  it('owes one to what was written since, also when nobody ever answered', async () => {
    const house = await makeTicketHouse(fixture.app, {
      policy: { targets: { P1: { first_response: 60, next_response: 120, resolution: 240 }, P4: { resolution: 240 } } },
    });
    const { ticketId } = await house.open({ priority: 'P4' }, { receivedAt: monday });
    await house.send(ticketId, 'resolve', {}, { receivedAt: at(20) });
    await house.send(ticketId, 'customerReply', { text: 'Not quite.' }, { receivedAt: at(1_000) });
    await house.send(ticketId, 'customerReply', { text: 'Hello?' }, { receivedAt: at(1_010) });
    await house.send(ticketId, 'setPriority', { priority: 'P1' }, { receivedAt: at(1_020) });
    const owed = [
      ['next_response', at(1_120)],
      ['next_response', at(1_130)],
      ['resolution', at(1_240)],
    ];
    expect(await openClocks(house, ticketId)).toEqual(owed);
  });

  it('tells its agent so, and who reopened their own nothing', async () => {
    const house = await makeTicketHouse(fixture.app, { agents: [{}] });
    const agent = String(house.agents[0]?.id);
    const { ticketId } = await house.open({}, { receivedAt: monday });
    const told = async () =>
      (await house.sql<{ kind: string }>('select kind from crm_core.crm_notifications order by notification_id')).map(
        ({ kind }) => kind,
      );
    await house.send(ticketId, 'resolve', {}, { receivedAt: at(1) });
    await house.send(ticketId, 'reopen', {}, { receivedAt: at(2) });
    expect(await told()).toEqual(['ticket.assigned', 'ticket.reopened']);
    await house.send(ticketId, 'resolve', {}, { receivedAt: at(3) });
    await house.send(ticketId, 'reopen', {}, { receivedAt: at(4), actor: supporter(house.org, agent) });
    expect(await told()).toEqual(['ticket.assigned', 'ticket.reopened']);
    await house.send(ticketId, 'resolve', {}, { receivedAt: at(5) });
    await house.send(ticketId, 'customerReply', { text: 'Again.' }, { receivedAt: at(6) });
    expect((await told()).slice(2)).toEqual(['ticket.customer_replied']);
  });

  it('keeps to the policy version that was applied to open tickets while it was not one', async () => {
    const house = await makeTicketHouse(fixture.app);
    const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: monday });
    await house.send(ticketId, 'resolve', {}, { receivedAt: at(1) });
    await house.applyPolicy({ targets: { P1: { next_response: 30, resolution: 100 } } }, at(2));
    await house.send(ticketId, 'customerReply', { text: 'Again.' }, { receivedAt: at(10) });
    expect(await openClocks(house, ticketId)).toEqual([
      ['next_response', at(40)],
      ['resolution', at(110)],
    ]);
    expect(await house.ticket(ticketId)).toMatchObject({ sla_policy_version: 2 });
  });
});

describe('a message on a ticket that is closed for good', () => {
  const closed = async () => {
    const house = await makeTicketHouse(fixture.app, { policy: { reopenWithinMinutes: 10 } });
    const { ticketId } = await house.open({}, { receivedAt: monday });
    return { house, ticketId };
  };
  const followUps = (house: TicketHouse) => house.count('crm_commands', `route = 'follow-up'`);

  it('opens no follow-up when the ticket has it already, under whatever key it comes again', async () => {
    const { house, ticketId } = await closed();
    const message = { text: 'Hello?', messageId: 'a@b.example' };
    await house.send(ticketId, 'customerReply', message, { receivedAt: at(1) });
    await house.send(ticketId, 'close', {}, { receivedAt: at(2) });
    await house.send(ticketId, 'customerReply', message, { receivedAt: at(100) });
    expect(await followUps(house)).toBe(0);
  });

  const said = (house: TicketHouse, ticketId: string | undefined) =>
    house.sql<{ body: string; message_id: string | null }>(
      `select body, message_id from crm_core.crm_conversation_messages where ticket_id = ? order by sent_at`,
      [ticketId],
    );
  /** A message to the closed ticket, and what came of it. */
  const late = async (house: TicketHouse, ticketId: string, minutes: number, message: object) => {
    await house.send(ticketId, 'customerReply', { ...message }, { receivedAt: at(minutes) });
    return house.deliverOwed();
  };

  it('opens one follow-up with its Message-ID, and what is written later goes on to that, each message once', async () => {
    const { house, ticketId } = await closed();
    await house.send(ticketId, 'close', {}, { receivedAt: at(2) });
    const messageId = (end: string) => `${'x'.repeat(300)}${end}@b.example`;
    const [followUp] = await late(house, ticketId, 100, { text: 'Hello?', messageId: messageId('1') });
    // The ledger forgets what a command said after a day.
    await house.sql(`update crm_core.crm_commands set body = null, deleted_at = now()`);
    expect(await late(house, ticketId, 101, { text: 'And?', messageId: messageId('2') })).toEqual([followUp]);
    await late(house, ticketId, 102, { text: 'Hello?', messageId: messageId('1') });
    expect(await said(house, followUp)).toEqual([
      { body: 'Hello?', message_id: messageId('1') },
      { body: 'And?', message_id: messageId('2') },
    ]);
    expect(await house.count('crm_tickets')).toBe(2);
  });

  it('opens one for two messages, though the later of them is taken first', async () => {
    const { house, ticketId } = await closed();
    await house.send(ticketId, 'close', {}, { receivedAt: at(2) });
    for (const minutes of [101, 100])
      await house.send(ticketId, 'customerReply', { text: `${minutes}` }, { receivedAt: at(minutes) });
    const [followUp] = await house.deliverOwed();
    expect((await said(house, followUp)).map(({ body }) => body)).toEqual(['100', '101']);
    expect(await house.count('crm_tickets')).toBe(2);
  });

  it('reopens the follow-up within its window, and opens one of that later', async () => {
    const { house, ticketId } = await closed();
    await house.send(ticketId, 'close', {}, { receivedAt: at(2) });
    const [first] = await late(house, ticketId, 100, { text: 'One.' });
    await house.send(String(first), 'resolve', {}, { receivedAt: at(110) });
    await late(house, ticketId, 115, { text: 'Two.' });
    expect(await house.ticket(String(first))).toMatchObject({ stage: 'assigned', reopen_count: 1 });
    await house.send(String(first), 'close', {}, { receivedAt: at(120) });
    const [, second] = await late(house, ticketId, 200, { text: 'Three.' });
    expect(await house.ticket(String(second))).toMatchObject({ follow_up_of_ticket_id: first, stage: 'assigned' });
    expect(await late(house, ticketId, 201, { text: 'Four.' })).toEqual([first, second]);
  });

  it('opens another where the opening of the first was refused', async () => {
    const { house, ticketId } = await closed();
    await house.send(ticketId, 'close', {}, { receivedAt: at(2) });
    await house.send(ticketId, 'customerReply', { text: 'One.' }, { receivedAt: at(100) });
    await house.sql(
      `update crm_core.crm_commands set state = 'answered', answer_status = 422 where route = 'follow-up'`,
    );
    const [followUp] = await late(house, ticketId, 101, { text: 'Two.' });
    expect((await said(house, followUp)).map(({ body }) => body)).toEqual(['Two.']);
  });
});

describe('a message on a ticket that was merged meanwhile', () => {
  it('goes on to the ticket that it went into, as of when it was received', async () => {
    const house = await makeTicketHouse(fixture.app);
    const { ticketId: into } = await house.open({ priority: 'P1' }, { receivedAt: monday });
    const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: monday });
    for (const id of [into, ticketId]) await house.send(id, 'reply', { text: 'Hello' }, { receivedAt: at(1) });
    await house.send(ticketId, 'merge', { intoTicketId: into }, { receivedAt: at(20) });
    const message = { text: 'And now?', messageId: 'a@b.example' };
    const { state } = await house.send(ticketId, 'customerReply', message, { receivedAt: at(19) });
    expect(state).toMatchObject({ stage: 'merged' });
    const [owed] = await house.sql<{ command_id: string; record_id: string; received_at: string; body: object }>(
      `select command_id, record_id, received_at, body from crm_core.crm_commands where route = 'forward'`,
    );
    expect(owed).toMatchObject({ record_id: into, body: message });
    const commandId = String(owed?.command_id);
    const receivedAt = new Date(String(owed?.received_at)).toISOString();
    const delivered = { name: 'customerReply', key: commandId, commandId, receivedAt, payload: {}, actor: house.admin };
    await house.activities.applyTicketMessage({ organizationId: house.org.id, ticketId: into, message: delivered });
    expect(await openClocks(house, into)).toEqual([
      ['next_response', at(139)],
      ['resolution', at(240)],
    ]);
  });
});

describe('what a customer wrote', () => {
  const followUpsOf = (house: TicketHouse, ticketId: string) =>
    house.sql<{ id: string; requester_person_id: string; description: string }>(
      `select ticket_id as id, requester_person_id, description from crm_core.crm_tickets
       where follow_up_of_ticket_id = ? order by number`,
      [ticketId],
    );
  const remove = (house: TicketHouse, table: string, key: string, id: unknown) =>
    house.sql(`update crm_core.${table} set deleted_at = now() where ${key} = ?`, [id]);

  it('reaches a follow-up ticket of the same requester, though that person was deleted since', async () => {
    const house = await makeTicketHouse(fixture.app, { policy: { reopenWithinMinutes: 0 } });
    const { ticketId } = await house.open({}, { receivedAt: monday });
    await house.send(ticketId, 'close', {}, { receivedAt: at(2) });
    const { requester_person_id: requester } = await house.ticket(ticketId);
    await remove(house, 'crm_people', 'person_id', requester);
    await house.send(ticketId, 'customerReply', { text: 'One more thing.' }, { receivedAt: at(100) });
    await house.deliverOwed();
    expect(await followUpsOf(house, ticketId)).toMatchObject([
      { requester_person_id: requester, description: 'One more thing.' },
    ]);
    expect(await house.count('crm_people', 'deleted_at is null')).toBe(0);
  });

  it('reaches a follow-up of the ticket that theirs was merged into, though that was deleted since', async () => {
    const house = await makeTicketHouse(fixture.app);
    const { ticketId: into } = await house.open({}, { receivedAt: monday });
    const { ticketId: between } = await house.open({}, { receivedAt: monday });
    const { ticketId } = await house.open({}, { receivedAt: monday });
    await house.send(ticketId, 'merge', { intoTicketId: between }, { receivedAt: at(20) });
    await house.send(between, 'merge', { intoTicketId: into }, { receivedAt: at(21) });
    for (const id of [between, into]) await remove(house, 'crm_tickets', 'ticket_id', id);
    const before = await house.ticket(into);
    await house.send(ticketId, 'customerReply', { text: 'And now?' }, { receivedAt: at(30) });
    await house.deliverOwed();
    const [followUp] = await followUpsOf(house, into);
    expect(followUp).toMatchObject({ description: 'And now?' });
    expect(await house.ticket(into)).toEqual(before);
  });
});

describe('a reply', () => {
  it('that was sent before the customer wrote, and comes later, leaves that message unanswered', async () => {
    const house = await makeTicketHouse(fixture.app);
    const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: monday });
    await house.send(ticketId, 'reply', { text: 'Hello' }, { receivedAt: at(1) });
    await house.signal(ticketId, 'customerReply', { text: 'And now?' }, at(10));
    await house.send(ticketId, 'reply', { text: 'As I said.' }, { receivedAt: at(9) });
    expect(await openClocks(house, ticketId)).toEqual([
      ['next_response', at(130)],
      ['resolution', at(240)],
    ]);
  });
});
