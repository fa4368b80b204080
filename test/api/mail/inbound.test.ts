import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { mostPerHour } from '../../../api/mail/arrivals.ts';
import { createMailReader } from '../../../api/mail/reader.ts';
import { featureFlags } from '../../../db/automation/feature-flag.ts';
import { inOrganization } from '../../../db/database.ts';
import { baseColumns } from '../../../db/model/changes.ts';
import { insertRows } from '../../../db/model/set-based.ts';
import { Conversation } from '../../../db/tickets/conversation.ts';
import { ConversationMessage } from '../../../db/tickets/conversation-message.ts';
import { signedHeaders } from '../../../runtime/signed-headers.ts';
import { mailLimitBytes } from '../../../workflows/tickets/mail/inbound-mail.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import {
  adminOf,
  type Made,
  make,
  makeOrganization,
  makePerson,
  makeTicket,
  type TestOrganization,
} from '../../support/factories.ts';
import { mailSecret, problemOf, testApi, type TestApi } from '../support.ts';
import { bounceSource, mailSource, type TestMail } from './mails.ts';

const fixture = databaseFixture();
let api: TestApi;
let org: TestOrganization;
let ada: Made;
let ticket: Made;
let support: string;

beforeAll(async () => {
  api = await testApi(fixture.url);
});
afterAll(() => api.close());
beforeEach(async () => {
  org = await makeOrganization(fixture.app);
  support = `support@${org.slug}.example`;
  ada = await makePerson(org);
  ticket = await makeTicket(org, ada);
});

/** Hands over a mail as a mail server does; `headers` replace those of a right request. */
function post(body: Buffer, headers: Record<string, string> = {}, sentAt = new Date()): Promise<Response> {
  const signed = signedHeaders(mailSecret, body, sentAt);
  return Promise.resolve(
    api.app.request('/events/mail', {
      method: 'POST',
      headers: { 'Content-Type': 'message/rfc822', ...signed, ...headers },
      body: new Uint8Array(body),
    }),
  );
}

const fromAda = (mail: TestMail = {}): Buffer =>
  mailSource({ from: String(ada['primaryEmail']), to: support, ...mail });

interface LedgerRow {
  message: string;
  record_id: string;
  idempotency_key: string;
  principal: string;
  body: Record<string, unknown>;
}
const ledger = () =>
  inOrganization(fixture.app, org.id, (em) =>
    em.execute<LedgerRow[]>(
      'select * from crm_core.crm_commands where message is not null order by received_at, command_id',
    ),
  );

/** A message that the ticket has already. */
async function said(values: Record<string, unknown>, ticketId = ticket.id): Promise<void> {
  const base = baseColumns({ organizationId: org.id, actor: adminOf(org), at: new Date() });
  const conversationId = uuidv7();
  const conversation = { id: conversationId, ...base, ticketId, channel: 'email', subject: 'x', messageCount: 1 };
  const message = {
    id: uuidv7(),
    ...base,
    conversationId,
    ticketId,
    kind: 'customer',
    body: 'x',
    references: [],
    sentAt: new Date(),
    ...values,
  };
  await inOrganization(fixture.app, org.id, (em) =>
    insertRows(em, [
      { into: Conversation, rows: [conversation] },
      { into: ConversationMessage, rows: [message] },
    ]),
  );
}

describe('the signature of a mail', () => {
  it('is HMAC-SHA256 over time and body, as openssl makes it', () => {
    const body = Buffer.from('From: a@b.example\n\nHi\n');
    const { 'Crm-Timestamp': timestamp, 'Crm-Signature': signature } = signedHeaders(
      'secret',
      body,
      new Date(1_763_712_000_999),
    );
    const expected = createHmac('sha256', 'secret').update(`1763712000.${body.toString()}`).digest('hex');
    expect([timestamp, signature]).toEqual(['1763712000', `v1=${expected}`]);
  });

  const hour = 3_600_000;
  it.each<[string, (body: Buffer) => Promise<Response>]>([
    ['none', (body) => post(body, { 'Crm-Signature': '' })],
    ['one of another secret', (body) => post(body, signedHeaders('another secret', body, new Date()))],
    ['one of another body', (body) => post(body, signedHeaders(mailSecret, Buffer.from('other'), new Date()))],
    ['one of another time', (body) => post(body, { 'Crm-Timestamp': String(Math.floor(Date.now() / 1_000) - 1) })],
    ['an old one', (body) => post(body, {}, new Date(Date.now() - hour))],
    ['one of the future', (body) => post(body, {}, new Date(Date.now() + hour))],
    ['one of no time', (body) => post(body, { 'Crm-Timestamp': 'now' })],
  ])('refuses %s, and writes nothing', async (_what, send) => {
    const answer = await send(fromAda());
    expect([answer.status, (await problemOf(answer)).code]).toEqual([401, 'unauthenticated']);
    expect(await ledger()).toEqual([]);
  });
});

