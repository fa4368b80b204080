import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { growth, steepest } from '../../../support/growth.ts';
import { automaticCause, type SenderMarks } from '../../../../workflows/tickets/mail/automatic-mail.ts';

const person: SenderMarks = {
  fields: [
    { key: 'return-path', value: '<ada@example.com>' },
    { key: 'content-type', value: 'text/plain' },
    { key: 'subject', value: 'Automatic reply: list of bulk reports' },
  ],
  from: 'ada@example.com',
};
const withField = (key: string, value: string): SenderMarks => ({
  ...person,
  fields: [...person.fields, { key, value }],
});

/** Every form in which machines say that they are one. */
const machines: [string, string, string][] = [
  ['auto-submitted', 'auto-replied', 'auto_submitted'],
  ['auto-submitted', 'auto-generated; owner-email="a@b.example"', 'auto_submitted'],
  ['auto-submitted', 'auto-notified', 'auto_submitted'],
  ['auto-submitted', '(really) auto-replied (vacation)', 'auto_submitted'],
  ['auto-submitted', '', 'auto_submitted'],
  ['x-auto-response-suppress', 'All', 'auto_submitted'],
  ['x-auto-response-suppress', 'DR, OOF, AutoReply', 'auto_submitted'],
  ['x-autoreply', 'yes', 'auto_submitted'],
  ['x-autorespond', 'vacation', 'auto_submitted'],
  ['precedence', 'bulk', 'bulk'],
  ['precedence', 'list', 'bulk'],
  ['precedence', 'junk', 'bulk'],
  ['precedence', 'auto_reply', 'bulk'],
  ['x-precedence', 'bulk', 'bulk'],
  ['list-id', 'News <news.example.com>', 'bulk'],
  ['list-unsubscribe', '<mailto:off@example.com>', 'bulk'],
  ['list-post', 'NO', 'bulk'],
  ['return-path', '<>', 'null_sender'],
  ['return-path', '< >', 'null_sender'],
  ['return-path', '<> (null sender)', 'null_sender'],
  ['content-type', 'multipart/report; report-type=delivery-status; boundary=x', 'report'],
  ['content-type', 'multipart/report;\r\n\treport-type="disposition-notification"', 'report'],
];

describe('a mail that a machine wrote (RFC 3834)', () => {
  it.each(machines)('%s: %s', (key, value, cause) => {
    expect(automaticCause(withField(key, value))).toBe(cause);
  });

  it.each(['MAILER-DAEMON@example.com', 'Mail-Daemon@x.example', 'mailer-daemon'])('from %s', (from) => {
    expect(automaticCause({ ...person, from })).toBe('null_sender');
  });

  it.each([
    ['auto-submitted', 'no'],
    ['auto-submitted', 'No (a person)'],
    ['auto-submitted', '(a person) no'],
    ['precedence', 'first-class'],
    ['x-auto-response-suppress', 'DR, RN, NRN'],
    ['x-autoreply', 'no'],
    ['return-path', '<a.b+c@example.com>'],
    ['content-type', 'multipart/mixed; boundary="multipart/report"'],
    ['x-list', 'x'],
  ])('not with %s: %s', (key, value) => {
    expect(automaticCause(withField(key, value))).toBeNull();
  });

  const scrambled = (text: string) =>
    fc
      .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
      .map((upper) => [...text].map((char, at) => (upper[at] ? char.toUpperCase() : char.toLowerCase())).join(''));
  const noise = fc.array(
    fc.record({
      key: fc.constantFrom('received', 'x-spam', 'subject', 'to', 'auto-submitted', 'precedence'),
      value: fc.constantFrom('no', 'first-class', 'x'),
    }),
  );
  const blanks = fc.constantFrom('', ' ', '\t', '  \t ');

  it('is known in whatever letters, wherever it stands, beside whatever else is said', () => {
    const machine = fc
      .constantFrom(...machines)
      .chain(([key, value]) => fc.tuple(fc.constant(key), scrambled(value), blanks, blanks));
    fc.assert(
      fc.property(machine, noise, noise, ([key, value, before, after], first, last) => {
        const fields = [...first, { key, value: `${before}${value}${after}` }, ...last];
        expect(automaticCause({ ...person, fields: [...person.fields, ...fields] })).not.toBeNull();
      }),
    );
  });

  it('is nobody who says nothing of the kind, whatever the header holds', () => {
    const field = fc.record({
      key: fc.constantFrom(
        'subject',
        'x-mailer',
        'received',
        'sender',
        'in-reply-to',
        'x-priority',
        'return-receipt-to',
      ),
      value: fc.string(),
    });
    fc.assert(
      fc.property(fc.array(field), (fields) => {
        expect(automaticCause({ ...person, fields: [...person.fields, ...fields] })).toBeNull();
      }),
    );
  });

  it('takes no time to be told', () => {
    for (const part of ['(', '() ', '<> (', ' '])
      for (const key of ['auto-submitted', 'return-path', 'x-auto-response-suppress', 'precedence', 'content-type']) {
        const told = (size: number) => void automaticCause(withField(key, part.repeat(size)));
        expect([key, part, growth(told, 5_000) < steepest]).toEqual([key, part, true]);
      }
  });
});
