import { describe, expect, it } from '@jest/globals';
import { createTicketActivities } from '../../../activities/tickets.ts';
import { openDatabase } from '../../../db/database.ts';
import { readSlaReport } from '../../../db/tickets/sla-report.queries.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { after, makeTicketHouse, type TicketHouse } from './ticket-house.ts';

const fixture = databaseFixture();
const monday = new Date('2026-11-23T09:00:00Z');
const at = (minutes: number) => after(monday, minutes);

const answersOwed = async (house: TicketHouse, ticketId: string) =>
  (await house.clocks(ticketId))
    .filter(({ target, ended_at }) => target !== 'resolution' && ended_at === null)
    .map(({ target, due_at }) => [target, due_at]);

/** Two tickets, the survivor opened first, the other twenty minutes later. */
async function twoTickets() {
  const house = await makeTicketHouse(fixture.app);
  const survivor = (await house.open({ priority: 'P1' }, { receivedAt: monday })).ticketId;
  const other = (await house.open({ priority: 'P1' }, { receivedAt: at(20) })).ticketId;
  const merge = (minutes: number, from = other, into = survivor) =>
    house.send(from, 'merge', { intoTicketId: into }, { receivedAt: at(minutes) });
  return { house, survivor, other, merge };
}

describe('the customer of a merged ticket who waits for an answer', () => {
  it('is owed it by the other, though that has answered its own since', async () => {
    const { house, survivor, other, merge } = await twoTickets();
    await house.send(other, 'reply', { text: 'Hello' }, { receivedAt: at(21) });
    await house.send(other, 'customerReply', { text: 'Help!' }, { receivedAt: at(25) });
    await house.send(survivor, 'reply', { text: 'To somebody else.' }, { receivedAt: at(30) });
    await merge(40);
    expect(await answersOwed(house, survivor)).toEqual([['next_response', at(145)]]);
    await house.send(survivor, 'reply', { text: 'To both.' }, { receivedAt: at(50) });
    expect(await answersOwed(house, survivor)).toEqual([]);
  });

  it('is owed the first answer, too, from when they asked', async () => {
    const { house, survivor, merge } = await twoTickets();
    await house.send(survivor, 'reply', { text: 'To somebody else.' }, { receivedAt: at(30) });
    await merge(40);
    expect(await answersOwed(house, survivor)).toEqual([['first_response', at(80)]]);
  });

  it('is owed it whatever the priority becomes, with the pauses that their ticket had', async () => {
    const { house, survivor, other, merge } = await twoTickets();
    await house.send(other, 'setStatus', { status: 'waiting_for_customer' }, { receivedAt: at(22) });
    await house.send(other, 'setStatus', { status: 'open' }, { receivedAt: at(32) });
    await house.send(survivor, 'reply', { text: 'To somebody else.' }, { receivedAt: at(30) });
    await merge(40);
    await house.sql(`update crm_core.crm_sla_policies set condition = 'priority != "P4"'`);
    await house.send(survivor, 'setPriority', { priority: 'P4' }, { receivedAt: at(41) });
    expect(await answersOwed(house, survivor)).toEqual([]);
    await house.send(survivor, 'setPriority', { priority: 'P1' }, { receivedAt: at(42) });
    expect(await answersOwed(house, survivor)).toEqual([['first_response', at(90)]]);
  });

  it('is not answered by a reply that was sent before the merge and comes after it', async () => {
    const { house, survivor, merge } = await twoTickets();
    await merge(40);
    await house.send(survivor, 'reply', { text: 'To somebody else.' }, { receivedAt: at(30) });
    expect(await answersOwed(house, survivor)).toEqual([['first_response', at(80)]]);
  });

  it('ends the waiting for the other’s customer, and its agent hears of them', async () => {
    const { house, survivor, merge } = await twoTickets();
    await house.send(survivor, 'reply', { text: 'Which one?' }, { receivedAt: at(5) });
    await house.send(survivor, 'setStatus', { status: 'waiting_for_customer' }, { receivedAt: at(6) });
    await merge(40);
    expect(await house.ticket(survivor)).toMatchObject({ status: 'open' });
    expect(await answersOwed(house, survivor)).toEqual([['first_response', at(80)]]);
    expect(await house.count('crm_notifications', `kind = 'ticket.absorbed' and subject_id = ?`, [survivor])).toBe(1);
  });

  it('is owed it by the last of several that were merged', async () => {
    const { house, survivor, other, merge } = await twoTickets();
    const third = (await house.open({ priority: 'P1' }, { receivedAt: at(25) })).ticketId;
    for (const id of [survivor, third]) await house.send(id, 'reply', { text: 'Hello' }, { receivedAt: at(26) });
    await merge(40);
    await merge(50, survivor, third);
    await house.send(third, 'setPriority', { priority: 'P3' }, { receivedAt: at(51) });
    expect(await answersOwed(house, third)).toEqual([['first_response', at(620)]]);
    expect((await house.clocks(other)).every(({ ended_at }) => ended_at !== null)).toBe(true);
  });
});