describe('a request with a mail', () => {
  it.each<[string, number, string, () => Promise<Response>]>([
    [
      'of another media type',
      415,
      'unsupported_media_type',
      () => post(fromAda(), { 'Content-Type': 'application/json' }),
    ],
    ['that is too large', 413, 'body_too_large', () => post(Buffer.alloc(mailLimitBytes + 1, 'x'))],
    ['that is none', 400, 'invalid', () => post(Buffer.from('hello'))],
    ['for nobody', 404, 'not_found', () => post(fromAda({ to: 'support@nobody-here.example' }))],
    ['for another domain', 404, 'not_found', () => post(fromAda({ to: 'support@example.com' }))],
  ])('%s is refused, and nothing is written', async (_what, status, code, send) => {
    const answer = await send();
    expect([answer.status, (await problemOf(answer)).code]).toEqual([status, code]);
    expect(await ledger()).toEqual([]);
  });

  it('finds the module switched off', async () => {
    await make(org, featureFlags, { name: 'crm_feature_tickets', enabled: false });
    const answer = await post(fromAda());
    expect([answer.status, (await problemOf(answer)).code]).toEqual([404, 'feature_disabled']);
  });

  it('is not taken where nobody has set a secret', async () => {
    const closed = await testApi(fixture.url, {
      inboundMail: {
        secret: undefined,
        supportAddress: 'support@{organization}.example',
        relay: fixture.relay,
        reader: createMailReader(),
      },
    });
    const answer = await closed.app.request('/events/mail', { method: 'POST', body: 'x' });
    expect([answer.status, (await problemOf(answer)).code]).toEqual([404, 'feature_disabled']);
    await closed.close();
  });
});

describe('a mail', () => {
  it('opens a ticket: the start command in the ledger, with the mail beside it', async () => {
    const answer = await post(fromAda({ messageId: '<1@example.com>', from: 'Grace <grace@example.com>' }));
    const body = (await answer.json()) as { outcome: string; ticketId: string };
    // No process runs in this test: the command is stored and owed.
    expect([answer.status, body.outcome]).toEqual([202, 'opened']);
    expect(await ledger()).toEqual([
      expect.objectContaining({
        message: 'opened',
        record_id: body.ticketId,
        idempotency_key: '1@example.com',
        principal: 'service:mail',
        body: expect.objectContaining({
          subject: 'Printer on fire',
          channel: 'email',
          requester: expect.objectContaining({ email: 'grace@example.com', fullName: 'Grace' }),
          mail: expect.objectContaining({ messageId: '1@example.com' }),
        }),
      }),
    ]);
  });

  it('counts once, however often it is delivered: also with other Received lines', async () => {
    const messageId = '<1@example.com>';
    await post(fromAda({ messageId }));
    await post(fromAda({ messageId }));
    await post(Buffer.concat([Buffer.from('Received: by other.example\r\n'), fromAda({ messageId })]));
    expect(await ledger()).toHaveLength(1);
  });

  it('that is a message already is told so', async () => {
    await said({ messageId: '1@example.com' });
    const answer = await post(fromAda({ messageId: '<1@example.com>' }));
    expect([answer.status, await answer.json()]).toEqual([200, { outcome: 'known', ticketId: ticket.id }]);
    expect(await ledger()).toEqual([]);
  });

  it('goes by the envelope that the mail server noted, before To', async () => {
    const other = await makeOrganization(fixture.app);
    await post(fromAda({ to: `support@${other.slug}.example`, headers: [`Delivered-To: ${support}`] }));
    expect(await ledger()).toHaveLength(1);
  });
});

