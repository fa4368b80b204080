import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import nodemailer from 'nodemailer';
import { startMailCatcher } from '../../runtime/mail-catcher.ts';
import type { CaughtMail, MailCatcher } from '../../runtime/mail-catcher.ts';
import { anyFreePort } from '../../runtime/ports.ts';

const folder = mkdtempSync(join(tmpdir(), 'crm-mail-'));
let catcher: MailCatcher;

async function start(): Promise<MailCatcher> {
  return startMailCatcher({ folder, smtpPort: await anyFreePort(), port: await anyFreePort() });
}

async function listed(): Promise<CaughtMail[]> {
  const answer = await fetch(`${catcher.url}/messages`);
  return ((await answer.json()) as { data: CaughtMail[] }).data;
}

beforeAll(async () => {
  catcher = await start();
  await nodemailer.createTransport(catcher.smtpUrl).sendMail({
    from: 'Durable CRM <crm@localhost>',
    to: 'rita@acme.example',
    subject: 'Zwölf neue Leads <b>',
    text: 'Bitte ansehen.',
    messageId: '<notice-1@crm.localhost>',
  });
});
afterAll(async () => {
  await catcher.stop();
  rmSync(folder, { recursive: true });
});

describe('the mail catcher', () => {
  it('lists what was sent, as it was sent', async () => {
    expect(await listed()).toEqual([
      expect.objectContaining({
        from: 'crm@localhost',
        to: ['rita@acme.example'],
        subject: 'Zwölf neue Leads <b>',
        text: 'Bitte ansehen.\n',
        messageId: '<notice-1@crm.localhost>',
      }),
    ]);
  });

  it('gives one mail with its source, and 404 for one that is not there', async () => {
    const [mail] = await listed();
    const one = await fetch(`${catcher.url}/messages/${mail?.id}`);
    expect(await one.json()).toMatchObject({
      id: mail?.id,
      source: expect.stringContaining('Message-ID: <notice-1@crm.localhost>'),
    });
    expect((await fetch(`${catcher.url}/messages/0190b1c6-0000-7000-8000-000000000000`)).status).toBe(404);
  });

  it('has nothing under an address that is none', async () => {
    const status = await new Promise((settle, refuse) => {
      request(catcher.url, { path: '//' }, (answer) => settle(answer.resume().statusCode))
        .once('error', refuse)
        .end();
    });
    expect(status).toBe(404);
  });

  it('shows a page on which nothing of a mail is markup', async () => {
    const page = await (await fetch(catcher.url)).text();
    expect(page).toContain('Zwölf neue Leads &lt;b&gt;');
  });

  it('keeps the mails over a restart', async () => {
    await catcher.stop();
    catcher = await start();
    expect(await listed()).toHaveLength(1);
    expect(readdirSync(folder).filter((name) => name.endsWith('.eml'))).toHaveLength(1);
  });

  it('keeps them when the disk was full in between', async () => {
    await catcher.stop();
    appendFileSync(join(folder, 'index.ndjson'), '{"id":"0190b1\n{"id":');
    catcher = await start();
    expect(await listed()).toHaveLength(1);
    await catcher.stop();
    catcher = await start();
    expect(await listed()).toHaveLength(1);
  });
});