describe('a promise that was broken before the merge', () => {
  it('goes to the other ticket with all that was told of it, and is no other one there', async () => {
    const { house, survivor, other, merge } = await twoTickets();
    await house.send(survivor, 'reply', { text: 'To somebody else.' }, { receivedAt: at(30) });
    for (let taken = 0; taken < 3; taken += 1) await house.takeNext(other);
    const told = () => house.count('crm_notifications', `kind in ('ticket.breach', 'ticket.warning')`);
    const before = await told();
    const broken = () => house.count('crm_sla_clocks', 'breached');
    expect(await broken()).toBe(1);
    await merge(90);
    expect(await broken()).toBe(1);
    expect(await told()).toBe(before);
    expect((await house.clocks(other)).map(({ target, state }) => [target, state])).toEqual([
      ['resolution', 'cancelled'],
    ]);
    const [, taken] = await house.clocks(survivor);
    expect(taken).toMatchObject({
      target: 'first_response',
      ordinal: 2,
      state: 'breached',
      due_at: at(80),
      breach_detected_at: at(80),
      changes: [{ note: 'taken over', dueFrom: at(80).toISOString(), dueTo: at(80).toISOString() }],
    });
    expect((await house.steps(survivor)).map(({ step }) => step)).toEqual(['warning_50', 'warning_75', 'breach']);
    expect(await house.stateOf(survivor)).toMatchObject({
      sla: 'breached',
      next: { step: 'resolution.warning_50' },
    });
    await house.send(survivor, 'reply', { text: 'To both.' }, { receivedAt: at(95) });
    expect(await answersOwed(house, survivor)).toEqual([]);
    expect(await broken()).toBe(1);
  });

  it('is counted for whoever had it then, what is done later for who has the other ticket', async () => {
    const { house, survivor, other, merge } = await twoTickets();
    await house.send(survivor, 'reply', { text: 'To somebody else.' }, { receivedAt: at(30) });
    for (let taken = 0; taken < 3; taken += 1) await house.takeNext(other);
    const third = (await house.open({ priority: 'P1' }, { receivedAt: at(50) })).ticketId;
    await merge(90);
    await merge(91, third);
    await house.send(survivor, 'reply', { text: 'To all.' }, { receivedAt: at(95) });
    const agentOf = async (id: string) => (await house.ticket(id))['assigned_user_id'];
    expect(await agentOf(other)).not.toBe(await agentOf(survivor));
    const range = { from: monday, to: at(200), groupBy: 'agent' } as const;
    const { groups } = await readSlaReport(fixture.app, house.org.id, range, at(200));
    const firstResponses = groups.map(({ key, compliance }) => [key, compliance.first_response]);
    expect(Object.fromEntries(firstResponses)).toEqual({
      [String(await agentOf(survivor))]: { met: 2, breached: 0, running: 0, metPercent: 100 },
      [String(await agentOf(other))]: { met: 0, breached: 1, running: 0, metPercent: 0 },
    });
    const taken = (await house.clocks(survivor)).filter(({ ordinal }) => ordinal > 1);
    expect(taken.map(({ changes }) => changes)).toMatchObject([[{ fromTicketId: other }], [{ fromTicketId: third }]]);
  });

  it('is taken back when the other’s terms give it more time, and waits there when they give it none', async () => {
    const { house, survivor, other, merge } = await twoTickets();
    await house.send(survivor, 'setPriority', { priority: 'P4' }, { receivedAt: at(30) });
    for (let taken = 0; taken < 3; taken += 1) await house.takeNext(other);
    await merge(90);
    expect(await answersOwed(house, survivor)).toEqual([]);
    await house.send(survivor, 'setPriority', { priority: 'P3' }, { receivedAt: at(91) });
    const owed = [
      ['first_response', at(600)],
      ['first_response', at(620)],
    ];
    expect(await answersOwed(house, survivor)).toEqual(owed);
    expect(await house.count('crm_sla_clocks', 'breached')).toBe(0);
    await house.send(survivor, 'setPriority', { priority: 'P4' }, { receivedAt: at(92) });
    await house.send(survivor, 'setPriority', { priority: 'P3' }, { receivedAt: at(93) });
    expect(await answersOwed(house, survivor)).toEqual(owed);
    expect(await house.count('crm_sla_clocks', `target = 'first_response'`)).toBe(2);
  });
});

