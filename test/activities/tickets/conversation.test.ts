import { beforeEach, describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { messageRows, type Said } from '../../../activities/tickets/conversation.ts';
import { receiveCommand } from '../../../db/automation/ledger.queries.ts';
import { inOrganization } from '../../../db/database.ts';
import type { Actor } from '../../../db/access/actor.ts';
import { insertRows } from '../../../db/model/set-based.ts';
import { lockTicket } from '../../../db/tickets/ticket-state.queries.ts';
import type { InboundMail } from '../../../workflows/tickets/mail/inbound-mail.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import {
  adminOf,
  type Made,
  makeOrganization,
  makePerson,
  makeTicket,
  makeUser,
  supporter,
  type TestOrganization,
  writeAs,
} from '../../support/factories.ts';

const fixture = databaseFixture();
let org: TestOrganization;
let requester: Made;
let agent: Made;
let ticketId: string;

beforeEach(async () => {
  org = await makeOrganization(fixture.app);
  requester = await makePerson(org);
  agent = await makeUser(org);
  ticketId = (await makeTicket(org, requester)).id;
});

interface Circumstances {
  actor?: Actor;
  at?: Date;
  commandId?: string | null;
}

/** Says something on the ticket as an activity does; answers how many rows of which table that made. */
async function say(said: Said, { actor = adminOf(org), at = new Date(), commandId = null }: Circumstances = {}) {
  return inOrganization(fixture.app, org.id, async (em) => {
    const ticket = await lockTicket(em, ticketId);
    if (!ticket) throw new Error('There is no ticket');
    const change = { organizationId: org.id, actor, at, subjectType: 'ticket', subjectId: ticketId, commandId };
    const rows = await messageRows(em, change, ticket, said);
    await insertRows(em, rows);
    return Object.fromEntries(rows.filter(({ rows: made }) => made.length > 0).map(({ into }) => [into.name, true]));
  });
}

const read = <R>(sql: string, parameters: readonly unknown[] = [ticketId]) =>
  inOrganization(fixture.app, org.id, (em) => em.execute<R[]>(sql, parameters));
const messages = () =>
  read<Record<string, unknown>>(
    'select * from crm_core.crm_conversation_messages where ticket_id = ? order by sent_at, conversation_message_id',
  );
const conversations = () =>
  read<Record<string, unknown>>('select * from crm_core.crm_conversations where ticket_id = ? order by created_at');

function mailFrom(address: string, overrides: Partial<InboundMail> = {}): InboundMail {
  return {
    messageId: `${uuidv7()}@example.com`,
    inReplyTo: null,
    references: [],
    from: { name: 'Ada', address },
    to: ['support@acme.example'],
    cc: [],
    subject: 'Printer',
    text: 'It burns.',
    html: null,
    attachments: [],
    attachmentCount: 0,
    ...overrides,
  };
}

/** A mail as the webhook stores it: beside the payload of a customer's reply. */
async function stored(mail: InboundMail): Promise<string> {
  const commandId = uuidv7();
  await receiveCommand(fixture.app, writeAs(adminOf(org)), {
    commandId,
    process: 'ticket',
    message: 'customerReply',
    recordId: ticketId,
    body: { messageId: mail.messageId, text: mail.text, mail },
  });
  return commandId;
}

describe('a conversation', () => {
  it('is made by the first message of its channel, and counts the others', async () => {
    const first = new Date('2026-11-20T10:00:00Z');
    const second = new Date('2026-11-20T11:00:00Z');
    await say({ kind: 'customer', text: 'Hello?' }, { at: first });
    await say({ kind: 'note', text: 'A known one.' }, { at: second });
    expect(await conversations()).toMatchObject([{ channel: 'email', message_count: 2 }]);
    const [{ last_message_at } = {}] = await conversations();
    expect(new Date(String(last_message_at))).toEqual(second);
    expect(await messages()).toMatchObject([
      { kind: 'customer', body: 'Hello?', author_person_id: requester.id, author_user_id: null },
      { kind: 'note', body: 'A known one.', author_person_id: null },
    ]);
  });

  it('is another one for another channel', async () => {
    ticketId = (await makeTicket(org, requester, { channel: 'phone' })).id;
    await say({ kind: 'customer', text: 'Called.' });
    await say({ kind: 'reply', text: 'Answered by mail.' });
    expect((await conversations()).map(({ channel }) => channel)).toEqual(['phone', 'email']);
  });

  it('stays in its channel when the requester has no mail', async () => {
    const caller = await makePerson(org, { primaryEmail: null, primaryPhone: '+4930901820' });
    ticketId = (await makeTicket(org, caller, { channel: 'phone' })).id;
    await say({ kind: 'reply', text: 'Called back.' });
    expect(await conversations()).toMatchObject([{ channel: 'phone' }]);
  });
});

