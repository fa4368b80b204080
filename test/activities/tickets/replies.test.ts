import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { mailReply, noteUndelivered } from '../../../activities/automation/ticket-replies.ts';
import { createMail } from '../../../activities/mail.ts';
import { type Mail, MailRefused } from '../../../activities/ports.ts';
import { messageRows } from '../../../activities/tickets/conversation.ts';
import type { Actor } from '../../../db/access/actor.ts';
import type { UndeliveredEvent } from '../../../db/automation/outbox.queries.ts';
import { inOrganization } from '../../../db/database.ts';
import { Merge } from '../../../db/governance/merge.ts';
import { baseColumns } from '../../../db/model/changes.ts';
import { insertRows } from '../../../db/model/set-based.ts';
import { placeMail } from '../../../db/tickets/mail.queries.ts';
import { lockTicket } from '../../../db/tickets/ticket-state.queries.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import {
  adminOf,
  type Made,
  makeOrganization,
  makePerson,
  makeTicket,
  makeUser,
  type TestOrganization,
} from '../../support/factories.ts';
import { startSmtp, type TestSmtp } from '../smtp.ts';

const fixture = databaseFixture();
let smtp: TestSmtp;
let mail: Mail;
let org: TestOrganization;
let requester: Made;
let ticket: Made;

beforeAll(async () => {
  smtp = await startSmtp();
  mail = createMail({
    url: smtp.url,
    from: 'Acme <crm@example.org>',
    supportAddress: 'support@{organization}.example',
  });
});
afterAll(async () => {
  mail?.close();
  await smtp?.close();
});
beforeEach(async () => {
  smtp.mails.length = 0;
  smtp.envelopes.length = 0;
  smtp.answers.clear();
  org = await makeOrganization(fixture.app);
  requester = await makePerson(org);
  ticket = await makeTicket(org, requester, { subject: 'Printer on fire' });
});

const read = <R>(sql: string) => inOrganization(fixture.app, org.id, (em) => em.execute<R[]>(sql, [ticket.id]));

/** Says something on the ticket; answers the event that a reply puts out. */
async function say(
  kind: 'customer' | 'reply',
  text: string,
  { actor = adminOf(org), ...more }: { html?: string; messageId?: string; actor?: Actor } = {},
) {
  await inOrganization(fixture.app, org.id, async (em) => {
    const row = await lockTicket(em, ticket.id);
    const change = {
      organizationId: org.id,
      actor,
      at: new Date(),
      subjectType: 'ticket',
      subjectId: ticket.id,
      commandId: null,
    };
    if (row) await insertRows(em, await messageRows(em, change, row, { kind, text, ...more }));
  });
  const [event] = await read<UndeliveredEvent>(
    `select event_id as id, organization_id as "organizationId", kind, subject_id as "subjectId", payload
     from crm_core.crm_outbox where subject_id = ? and kind = 'ticket_reply.created' order by occurred_at desc, event_id desc limit 1`,
  );
  return event as UndeliveredEvent;
}
const deliver = (event: UndeliveredEvent) => mailReply({ relay: fixture.relay, database: fixture.app, mail }, event);
const deliveredAt = async () =>
  (
    await read<{ delivered_at: string | null }>(
      `select delivered_at from crm_core.crm_conversation_messages where ticket_id = ? and kind = 'reply'`,
    )
  ).map(({ delivered_at }) => delivered_at);

