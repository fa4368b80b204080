import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { readMail } from '../../../api/mail/message.ts';
import { bounceSource, mailSource, multipart } from './mails.ts';

const problem = (code: string) => expect.objectContaining({ code });

describe('reading a mail', () => {
  it('takes what is new in it, who sent it and where it belongs', async () => {
    const { mail, recipients } = await readMail(
      mailSource({
        subject: '=?utf-8?q?Z=C3=BCrich?= [#7]',
        headers: ['In-Reply-To: <b@x>', 'References: <a@x>', '\t<b@x>', 'Delivered-To: support@acme.example'],
        messageId: '<c@x>',
        body: 'It burns again.\r\n\r\nOn Friday, Support wrote:\r\n> Fixed.',
      }),
    );
    expect(mail).toMatchObject({
      messageId: 'c@x',
      inReplyTo: 'b@x',
      references: ['a@x', 'b@x'],
      from: { name: 'Ada Lovelace', address: 'ada@example.com' },
      subject: 'Zürich [#7]',
      text: 'It burns again.',
      html: null,
      attachments: [],
    });
    expect(recipients).toEqual(['support@acme.example']);
  });

  it('reads HTML where there is no text', async () => {
    const { mail } = await readMail(
      mailSource({ headers: ['Content-Type: text/html'], body: '<p>Please <b>help</b></p><script>x</script>' }),
    );
    expect(mail.text).toBe('Please help');
    expect(mail.html).toBe('<p>Please <b>help</b></p>');
  });

  it('keeps an index of attachments, not what they hold', async () => {
    const zip = Buffer.from('PK\u0003\u0004 anything');
    const { mail } = await readMail(
      multipart([
        'Content-Type: text/plain\r\n\r\nSee the files.',
        `Content-Type: application/zip\r\nContent-Disposition: attachment; filename="../a\u202eb.zip"\r\nContent-Transfer-Encoding: base64\r\n\r\n${zip.toString('base64')}`,
        'Content-Type: no-media-type\r\nContent-Disposition: inline\r\n\r\nx',
      ]),
    );
    expect(mail.attachmentCount).toBe(2);
    expect(mail.attachments[0]).toEqual({
      fileName: 'ab.zip',
      mediaType: 'application/zip',
      bytes: zip.length,
      sha256: createHash('sha256').update(zip).digest('hex'),
      inline: false,
    });
    expect(JSON.stringify(mail)).not.toContain(zip.toString('base64'));
  });

  it.each([
    ['../../etc/passwd', 'passwd'],
    ['C:\\\\Users\\\\ada\\\\invoice.pdf', 'invoice.pdf'],
    ['/tmp/', 'tmp'],
    ['..', 'unnamed'],
    ['a\u0007/\u0000b\u0085.txt', 'b.txt'],
    [`x/${'y'.repeat(300)}`, 'y'.repeat(255)],
  ])('names an attachment by the last part of %j alone', async (given, fileName) => {
    const header = `Content-Type: text/csv\r\nContent-Disposition: attachment; filename="${given}"`;
    const { mail } = await readMail(multipart([`${header}\r\n\r\nx`]));
    expect(mail.attachments.map((file) => file.fileName)).toEqual([fileName]);
  });

  it('counts more attachments than it tells of', async () => {
    const file = 'Content-Type: text/csv\r\nContent-Disposition: attachment\r\n\r\nx';
    const { mail } = await readMail(multipart(Array.from({ length: 150 }, () => file)));
    expect([mail.attachmentCount, mail.attachments.length]).toEqual([150, 100]);
  });

  it('gives a mail without Message-ID one of its own content', async () => {
    const source = mailSource({ messageId: null });
    const [first, second] = await Promise.all([readMail(source), readMail(source)]);
    expect(first.mail.messageId).toMatch(/^[0-9a-f]{64}@unnamed$/);
    expect(second.mail.messageId).toBe(first.mail.messageId);
  });

  it.each([
    [
      'a header in the subject',
      { subject: '=?utf-8?q?Hi=0D=0ABcc:_eve@evil.example=00?=' },
      'Hi Bcc: eve@evil.example',
    ],
    ['no subject', { subject: '' }, ''],
    ['a subject without end', { subject: 'x'.repeat(5_000) }, 'x'.repeat(300)],
  ])('makes one line of %s', async (_what, given, subject) => {
    expect((await readMail(mailSource(given))).mail.subject).toBe(subject);
  });

  it.each([
    ['an unknown charset', 'Content-Type: text/plain; charset=klingon-8', 'caf\u00e9'],
    [
      'a broken one',
      'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable',
      '=ED=A0=80 =FF=00x',
    ],
    ['an unknown encoding', 'Content-Type: text/plain\r\nContent-Transfer-Encoding: rot13', 'uryyb'],
    ['NUL', 'Content-Type: text/plain', 'a\u0000b'],
  ])('makes storable text of %s', async (_what, header, body) => {
    const { text } = (await readMail(mailSource({ headers: header.split('\r\n'), body }))).mail;
    expect(text.length).toBeGreaterThan(0);
    expect(text.isWellFormed()).toBe(true);
    expect(text).not.toContain('\u0000');
  });

  it('cuts a text without end, and says so of a mail without any', async () => {
    expect((await readMail(mailSource({ body: 'x'.repeat(100_000) }))).mail.text).toHaveLength(20_000);
    expect((await readMail(mailSource({ body: '' }))).mail.text).toBe('The mail has no text.');
  });

  it('refuses parts within parts without end', async () => {
    const deep = Array.from(
      { length: 60 },
      (_, n) => `Content-Type: multipart/mixed; boundary=b${n}\r\n\r\n--b${n}\r\n`,
    );
    await expect(readMail(mailSource({ headers: [deep.join('').replace(/\r\n$/, '')] }))).rejects.toEqual(
      problem('malformed'),
    );
  });

  it.each([
    ['lines', mailSource({ body: 'x\r\n'.repeat(200_000) })],
    ['parts', multipart(Array.from({ length: 600 }, () => 'Content-Type: text/plain\r\n\r\nx'))],
    ['levels of parts', mailSource({ body: Array.from({ length: 60 }, (_, n) => `boundary="b${n}"`).join('\r\n') })],
  ])('refuses %s without end', async (what, source) => {
    await expect(readMail(source)).rejects.toMatchObject({ code: 'malformed', message: expect.stringContaining(what) });
  });

  it('refuses a header without end', async () => {
    const headers = Array.from({ length: 300 }, (_, n) => `X-${n}: ${'x'.repeat(1_000)}`);
    await expect(readMail(mailSource({ headers }))).rejects.toEqual(problem('malformed'));
  });

  it.each(['', 'nobody', '<ada@>', 'ada@localhost', '"x" <a b@example.com>'])(
    'refuses the sender %p, who could not be answered',
    async (from) => expect(readMail(mailSource({ from }))).rejects.toEqual(problem('invalid')),
  );

  it.each(['', 'no mail at all', '\u0000\u0001\u0002', 'From:\r\n'.repeat(1_000)])('refuses %p', async (source) =>
    expect(readMail(Buffer.from(source))).rejects.toEqual(problem('invalid')),
  );

  it.each([
    ['without angle brackets', 'a.1@example.com', 'a.1@example.com'],
    ['behind something else', 'id <a.1@example.com>', 'a.1@example.com'],
  ])('knows a Message-ID %s', async (_what, messageId, expected) => {
    expect((await readMail(mailSource({ messageId }))).mail.messageId).toBe(expected);
  });
});