describe('a reply by mail', () => {
  const replied = async (mail: TestMail) => {
    const answer = await post(fromAda(mail));
    return { ...((await answer.json()) as { outcome: string; ticketId: string }), ledger: await ledger() };
  };

  it('belongs to the ticket whose message it answers', async () => {
    await said({ messageId: 'reply@here' });
    const {
      outcome,
      ticketId,
      ledger: rows,
    } = await replied({ headers: ['In-Reply-To: <reply@here>'], messageId: '<2@x.example>' });
    expect([outcome, ticketId]).toEqual(['replied', ticket.id]);
    expect(rows).toMatchObject([
      { message: 'customerReply', record_id: ticket.id, body: { messageId: '2@x.example', text: 'Please help.' } },
    ]);
  });

  it('belongs to the nearest of its references', async () => {
    const nearer = await makeTicket(org, ada);
    await said({ messageId: 'far@here' });
    await said({ messageId: 'near@here' }, nearer.id);
    expect(await replied({ headers: ['References: <far@here> <near@here> <unknown@x>'] })).toMatchObject({
      ticketId: nearer.id,
    });
  });

  it('belongs to the ticket that its subject numbers, if the requester sent it', async () => {
    const subject = `Re: Printer [#${String(ticket['number'])}]`;
    expect(await replied({ subject })).toMatchObject({ outcome: 'replied', ticketId: ticket.id });
    expect(await replied({ subject, from: 'eve@evil.example' })).toMatchObject({ outcome: 'opened' });
  });

  it('belongs to the ticket that another mail is about to open, though nobody has taken that one yet', async () => {
    const opened = await replied({ messageId: '<first@x.example>' });
    const followed = await replied({ messageId: '<second@x.example>', headers: ['References: <first@x.example>'] });
    const last = await replied({ messageId: '<third@x.example>', headers: ['In-Reply-To: <second@x.example>'] });
    expect([opened, followed, last].map(({ outcome }) => outcome)).toEqual(['opened', 'replied', 'replied']);
    expect(last.ledger.map(({ message, record_id: id }) => [message, id])).toEqual([
      ['opened', opened.ticketId],
      ['customerReply', opened.ticketId],
      ['customerReply', opened.ticketId],
    ]);
  });

  it('belongs to where a merged ticket went', async () => {
    const survivor = await makeTicket(org, ada);
    const merged = await makeTicket(org, ada, { status: 'merged', stage: 'merged', mergedIntoTicketId: survivor.id });
    expect(await replied({ subject: `Re: x [#${String(merged['number'])}]` })).toMatchObject({ ticketId: survivor.id });
  });

  it('belongs to a ticket that was deleted, which opens one follow-up for all of them; before it to one that was not', async () => {
    const removed = { deletedAt: new Date() };
    const survivor = await makeTicket(org, ada, removed);
    const gone = { status: 'merged', stage: 'merged', mergedIntoTicketId: survivor.id };
    const merged = await makeTicket(org, ada, gone);
    await said({ messageId: 'reply@here' }, survivor.id);
    expect(await replied({ headers: ['In-Reply-To: <reply@here>'] })).toMatchObject({
      outcome: 'replied',
      ticketId: survivor.id,
    });
    expect(await replied({ subject: `Re: x [#${String(merged['number'])}]` })).toMatchObject({ ticketId: survivor.id });
    await said({ messageId: 'alive@here' });
    expect(await replied({ headers: ['References: <alive@here> <reply@here>'] })).toMatchObject({
      ticketId: ticket.id,
    });
  });

  it('never belongs to a ticket of another organisation', async () => {
    const foreign = await makeOrganization(fixture.app);
    const theirs = await makeTicket(foreign, await makePerson(foreign, { primaryEmail: ada['primaryEmail'] }));
    expect(await replied({ subject: `Re: x [#${String(theirs['number'])}]` })).toMatchObject({ outcome: 'opened' });
  });
});

describe('a loop', () => {
  it.each([
    ['an out-of-office note', ['Auto-Submitted: auto-replied'], 'auto_submitted'],
    ['a newsletter', ['Precedence: bulk'], 'bulk'],
    ['a bounce', ['Return-Path: <>'], 'null_sender'],
    ['a delivery report', ['Content-Type: multipart/report; boundary=x'], 'report'],
    ['a mailing list', ['List-Id: <news.example.com>'], 'bulk'],
    ['a note that wants no answer', ['X-Auto-Response-Suppress: All'], 'auto_submitted'],
  ])('is cut at %s, also within a thread', async (_what, headers, cause) => {
    await said({ messageId: 'reply@here' });
    const answer = await post(fromAda({ headers: [...headers, 'In-Reply-To: <reply@here>'] }));
    expect([answer.status, await answer.json()]).toEqual([200, { outcome: 'ignored', cause }]);
    expect(await ledger()).toEqual([]);
  });

  it('is cut at our own mail, by its Message-ID and by its sender', async () => {
    const own = { outcome: 'ignored', cause: 'own_message' };
    const messageId = `<${uuidv7()}@${org.id}.crm.durable-crm>`;
    expect(await (await post(fromAda({ messageId }))).json()).toEqual(own);
    expect(await (await post(fromAda({ messageId: messageId.slice(1, -1).toUpperCase() }))).json()).toEqual(own);
    expect(await (await post(fromAda({ from: support }))).json()).toEqual(own);
    expect(await ledger()).toEqual([]);
  });

  it('is none where another organisation writes, from its support address as well, and is cut at too many of its mails', async () => {
    const other = await makeOrganization(fixture.app);
    const from = `support@${other.slug}.example`;
    const machine = await post(fromAda({ from, headers: ['Auto-Submitted: auto-replied'] }));
    expect(await machine.json()).toEqual({ outcome: 'ignored', cause: 'auto_submitted' });
    const answer = await post(fromAda({ from }));
    expect([answer.status, await answer.json()]).toMatchObject([202, { outcome: 'opened' }]);
    const further = await Promise.all(Array.from({ length: mostPerHour - 1 }, () => post(fromAda({ from }))));
    expect(further.map(({ status }) => status)).toContain(429);
  });

  it('is cut at too many mails of one address: they are put off, others are not', async () => {
    const addresses = { from: { address: ada['primaryEmail'], name: '' }, to: [], cc: [] };
    for (let n = 0; n < mostPerHour; n++) await said({ addresses });
    const answer = await post(fromAda());
    expect([answer.status, (await problemOf(answer)).code]).toEqual([429, 'rate_limited']);
    expect(answer.headers.get('Retry-After')).toBe('600');
    expect((await post(fromAda({ from: 'grace@example.com' }))).status).toBe(202);
  });
});