describe('a promise that was broken before the merge into a ticket without a policy', () => {
  it('is cancelled there, and goes on when one is chosen', async () => {
    const { house, survivor, other, merge } = await twoTickets();
    await house.sql(`update crm_core.crm_sla_policies set condition = 'priority != "P4"'`);
    await house.send(survivor, 'setPriority', { priority: 'P4' }, { receivedAt: at(30) });
    for (let taken = 0; taken < 3; taken += 1) await house.takeNext(other);
    await merge(90);
    expect(await answersOwed(house, survivor)).toEqual([]);
    expect(await house.count('crm_sla_clocks', 'breached')).toBe(1);
    await house.send(survivor, 'setPriority', { priority: 'P1' }, { receivedAt: at(91) });
    expect(await answersOwed(house, survivor)).toEqual([
      ['first_response', at(60)],
      ['first_response', at(80)],
    ]);
    expect(await house.count('crm_sla_clocks', 'breached')).toBe(1);
  });
});

describe('what two tickets said to their customers', () => {
  it('answered none of the other’s, and is recomputed so for ever', async () => {
    const { house, survivor, other, merge } = await twoTickets();
    for (const id of [survivor, other]) await house.send(id, 'reply', { text: 'Hello' }, { receivedAt: at(21) });
    await house.send(survivor, 'customerReply', { text: 'And I?' }, { receivedAt: at(25) });
    await house.send(other, 'reply', { text: 'Done.' }, { receivedAt: at(30) });
    await merge(40);
    await house.sql(`update crm_core.crm_sla_policies set condition = 'priority != "P4"'`);
    await house.send(survivor, 'setPriority', { priority: 'P4' }, { receivedAt: at(41) });
    await house.send(survivor, 'setPriority', { priority: 'P1' }, { receivedAt: at(42) });
    expect(await answersOwed(house, survivor)).toEqual([['next_response', at(145)]]);
  });
});

describe('what was said on two tickets', () => {
  /** A mail as the webhook stores it, beside the payload of a customer's reply. */
  const mailed = (messageId: string, fileName: string) => ({
    messageId,
    text: 'It burns.',
    mail: {
      messageId,
      inReplyTo: null,
      references: [],
      from: { name: '', address: 'ada@example.com' },
      to: [],
      cc: [],
      subject: 'Printer',
      text: 'It burns.',
      html: null,
      attachments: [{ fileName, mediaType: 'image/png', bytes: 9, sha256: 'f'.repeat(64), inline: false }],
      attachmentCount: 1,
    },
  });
  /** Each conversation with what it says of itself, and its messages with their ticket and that of their attachments. */
  const conversations = (house: TicketHouse) =>
    house.sql(
      `select c.ticket_id, c.message_count,
         c.last_message_at = max(m.sent_at) as is_last,
         array_agg(m.message_id order by m.sent_at) as mails, array_agg(m.ticket_id order by m.sent_at) as tickets,
         array_agg(a.ticket_id order by m.sent_at) as attached
       from crm_core.crm_conversations c left join crm_core.crm_conversation_messages m using (conversation_id)
         left join crm_core.crm_attachments a using (conversation_message_id)
       group by c.conversation_id order by array_agg(m.message_id order by m.sent_at)`,
    );
  const conversation = (ticketId: string, ...mails: string[]) => ({
    ticket_id: ticketId,
    message_count: mails.length,
    is_last: true,
    mails,
    tickets: mails.map(() => ticketId),
    attached: mails.map(() => ticketId),
  });

  it('moves with its attachments, but for a mail that both have: that stays, with a conversation of its own', async () => {
    const { house, survivor, other, merge } = await twoTickets();
    await house.send(survivor, 'customerReply', mailed('1-both@x', 'a.png'), { receivedAt: at(24) });
    await house.send(other, 'customerReply', mailed('1-both@x', 'a.png'), { receivedAt: at(25) });
    await house.send(other, 'customerReply', mailed('2-other@x', 'b.png'), { receivedAt: at(26) });
    await merge(40);
    const both = [conversation(survivor, '1-both@x'), conversation(other, '1-both@x')];
    const found = await conversations(house);
    expect(found.slice(0, 2)).toEqual(expect.arrayContaining(both));
    expect(found.slice(2)).toEqual([conversation(survivor, '2-other@x')]);
  });

  it('stays in its conversation when both tickets have all of it', async () => {
    const { house, survivor, other, merge } = await twoTickets();
    for (const id of [survivor, other])
      await house.send(id, 'customerReply', mailed('1-both@x', 'a.png'), { receivedAt: at(25) });
    await merge(40);
    const both = [conversation(survivor, '1-both@x'), conversation(other, '1-both@x')];
    expect(await conversations(house)).toEqual(expect.arrayContaining(both));
    expect(await house.count('crm_conversations')).toBe(2);
  });

  it('moves as it is when they have nothing in common', async () => {
    const { house, survivor, other, merge } = await twoTickets();
    await house.send(survivor, 'customerReply', mailed('1-one@x', 'a.png'), { receivedAt: at(24) });
    for (const mail of ['2-other@x', '3-other@x'])
      await house.send(other, 'customerReply', mailed(mail, 'b.png'), { receivedAt: at(26) });
    await merge(40);
    expect(await conversations(house)).toEqual([
      conversation(survivor, '1-one@x'),
      conversation(survivor, '2-other@x', '3-other@x'),
    ]);
  });
});