describe('a public reply', () => {
  it('goes to the requester, in the thread, and asks for answers at the support address', async () => {
    await say('customer', 'It burns.', { messageId: '1@example.com' });
    await deliver(await say('reply', 'Take water.', { html: '<p>Take <b>water</b>.</p>' }));
    const [sent] = smtp.mails;
    expect(sent).toMatchObject({
      to: [{ address: requester['primaryEmail'] }],
      from: { address: 'crm@example.org' },
      replyTo: [{ address: `support@${org.slug}.example` }],
      subject: `Re: Printer on fire [#${String(ticket['number'])}]`,
      inReplyTo: '<1@example.com>',
      references: '<1@example.com>',
      text: 'Take water.\n',
      html: '<p>Take <b>water</b>.</p>\n',
    });
    // A person wrote it: nothing tells machines not to answer.
    expect(sent?.headers.map(({ key }) => key)).not.toContain('auto-submitted');
    expect(await deliveredAt()).toEqual([expect.anything()]);
  });

  it('leads its answer back to the ticket', async () => {
    await deliver(await say('reply', 'Take water.'));
    const messageId = smtp.mails[0]?.messageId?.slice(1, -1) ?? '';
    const placed = await placeMail(fixture.app, org.id, {
      messageId: 'answer@example.com',
      answers: [messageId],
      number: null,
      from: 'colleague@example.com',
      receivedAt: new Date(),
    });
    expect(placed.ticket?.id).toBe(ticket.id);
  });

  it('leaves once, however often its event comes', async () => {
    const event = await say('reply', 'Take water.');
    await deliver(event);
    await deliver(event);
    expect(smtp.mails).toHaveLength(1);
  });

  it('goes to whom it was written, though its ticket was merged into that of somebody else before it left', async () => {
    const event = await say('reply', 'Take water.');
    const other = await makeTicket(org, await makePerson(org, { primaryEmail: 'other@example.com' }));
    await inOrganization(fixture.app, org.id, (em) =>
      em.execute('update crm_core.crm_conversation_messages set ticket_id = ? where ticket_id = ?', [
        other.id,
        ticket.id,
      ]),
    );
    await deliver(event);
    expect(smtp.mails.map(({ to }) => to?.[0]?.address)).toEqual([requester['primaryEmail']]);
  });

  describe('on a ticket that others were merged into', () => {
    const [second, third] = ['second@example.com', 'third@example.com'];
    let first: string;

    /** Merges the ticket into one of somebody else's. */
    async function mergeInto(primaryEmail: string): Promise<void> {
      const other = await makeTicket(org, await makePerson(org, { primaryEmail }));
      await inOrganization(fixture.app, org.id, async (em) => {
        await em.execute(
          `update crm_core.crm_tickets set stage = 'merged', status = 'merged', closed_at = now(), merged_into_ticket_id = ? where ticket_id = ?`,
          [ticket.id, other.id],
        );
        const merged = { subjectType: 'ticket', survivorId: ticket.id, mergedId: other.id, evidence: {} };
        const base = baseColumns({ organizationId: org.id, actor: adminOf(org), at: new Date() });
        const row = { id: uuidv7(), ...base, ...merged, mergedAt: new Date(), undoneAt: null };
        await insertRows(em, [{ into: Merge, rows: [row] }]);
      });
    }
    const receivers = () => smtp.envelopes.flat().toSorted();
    const state = () =>
      read<{ is_delivered: boolean; undelivered_reason: string | null }>(
        `select delivered_at is not null as is_delivered, undelivered_reason from crm_core.crm_conversation_messages
         where ticket_id = ? and kind = 'reply' order by sent_at desc limit 1`,
      );
    const told = () =>
      read<{ body: string }>(
        `select body from crm_core.crm_notifications where subject_id = ? and kind = 'ticket.reply_undelivered' order by notification_id`,
      );

    beforeEach(async () => {
      first = String(requester['primaryEmail']);
      const agent = await makeUser(org);
      ticket = await makeTicket(org, requester, { subject: 'Printer on fire', assignedUserId: agent.id });
    });

    it('goes to their requesters as well, none of whom sees the others, if it was written after the merge', async () => {
      const early = await say('reply', 'To one.');
      for (const address of [second, third]) await mergeInto(address);
      await deliver(early);
      expect(receivers()).toEqual([first]);
      await deliver(await say('reply', 'To all.'));
      expect(receivers()).toEqual([first, first, second, third].toSorted());
      const copies = smtp.mails.slice(1);
      expect(new Set(copies.map(({ messageId }) => messageId)).size).toBe(1);
      for (const [index, { to }] of copies.entries())
        expect(to?.map(({ address }) => address)).toEqual(smtp.envelopes[index + 1]);
    });

    it('is tried again for whom it was put off, and sent nobody twice', async () => {
      for (const address of [second, third]) await mergeInto(address);
      smtp.answers.set(second, 450);
      const event = await say('reply', 'To all.');
      await expect(deliver(event)).rejects.not.toThrow(MailRefused);
      await expect(deliver(event)).rejects.not.toThrow(MailRefused);
      expect(receivers()).toEqual([first, third].toSorted());
      smtp.answers.clear();
      await deliver(event);
      await deliver(event);
      expect(receivers()).toEqual([first, second, third].toSorted());
      expect([await state(), await told()]).toEqual([[{ is_delivered: true, undelivered_reason: null }], []]);
    });

    it('is with the others when one is refused, and its author is told so', async () => {
      for (const address of [second, third]) await mergeInto(address);
      smtp.answers.set(second, 550);
      const event = await say('reply', 'To all.');
      await expect(deliver(event)).rejects.toThrow(MailRefused);
      await deliver(event);
      expect(receivers()).toEqual([first, third].toSorted());
      const reason = 'The mail server refused 1 of 3 recipients; the others have it';
      expect(await state()).toEqual([{ is_delivered: true, undelivered_reason: reason }]);
      expect(await told()).toEqual([{ body: expect.stringContaining(reason) }]);
    });

    it('tells of each that is refused, also of one that was put off before', async () => {
      for (const address of [second, third]) await mergeInto(address);
      smtp.answers.set(second, 550).set(third, 450);
      const event = await say('reply', 'To all.');
      await expect(deliver(event)).rejects.not.toThrow(MailRefused);
      smtp.answers.set(third, 550);
      await expect(deliver(event)).rejects.toThrow(
        new MailRefused('The mail server refused 2 of 3 recipients; the others have it'),
      );
      expect(await told()).toEqual([
        { body: expect.stringContaining('1 of 3 recipients; the others have it, or it is tried again for them') },
        { body: expect.stringContaining('2 of 3 recipients; the others have it') },
      ]);
      expect(receivers()).toEqual([first]);
      expect(JSON.stringify(await told())).not.toContain('@');
    });
  });

  describe('that does not reach its recipient', () => {
    let author: Made;
    beforeEach(async () => {
      author = await makeUser(org);
      smtp.answers.set(String(requester['primaryEmail']), 550);
    });
    const byAuthor = () => ({ kind: 'user', organizationId: org.id, userId: author.id, roles: ['support'] }) as const;
    const notifications = () =>
      read<{ user_id: string; kind: string; body: string }>(
        `select user_id, kind, body from crm_core.crm_notifications where subject_id = ? and kind = 'ticket.reply_undelivered'`,
      );
    const undelivered = () =>
      read<{ undelivered_at: string | null; undelivered_reason: string | null }>(
        `select undelivered_at, undelivered_reason from crm_core.crm_conversation_messages where ticket_id = ? and kind = 'reply'`,
      );
    const entries = () =>
      read<{ summary: string }>(
        `select summary from crm_core.crm_timeline where subject_id = ? and kind = 'ticket.reply_undelivered'`,
      );

    it('says so once, though its event comes again: on the message, in the timeline, to its author', async () => {
      const event = await say('reply', 'Take water.', { actor: byAuthor() });
      await expect(deliver(event)).rejects.toThrow(MailRefused);
      await deliver(event);
      await noteUndelivered(fixture.app, event, { reason: 'and it came back as well' });
      expect(await deliveredAt()).toEqual([null]);
      const reason = 'The mail server refused with 550 at RCPT TO';
      expect(await undelivered()).toEqual([{ undelivered_at: expect.anything(), undelivered_reason: reason }]);
      expect(await notifications()).toEqual([
        { user_id: author.id, kind: 'ticket.reply_undelivered', body: expect.stringContaining(reason) },
      ]);
      expect(await entries()).toHaveLength(1);
    });

    it('tells whoever has the ticket when its author has left, or never worked here', async () => {
      const agent = await makeUser(org);
      ticket = await makeTicket(org, requester, { assignedUserId: agent.id });
      await expect(deliver(await say('reply', 'Take water.'))).rejects.toThrow(MailRefused);
      expect((await notifications()).map(({ user_id }) => user_id)).toEqual([agent.id]);
    });

    it('tells of one that left and came back', async () => {
      smtp.answers.clear();
      const event = await say('reply', 'Take water.', { actor: byAuthor() });
      await deliver(event);
      await noteUndelivered(fixture.app, event, { reason: '5.1.1; User unknown' });
      expect(await deliveredAt()).toEqual([expect.anything()]);
      expect((await undelivered())[0]?.undelivered_reason).toBe('5.1.1; User unknown');
      expect(await notifications()).toHaveLength(1);
    });

    it('is another organisation’s business nowhere', async () => {
      const event = await say('reply', 'Take water.', { actor: byAuthor() });
      const foreign = await makeOrganization(fixture.app);
      await noteUndelivered(fixture.app, { ...event, organizationId: foreign.id }, { reason: 'x' });
      expect(await undelivered()).toEqual([{ undelivered_at: null, undelivered_reason: null }]);
    });
  });

  it('keeps to one header, whatever the subject says', async () => {
    ticket = await makeTicket(org, requester, { subject: 'Hi\r\nBcc: eve@evil.example' });
    await deliver(await say('reply', 'Hello.'));
    expect(smtp.mails[0]).toMatchObject({ to: [{ address: requester['primaryEmail'] }] });
    expect(smtp.mails[0]?.headers.map(({ key }) => key)).not.toContain('bcc');
  });

  it('stays here when nobody has an address', async () => {
    const caller = await makePerson(org, { primaryEmail: null, primaryPhone: '+4930901820' });
    ticket = await makeTicket(org, caller, { channel: 'phone' });
    await deliver(await say('reply', 'Called back.'));
    expect([smtp.mails.length, await deliveredAt()]).toEqual([0, [null]]);
  });

  it('stays here when the installation sends no mail', async () => {
    await mailReply({ relay: fixture.relay, database: fixture.app, mail: null }, await say('reply', 'Hello.'));
    expect(await deliveredAt()).toEqual([null]);
  });
});
