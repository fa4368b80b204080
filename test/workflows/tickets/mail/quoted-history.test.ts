import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { growth, steepest } from '../../../support/growth.ts';
import { withoutHistory } from '../../../../workflows/tickets/mail/quoted-history.ts';

const said = 'It works now, thank you.\n\nAda';

describe('what is new in a mail', () => {
  it.each([
    [
      'an English attribution',
      'On Fri, 20 Nov 2026 at 10:12, Support <support@acme.example> wrote:\n> Try again.\n> Sam',
    ],
    ['a German one', 'Am 20.11.2026 um 10:12 schrieb Support:\n> Bitte noch einmal.'],
    ['a French one', 'Le ven. 20 nov. 2026 à 10:12, Support <s@acme.example> a écrit :\n> Encore une fois.'],
    [
      'one broken over two lines',
      'On Fri, 20 Nov 2026 at 10:12, Support\n<support@acme.example> wrote:\n\n> Try again.',
    ],
    ['one before text that is not marked', 'On Fri, 20 Nov 2026, Support wrote:\n\nTry again.\nSam'],
    ['Outlook’s original message', '-----Original Message-----\nFrom: Support\nSent: Friday\n\nTry again.'],
    [
      'Outlook’s rule and header',
      '________________________________\nFrom: Support\nSent: Friday\nTo: Ada\nSubject: Re: x\n\nTry.',
    ],
    ['a header without a rule', 'Von: Support\nGesendet: Freitag\nAn: Ada\nBetreff: Re: x\n\nNoch einmal.'],
    ['marked lines alone', '> Try again.\n>\n>> Please help.'],
    ['a signature', '-- \nAda Lovelace\nAnalytical Engines'],
  ])('ends before %s', (_what, history) => {
    expect(withoutHistory(`${said}\n\n${history}`)).toBe(said);
  });

  it('keeps answers between the lines that they answer', () => {
    const text = 'See below.\n\nOn Friday, Support wrote:\n> Is it plugged in?\nYes.\n> Is it on?\nNo.';
    expect(withoutHistory(text)).toBe('See below.\n\nYes.\nNo.');
  });

  it('keeps a forwarded mail, which is the news', () => {
    const text = 'Please look.\n\n---------- Forwarded message ---------\nThe shop is closed.';
    expect(withoutHistory(text)).toBe(text);
  });

  it('keeps sentences that only look like it', () => {
    const text = 'On Monday I wrote to you.\nFrom: nowhere\nthat is all';
    expect(withoutHistory(text)).toBe(text);
  });

  it('gives everything when nothing else would be left', () => {
    expect(withoutHistory('> only a quote')).toBe('> only a quote');
    expect(withoutHistory('-- \nAda')).toBe('-- \nAda');
  });

  const line = fc.oneof(
    fc.string(),
    fc.constantFrom('> quoted', '-- ', 'On Friday, Support wrote:', 'From: a', 'Sent: b', 'To: c', '_'.repeat(12), ''),
  );

  it('only ever leaves lines out, and never all that says something', () => {
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const text = lines.join('\n');
        const fresh = withoutHistory(text);
        const rest = text.split('\n').map((each) => each.trim());
        for (const each of fresh.split('\n')) {
          const at = rest.indexOf(each.trim());
          expect(at).toBeGreaterThanOrEqual(0);
          rest.splice(0, at + 1);
        }
        expect(fresh === '').toBe(text.trim() === '');
      }),
    );
  });

  it('takes no time over a hostile mail', () => {
    for (const part of ['On ', `${'On a '.repeat(20)}\n`, '>', 'From: a\n'])
      expect([part, growth((size) => withoutHistory(part.repeat(size)), 2_000) < steepest]).toEqual([part, true]);
  });
});
