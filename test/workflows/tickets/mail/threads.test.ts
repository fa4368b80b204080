import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { growth, steepest } from '../../../support/growth.ts';
import { line, prose } from '../../../../workflows/processes/text.ts';
import { cleanLine, cleanText } from '../../../../workflows/tickets/mail/clean-text.ts';
import { slugOf, supportAddressOf } from '../../../../workflows/tickets/mail/support-address.ts';
import {
  messageIdsIn,
  organizationOfReply,
  referencesAfter,
  replyMessageId,
  replySubject,
  ticketNumberIn,
} from '../../../../workflows/tickets/mail/threads.ts';

describe('threads', () => {
  it('reads Message-IDs out of whatever a header holds', () => {
    expect(messageIdsIn('<a@b> junk <c@d>\t<a@b>')).toEqual(['a@b', 'c@d']);
    expect(messageIdsIn('a@b <has space@x> <>')).toEqual([]);
    expect(messageIdsIn(`<${'x'.repeat(501)}>`)).toEqual([]);
    expect(messageIdsIn(undefined)).toEqual([]);
  });

  it('knows its own replies by their organisation', () => {
    const organizationId = '019aa000-0000-7000-8000-000000000001';
    const id = replyMessageId(organizationId, 'message-1');
    expect(organizationOfReply(id.toUpperCase())).toBe(organizationId);
    expect(organizationOfReply(`${id}.example`)).toBeNull();
    expect(organizationOfReply('a@example.com')).toBeNull();
  });

  it('keeps the first and the newest references of a long thread', () => {
    const ids = Array.from({ length: 100 }, (_, n) => `${n}@x`);
    const references = referencesAfter(ids, 'parent@x');
    expect(references).toHaveLength(30);
    expect([references[0], references.at(-2), references.at(-1)]).toEqual(['0@x', '99@x', 'parent@x']);
    expect(referencesAfter([], 'parent@x')).toEqual(['parent@x']);
    expect(referencesAfter(['a@x', 'parent@x'], 'parent@x')).toEqual(['a@x', 'parent@x']);
  });

  it('numbers a subject once, however often it went to and fro', () => {
    const once = replySubject('AW: Re: Printer on fire', 42);
    expect(once).toBe('Re: Printer on fire [#42]');
    expect(replySubject(once, 42)).toBe(once);
    expect(ticketNumberIn(`Fwd: ${once}`)).toBe(42);
    expect(ticketNumberIn('[#1] then [#2]')).toBe(2);
    expect(ticketNumberIn('no number, # 3')).toBeNull();
  });
});

describe('support addresses', () => {
  const template = 'support@{organization}.example';

  it('lead to the organisation and back', () => {
    expect(slugOf(template, supportAddressOf(template, 'acme'))).toBe('acme');
    expect(slugOf(template, 'Support@ACME.example')).toBe('acme');
    expect(slugOf('{organization}@help.example.com', 'acme@help.example.com')).toBe('acme');
  });

  it.each([
    'sales@acme.example',
    'support@.example',
    'support@acme.example.com',
    'support@a.b.example',
    'support@',
    '',
  ])('are not %p', (address) => expect(slugOf(template, address)).toBeNull());
});

describe('text from outside', () => {
  it('is storable, whatever it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 50 }), (text, max) => {
        for (const clean of [cleanText(text, max), cleanLine(text, max)]) {
          expect(clean.length).toBeLessThanOrEqual(max);
          expect(clean.isWellFormed()).toBe(true);
          expect(clean === '' || prose(max).safeParse(clean).data === clean).toBe(true);
          // oxlint-disable-next-line no-control-regex
          expect(clean).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/);
        }
        const one = cleanLine(text, max);
        expect(one === '' || line(max).safeParse(one).data === one).toBe(true);
      }),
    );
  });

  it('takes no time over marks without end, which composing puts in order', () => {
    const marked = (size: number) => `a${'\u0301\u0323'.repeat(size)}`;
    expect(cleanText(marked(500_000), 20_000).length).toBeLessThan(40);
    expect(prose(20_000).safeParse(marked(500_000)).success).toBe(false);
    expect(growth((size) => cleanText(marked(size), 20_000), 20_000)).toBeLessThan(steepest);
    expect(growth((size) => prose(20_000).safeParse(marked(size)), 20_000)).toBeLessThan(steepest);
    expect(cleanText('Viê\u0323t Nam', 100)).toBe('Việt Nam');
  });

  it('loses half characters, NUL, and marks that turn file names round', () => {
    expect(cleanText('a\u0000b\ud800c\r\nd', 100)).toBe('ab\ufffdc\nd');
    expect(cleanLine('invoice\u202egpj.exe\nBcc: x', 100)).toBe('invoicegpj.exe Bcc: x');
    expect(cleanText('ab😀', 3)).toBe('ab');
    expect(cleanLine('\u200b\u3000', 10)).toBe('');
  });
});