describe('a bounce', () => {
  const id = uuidv7();
  const events = () =>
    inOrganization(fixture.app, org.id, (em) =>
      em.execute<{ kind: string; subject_id: string; payload: object }[]>(
        `select kind, subject_id, payload from crm_core.crm_outbox where kind = 'ticket_reply.bounced'`,
      ),
    );
  const bounceOf = (organizationId: string, mail: TestMail = {}) =>
    bounceSource('text/rfc822-headers', `Message-ID: <${id}@${organizationId}.crm.durable-crm>\r\n`, {
      to: support,
      ...mail,
    });

  it.each([
    ['a support address', () => support],
    ['whoever the mail server takes for the sender', () => 'crm@localhost'],
  ])('of a reply is put out for whom it concerns, once, and opens nothing: sent to %s', async (_what, to) => {
    await said({ kind: 'reply', messageId: `${id}@${org.id}.crm.durable-crm` });
    const bounce = bounceOf(org.id, { to: to() });
    for (const answer of [await post(bounce), await post(bounce)])
      expect([answer.status, await answer.json()]).toEqual([200, { outcome: 'bounced', ticketId: ticket.id }]);
    expect(await events()).toEqual([
      {
        kind: 'ticket_reply.bounced',
        subject_id: ticket.id,
        payload: {
          conversationMessageId: expect.any(String),
          reason: '5.1.1; smtp; 550 5.1.1 <ada@example.com>: unknown',
        },
      },
    ]);
    expect(await ledger()).toEqual([]);
  });

  it.each([
    ['a customer’s message', () => org.id, 'customer'],
    ['another organisation’s reply', () => uuidv7(), 'reply'],
    ['a reply of what can be no organisation', () => '0'.repeat(36), 'reply'],
  ])('of %s is ignored', async (_what, organizationId, kind) => {
    const named = organizationId();
    await said({ kind, messageId: `${id}@${named}.crm.durable-crm` });
    const answer = await post(bounceOf(named));
    expect([answer.status, await answer.json()]).toEqual([200, { outcome: 'ignored', cause: 'null_sender' }]);
    expect(await events()).toEqual([]);
  });
});

describe('a flood', () => {
  const many = async (mail: () => Buffer): Promise<number[]> => {
    const statuses: number[] = [];
    for (let n = 0; n <= mostPerHour; n++) statuses.push((await post(mail())).status);
    return statuses;
  };

  it.each<[string, number, () => TestMail]>([
    ['machines', 200, () => ({ headers: ['Auto-Submitted: auto-replied'] })],
    ['mails that cannot be read', 400, () => ({ body: 'x\r\n'.repeat(200_000) })],
  ])('of %s is limited, though nothing of it is stored', async (_what, status, mail) => {
    const statuses = await many(() => fromAda(mail()));
    expect(statuses).toEqual([...Array.from({ length: mostPerHour }, () => status), 429]);
    expect(await ledger()).toEqual([]);
  });

  it('of one mail that comes again and again is limited; it is put off for as long as it takes, others are taken', async () => {
    const messageId = '<1@example.com>';
    const statuses = await many(() => fromAda({ messageId }));
    expect(statuses.at(-1)).toBe(429);
    const answer = await post(fromAda({ messageId }));
    const seconds = Number(answer.headers.get('Retry-After'));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(3_600 / mostPerHour);
    expect((await post(fromAda({ from: 'grace@example.com' }))).status).toBe(202);
    expect(await ledger()).toHaveLength(2);
  });
});
