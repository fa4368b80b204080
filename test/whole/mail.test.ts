import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import nodemailer from 'nodemailer';
import { readStatus } from '../../cli/status.ts';
import type { CaughtMail } from '../../runtime/mail-catcher.ts';
import { suffix } from '../support/factories.ts';
import { type Product, startProduct } from '../support/product.ts';
import { eventually } from '../support/temporal.ts';
import { expectClean, settle } from '../support/whole-books.ts';
import { type Caller, makeTenant, type Tenant } from '../support/whole-tenant.ts';

let product: Product;
let mailbox: string;
let tenant: Tenant;
let agent: Caller;
const address = `ada-${suffix()}@example.com`;

beforeAll(async () => {
  product = await startProduct();
  mailbox = (await readStatus(product.dataDir)).supportMailbox ?? '';
  tenant = await makeTenant(product);
  agent = await tenant.as('support', tenant.reps[0]?.id ?? '');
}, 240_000);
afterAll(async () => {
  await product?.stop();
}, 120_000);

/** Ada writes to the support address; answers the Message-ID of what she sent. */
async function write(subject: string, text: string, more: object = {}): Promise<string> {
  const to = `support@${tenant.org.slug}.example`;
  const sent = await nodemailer
    .createTransport(mailbox)
    .sendMail({ from: `Ada Lovelace <${address}>`, to, subject, text, ...more });
  return String(sent.messageId);
}

const list = async (path: string) =>
  ((await agent.send('GET', `/crm/v1/${path}`)).body['data'] ?? []) as Record<string, unknown>[];
const tickets = () => list('tickets?sort=openedAt');
const messagesOf = (id: unknown) => list(`conversation-messages?filter[ticketId][eq]=${String(id)}&sort=sentAt`);

async function caught(): Promise<CaughtMail[]> {
  const { data } = (await (await fetch(`${product.mail}/messages`)).json()) as { data: CaughtMail[] };
  return data.filter(({ to }) => to.includes(address));
}

describe('a conversation by mail', () => {
  it('opens a ticket, is answered in its thread, and goes on in it', async () => {
    const first = await write('Printer on fire', 'It burns. Please help.');
    await eventually('the mail is a ticket', async () => (await tickets()).length === 1, { seconds: 30 });
    const [ticket] = await tickets();
    expect(ticket).toMatchObject({
      subject: 'Printer on fire',
      channel: 'email',
      description: 'It burns. Please help.',
    });

    const reply = await agent.send('POST', `/crm/v1/tickets/${String(ticket?.['id'])}/reply`, {
      body: { text: 'Take water.', html: '<p onclick="x">Take <b>water</b>.</p>' },
    });
    expect(reply.status).toBe(200);
    await agent.send('POST', `/crm/v1/tickets/${String(ticket?.['id'])}/note`, {
      body: { text: 'Burns every Friday.' },
    });
    await eventually('the reply is in the mail', async () => (await caught()).length === 1, { seconds: 30 });
    const [mail] = await caught();
    expect(mail).toMatchObject({
      subject: `Re: Printer on fire [#${String(ticket?.['number'])}]`,
      text: 'Take water.\n',
    });
    const { source } = (await (await fetch(`${product.mail}/messages/${mail?.id}`)).json()) as { source: string };
    expect(source).toContain(`In-Reply-To: ${first}`);

    // Twice, as mail servers do that lost an answer; and an out-of-office note besides.
    const thanks = { messageId: `<thanks-${suffix()}@example.com>`, inReplyTo: mail?.messageId };
    await write('Re: something else', 'Thank you.\n\nOn Friday, Support wrote:\n> Take water.', thanks);
    await write('Re: something else', 'Thank you.', thanks);
    await write('Out of office', 'I am away.', {
      inReplyTo: mail?.messageId,
      headers: { 'Auto-Submitted': 'auto-replied' },
    });

    await eventually('the answer is on the ticket', async () => (await messagesOf(ticket?.['id'])).length === 4, {
      seconds: 30,
    });
    expect(
      (await messagesOf(ticket?.['id'])).map(({ kind, body, deliveredAt }) => [kind, body, deliveredAt !== null]),
    ).toEqual([
      ['customer', 'It burns. Please help.', false],
      ['reply', 'Take water.', true],
      ['note', 'Burns every Friday.', false],
      ['customer', 'Thank you.', false],
    ]);
    expect(await tickets()).toHaveLength(1);
    expect(await caught()).toHaveLength(1);

    await settle(product);
    await expectClean(product);
  }, 180_000);
});
