import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createMail } from '../../activities/mail.ts';
import { type Mail, MailRefused, type OutgoingMail } from '../../activities/ports.ts';
import { startSmtp, type TestSmtp } from './smtp.ts';

let smtp: TestSmtp;
let mail: Mail;
const supportAddress = 'support@{organization}.example';
const letter: OutgoingMail = {
  to: 'ada@example.com',
  subject: 'New lead: Zoë',
  text: 'Get in touch.\nToday.',
  messageId: '<1@crm.test>',
};

beforeAll(async () => {
  smtp = await startSmtp();
  mail = createMail({ url: smtp.url, from: 'Durable CRM <crm@example.org>', supportAddress });
});
afterAll(async () => {
  mail?.close();
  await smtp?.close();
});
beforeEach(() => {
  smtp.mails.length = 0;
  smtp.answers.clear();
});

describe('mail over SMTP', () => {
  it('arrives as it was written, under its Message-ID', async () => {
    await mail.send(letter);
    expect(smtp.mails).toMatchObject([
      {
        messageId: letter.messageId,
        subject: letter.subject,
        from: { address: 'crm@example.org' },
        to: [{ address: letter.to }],
      },
    ]);
    expect(smtp.mails[0]?.text?.trim()).toBe(letter.text);
    expect(smtp.mails[0]?.headers).toContainEqual(
      expect.objectContaining({ key: 'auto-submitted', value: 'auto-generated' }),
    );
  });

  it('takes no further header or recipient out of a subject or an address', async () => {
    await mail.send({ ...letter, subject: 'Hello\r\nBcc: eve@example.com' });
    expect(smtp.mails[0]?.bcc ?? []).toEqual([]);
    await expect(mail.send({ ...letter, to: 'ada@example.com\r\nRCPT TO:<eve@example.com>' })).rejects.toThrow(
      MailRefused,
    );
    expect(smtp.mails).toHaveLength(1);
  });

  it('is refused for good when the recipient is', async () => {
    smtp.answers.set(letter.to, 550);
    await expect(mail.send(letter)).rejects.toThrow(new MailRefused('The mail server refused with 550 at RCPT TO'));
    await expect(mail.send({ ...letter, to: '' })).rejects.toThrow(MailRefused);
  });

  it('may be tried again when the server is busy, away, or refuses the sender', async () => {
    smtp.answers.set(letter.to, 450);
    await expect(mail.send(letter)).rejects.not.toThrow(MailRefused);
    smtp.answers.clear();
    smtp.answers.set('crm@example.org', 550);
    await expect(mail.send(letter)).rejects.not.toThrow(MailRefused);
    const nobody = createMail({ url: 'smtp://127.0.0.1:1', from: 'crm@example.org', supportAddress });
    await expect(nobody.send(letter)).rejects.toThrow(/ECONNREFUSED/);
    nobody.close();
  });
});