describe('reading a bounce', () => {
  const organizationId = '019aa000-0000-7000-8000-000000000001';
  const reply = `019aa000-0000-7000-8000-000000000002@${organizationId}.crm.durable-crm`;
  const returned = `From: crm@example.org\r\nSubject: Re: x\r\nMessage-ID: <${reply}>\r\n`;

  it.each([
    ['the whole mail', 'message/rfc822', `${returned}\r\nHi\r\n`],
    ['its header', 'text/rfc822-headers', returned],
  ])('finds the reply in %s that it returns, whoever sent it', async (_what, type, part) => {
    const { cause, bounce, mail } = await readMail(bounceSource(type, part, { from: 'MAILER-DAEMON (Mail Delivery)' }));
    expect(bounce).toEqual({ messageIds: [reply], reason: '5.1.1; smtp; 550 5.1.1 <ada@example.com>: unknown' });
    expect([cause, mail.from.name]).toEqual([expect.stringMatching(/null_sender|report/), '']);
  });

  it('is for machines: a person who forwards one writes a mail', async () => {
    const { cause, bounce } = await readMail(
      multipart([`Content-Type: message/rfc822\r\n\r\n${bounceSource('text/rfc822-headers', returned).toString()}`]),
    );
    expect([cause, bounce]).toEqual([null, null]);
  });
});