describe('a merge', () => {
  it('into a resolved ticket is refused while this one is not; of two resolved ones it is not', async () => {
    const { house, survivor, other, merge } = await twoTickets();
    await house.send(survivor, 'resolve', {}, { receivedAt: at(30) });
    await expect(merge(40)).rejects.toMatchObject({
      code: 'rule_violation',
      errors: [{ path: 'intoTicketId', message: expect.stringContaining('reopen that one first') }],
    });
    expect(await house.ticket(other)).toMatchObject({ stage: 'assigned' });
    await house.send(other, 'resolve', {}, { receivedAt: at(41) });
    await merge(42);
    expect(await house.ticket(other)).toMatchObject({ stage: 'merged' });
    expect(await house.ticket(survivor)).toMatchObject({ stage: 'resolved' });
    expect(await answersOwed(house, survivor)).toEqual([]);
  });

  it('is refused into one that is closed or merged', async () => {
    const { house, survivor, other, merge } = await twoTickets();
    const third = (await house.open({}, { receivedAt: at(25) })).ticketId;
    await merge(40);
    await expect(merge(41, third, other)).rejects.toMatchObject({ errors: [{ message: 'is merged' }] });
    await house.send(survivor, 'close', {}, { receivedAt: at(42) });
    await expect(merge(43, third, survivor)).rejects.toMatchObject({ errors: [{ message: 'is closed' }] });
    await expect(merge(44, third, third.toUpperCase())).rejects.toMatchObject({
      errors: [{ message: 'is the ticket itself' }],
    });
  });

  it('of two tickets into each other at once leaves one of them, and never a deadlock', async () => {
    const house = await makeTicketHouse(fixture.app);
    const second = await openDatabase({ url: fixture.url, role: 'crm_app' });
    try {
      for (let round = 0; round < 8; round += 1) {
        const [one, other] = [(await house.open()).ticketId, (await house.open()).ticketId];
        const merge = (from: string, into: string, database = fixture.app) =>
          createTicketActivities({ database }).applyTicketMessage({
            organizationId: house.org.id,
            ticketId: from,
            message: {
              name: 'merge',
              key: `signal:${from}:1`,
              payload: { intoTicketId: into },
              commandId: null,
              actor: house.admin,
              receivedAt: new Date().toISOString(),
            },
          });
        const outcomes = await Promise.allSettled([merge(one, other), merge(other, one, second)]);
        const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
        expect(refused).toMatchObject([{ code: expect.stringMatching('rule_violation|illegal_stage') }]);
        const stages = [(await house.ticket(one))['stage'], (await house.ticket(other))['stage']];
        expect(new Set(stages)).toEqual(new Set(['assigned', 'merged']));
      }
    } finally {
      await second.close();
    }
  });
});
