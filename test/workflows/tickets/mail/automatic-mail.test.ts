import { describe, expect, it } from '@jest/globals';
import { automaticCause, type SenderMarks } from '../../../../workflows/tickets/mail/automatic-mail.ts';

const person: SenderMarks = {
  autoSubmitted: [],
  precedence: [],
  returnPath: ['<ada@example.com>'],
  contentType: ['text/plain'],
  from: 'ada@example.com',
  isOwn: false,
};

describe('a mail that a machine wrote (RFC 3834)', () => {
  it.each<[string, Partial<SenderMarks>, string | null]>([
    ['nothing special', {}, null],
    ['Auto-Submitted: no', { autoSubmitted: ['no'] }, null],
    ['… with a comment', { autoSubmitted: ['No (a person)'] }, null],
    ['an out-of-office note', { autoSubmitted: ['auto-replied'] }, 'auto_submitted'],
    ['… with parameters', { autoSubmitted: ['auto-generated; owner-email="a@b.example"'] }, 'auto_submitted'],
    ['two of them', { autoSubmitted: ['no', 'auto-replied'] }, 'auto_submitted'],
    ['Precedence: bulk', { precedence: ['Bulk'] }, 'bulk'],
    ['Precedence: list', { precedence: ['list'] }, 'bulk'],
    ['Precedence: junk', { precedence: ['junk'] }, 'bulk'],
    ['Precedence: first-class', { precedence: ['first-class'] }, null],
    ['the null sender', { returnPath: ['<>'] }, 'null_sender'],
    ['a bounce', { from: 'MAILER-DAEMON@example.com' }, 'null_sender'],
    ['a delivery report', { contentType: ['multipart/report; report-type=delivery-status'] }, 'report'],
    ['our own mail', { isOwn: true }, 'own_message'],
  ])('%s', (_what, marks, cause) => {
    expect(automaticCause({ ...person, ...marks })).toBe(cause);
  });
});
