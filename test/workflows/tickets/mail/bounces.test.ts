import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { growth, steepest } from '../../../support/growth.ts';
import { bounceIn, type MachineMail } from '../../../../workflows/tickets/mail/bounces.ts';
import { replyMessageId } from '../../../../workflows/tickets/mail/threads.ts';

const organizationId = '019aa000-0000-7000-8000-000000000001';
const reply = replyMessageId(organizationId, '019aa000-0000-7000-8000-000000000002');
const status = (action: string) =>
  [
    'Reporting-MTA: dns; mx.example.com',
    '',
    'Final-Recipient: rfc822; ada@example.com',
    `Action: ${action}`,
    'Status: 5.1.1',
    'Diagnostic-Code: smtp; 550 5.1.1',
    '\tUser unknown',
    '',
  ].join('\r\n');
const report = (more: Partial<MachineMail> = {}): MachineMail => ({
  fields: [],
  from: 'mailer-daemon@example.com',
  subject: 'Undelivered Mail Returned to Sender',
  text: `I am sorry.\r\nFrom: crm\r\nMessage-ID: <${reply}>\r\n`,
  deliveryStatus: [status('failed')],
  ...more,
});

describe('a bounce', () => {
  it('names the reply, and says why', () => {
    expect(bounceIn(report())).toEqual({ messageIds: [reply], reason: '5.1.1; smtp; 550 5.1.1 User unknown' });
  });

  it.each<[string, Partial<MachineMail>]>([
    ['in its thread alone', { text: '', fields: [{ key: 'in-reply-to', value: `<${reply}>` }] }],
    ['among references', { text: '', fields: [{ key: 'references', value: `<a@b> <${reply}>` }] }],
    ['in a folded field', { text: `Message-Id:\r\n  <${reply}>` }],
    ['in capitals', { text: `MESSAGE-ID: <${reply.toUpperCase()}>` }],
    ['of several recipients', { deliveryStatus: [`${status('delivered')}\r\n${status('Failed (really)')}`] }],
    ['in an old form, with the header of the reply', { deliveryStatus: [] }],
    [
      'in an old form, with its recipients',
      {
        deliveryStatus: [],
        from: 'postmaster@example.com',
        fields: [{ key: 'x-failed-recipients', value: 'ada@example.com' }],
      },
    ],
  ])('is known %s', (_what, more) => {
    expect(bounceIn(report(more))?.messageIds).toEqual([reply]);
  });

  it.each<[string, Partial<MachineMail>]>([
    ['a delay', { deliveryStatus: [status('delayed')] }],
    ['a receipt', { deliveryStatus: [status('delivered')] }],
    ['a delay in an old form', { deliveryStatus: [], subject: 'Warning: could not send message for past 4 hours' }],
    [
      'an out-of-office note',
      { deliveryStatus: [], from: 'ada@example.com', fields: [{ key: 'in-reply-to', value: `<${reply}>` }] },
    ],
    ['one of somebody else’s mail', { text: 'Message-ID: <1@example.com>' }],
    ['one of another installation’s', { text: 'Message-ID: <1@globex.crm.durable-crm>' }],
  ])('is not %s', (_what, more) => {
    expect(bounceIn(report(more))).toBeNull();
  });

  it('is read from anything without trouble', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), fc.string(), (text, deliveryStatus, value) => {
        const bounce = bounceIn(report({ text, deliveryStatus, fields: [{ key: 'references', value }] }));
        expect(bounce).toBeNull();
      }),
    );
  });

  it('takes no time over a hostile one', () => {
    for (const part of [
      'message-id: <',
      'message-id:',
      'message-id: \n',
      'Action:',
      'Action: failed\n ',
      '\n\n',
      '<',
    ]) {
      const read = (size: number) => {
        const text = part.repeat(size);
        bounceIn(report({ text, deliveryStatus: [text], fields: [{ key: 'references', value: text }] }));
      };
      expect([part, growth(read, 2_000) < steepest]).toEqual([part, true]);
    }
  });
});