describe('a message', () => {
  it('with a Message-ID that the ticket knows is no second one', async () => {
    await say({ kind: 'customer', text: 'Once.', messageId: '1@example.com' });
    expect(await say({ kind: 'customer', text: 'Twice.', messageId: '1@example.com' })).toEqual({});
    expect(await messages()).toHaveLength(1);
    expect(await conversations()).toMatchObject([{ message_count: 1 }]);
  });

  it('names the colleague who wrote it, if they work here', async () => {
    await say({ kind: 'note', text: 'Mine.' }, { actor: supporter(org, agent.id) });
    await say({ kind: 'note', text: 'From the SSO.' }, { actor: supporter(org) });
    expect((await messages()).map(({ author_user_id }) => author_user_id)).toEqual([agent.id, null]);
  });

  it('is told in the timeline without what it says', async () => {
    await say({ kind: 'reply', text: 'Secret words.' });
    const told = await read<{ kind: string; summary: string }>(
      `select kind, summary from crm_core.crm_timeline where subject_id = ? and kind = 'ticket.reply'`,
    );
    expect(told).toEqual([{ kind: 'ticket.reply', summary: 'public reply by email' }]);
  });

  it('holds clean HTML, whoever sent it', async () => {
    await say({ kind: 'reply', text: 'Hi', html: '<p onclick="x">Hi</p><script>alert(1)</script>' });
    expect(await messages()).toMatchObject([{ body_html: '<p>Hi</p>' }]);
  });

  it('of a customer who said nothing says so', async () => {
    await say({ kind: 'customer', text: undefined });
    expect(await messages()).toMatchObject([{ body: '(no text)' }]);
  });
});

describe('a public reply', () => {
  const events = () =>
    read<{ kind: string; payload: { conversationMessageId: string } }>(
      `select kind, payload from crm_core.crm_outbox where subject_id = ? and kind = 'ticket_reply.created'`,
    );

  it('puts out an event that sends it; a note never does', async () => {
    await say({ kind: 'note', text: 'Between us.' });
    expect(await events()).toEqual([]);
    await say({ kind: 'reply', text: 'For you.' });
    const [, reply] = await messages();
    expect(await events()).toEqual([
      { kind: 'ticket_reply.created', payload: { conversationMessageId: reply?.['conversation_message_id'] } },
    ]);
  });

  it('answers the newest message of the thread with a Message-ID of its own', async () => {
    const at = (minute: number) => ({ at: new Date(Date.UTC(2026, 10, 20, 10, minute)) });
    await say({ kind: 'customer', text: 'One.', messageId: '1@example.com' }, at(1));
    await say({ kind: 'reply', text: 'Two.' }, at(2));
    await say({ kind: 'note', text: 'Not in the thread.' }, at(3));
    await say({ kind: 'reply', text: 'Three.' }, at(4));
    const [, two, , three] = await messages();
    const ownId = `${String(two?.['conversation_message_id'])}@${org.id}.crm.durable-crm`;
    expect(two).toMatchObject({ message_id: ownId, in_reply_to: '1@example.com', mail_references: ['1@example.com'] });
    expect(three).toMatchObject({ in_reply_to: ownId, mail_references: ['1@example.com', ownId] });
  });
});

describe('a mail', () => {
  it('is a message with its thread, its addresses and the index of its attachments', async () => {
    const attachment = {
      fileName: 'a.zip',
      mediaType: 'application/zip',
      bytes: 9,
      sha256: 'f'.repeat(64),
      inline: false,
    };
    const mail = mailFrom(String(requester['primaryEmail']), {
      references: ['0@x'],
      inReplyTo: '0@x',
      html: '<p>It burns.<img src="https://evil.example/x.png"></p>',
      attachments: [attachment],
      attachmentCount: 3,
    });
    await say({ kind: 'customer', text: mail.text, messageId: mail.messageId }, { commandId: await stored(mail) });
    expect(await messages()).toMatchObject([
      {
        kind: 'customer',
        message_id: mail.messageId,
        in_reply_to: '0@x',
        mail_references: ['0@x'],
        body_html: '<p>It burns.<span></span></p>',
        author_person_id: requester.id,
        addresses: { from: mail.from, to: [{ address: 'support@acme.example' }], cc: [] },
      },
    ]);
    expect(
      await read('select file_name, media_type, bytes, sha256 from crm_core.crm_attachments where ticket_id = ?'),
    ).toEqual([{ file_name: 'a.zip', media_type: 'application/zip', bytes: 9, sha256: 'f'.repeat(64) }]);
    expect(
      await read(`select summary from crm_core.crm_timeline where subject_id = ? and kind = 'ticket.customer'`),
    ).toEqual([{ summary: 'message of the customer by email, 2 attachments not listed' }]);
  });

  it('of a colleague is theirs, and of a stranger nobody’s', async () => {
    const colleague = await makePerson(org);
    for (const address of [String(colleague['primaryEmail']), 'stranger@example.com']) {
      const mail = mailFrom(address);
      await say({ kind: 'customer', text: mail.text }, { commandId: await stored(mail) });
    }
    expect((await messages()).map(({ author_person_id }) => author_person_id)).toEqual([colleague.id, null]);
  });
});
