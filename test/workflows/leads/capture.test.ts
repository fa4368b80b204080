import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { captureBody } from '../../../workflows/leads/capture.ts';
import { growth, steepest } from '../../support/growth.ts';

const minimal = { fullName: 'Ada Lovelace', email: 'ada@example.com' };

/** What is wrong with a body, as `path: message`. */
function complaints(body: unknown): string[] {
  const parsed = captureBody.safeParse(body);
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('the body of a capture', () => {
  it('takes everything a website form may know', () => {
    const body = {
      ...minimal,
      phone: '030 901820',
      company: 'Analytical Engines Ltd',
      source: 'website',
      sourceRef: 'contact/17',
      country: 'DE',
      budgetBand: '10k-50k',
      urgency: 'high',
      message: 'Dear all,\n\n\tplease call.',
      consent: { marketing: true, sms: false, text: 'I agree.', givenAt: '2026-11-21T09:30:00+01:00' },
      utm: { source: 'newsletter', campaign: 'autumn' },
      externalRefs: [{ system: 'cms', externalId: '17' }],
    };
    expect(captureBody.parse(body)).toEqual(body);
  });

  it.each([
    [{ firstName: 'Ada', phone: '+4930901820' }],
    [{ lastName: 'Lovelace', email: 'ada@example.com', consent: true }],
    [{ fullName: ' Ada ', email: '  Ada.Lovelace+crm@Bücher.Example ' }],
    [{ fullName: 'नमस्ते', email: "o'brien@xn--bcher-kva.example" }],
    [{ fullName: '𝒜'.repeat(200), email: 'ada@sub.domain.museum' }],
  ])('takes %j', (body) => {
    expect(complaints(body)).toEqual([]);
  });

  it.each([
    [{ ...minimal, email: undefined }, 'email: is missing, and so is phone'],
    [{ email: 'ada@example.com' }, 'fullName: is missing: send fullName'],
    [{ ...minimal, email: 'ada' }, 'email: must be an e-mail address'],
    [{ ...minimal, email: 'ada@localhost' }, 'email: must be an e-mail address'],
    [{ ...minimal, email: 'a..b@example.com' }, 'email: must be an e-mail address'],
    [{ ...minimal, email: 'ada@exa mple.com' }, 'email: must be an e-mail address'],
    [{ ...minimal, email: 'ada@example.com\n' }, 'email: must be an e-mail address'],
    [{ ...minimal, email: '' }, 'email: must not be empty; leave the field out'],
    [{ ...minimal, email: 4 }, 'email: must be text'],
    [{ ...minimal, fullName: '   ' }, 'fullName: must not be empty'],
    [{ ...minimal, fullName: '\u200b\u202e' }, 'fullName: must not be empty'],
    [{ ...minimal, fullName: 'Ada\nLovelace' }, 'fullName: must be a single line without control characters'],
    [{ ...minimal, fullName: 'Ada\u0000' }, 'fullName: must be a single line without control characters'],
    [{ ...minimal, fullName: 'Ada\ud800' }, 'fullName: must be a single line without control characters'],
    [{ ...minimal, fullName: 'a'.repeat(201) }, 'fullName: must be at most 200 characters long'],
    [{ ...minimal, message: 'bell \u0007' }, 'message: must not hold control characters other than'],
    [{ ...minimal, message: 'a'.repeat(5001) }, 'message: must be at most 5000 characters long'],
    [{ ...minimal, country: 'de' }, 'country: must be a country code of two capital letters'],
    [{ ...minimal, country: 'ZZ' }, 'country: must be a country code'],
    [{ ...minimal, urgency: 'urgent' }, 'urgency: must be one of low, medium, high'],
    [{ ...minimal, consent: 'yes' }, 'consent: must be true, false, or an object'],
    [{ ...minimal, utm: 'newsletter' }, 'utm: must be an object of source'],
    [{ ...minimal, externalRefs: [{ system: 'cms' }] }, 'externalRefs.0.externalId: must be text'],
    [{ ...minimal, externalRefs: {} }, 'externalRefs: must be a list'],
    [{ ...minimal, score: 90 }, ': Unrecognized key: "score"'],
    [[], ': must be a JSON object'],
  ])('refuses %j', (body, complaint) => {
    expect(complaints(body)).toEqual([expect.stringContaining(complaint)]);
  });

  it('publishes the very patterns it enforces', () => {
    const { properties } = z.toJSONSchema(captureBody);
    for (const name of ['fullName', 'email', 'phone', 'message']) {
      const { pattern, maxLength } = z.object({ pattern: z.string(), maxLength: z.int() }).parse(properties?.[name]);
      const published = new RegExp(pattern, 'u');
      fc.assert(
        fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.emailAddress()), (text) => {
          const body = { fullName: 'Ada', email: 'a@b.example', phone: '1', [name]: text };
          expect(published.test(text) && Array.from(text).length <= maxLength).toBe(complaints(body).length === 0);
        }),
      );
    }
  });

  it('answers hostile text quickly', () => {
    for (const hostile of [(size: number) => `a@${'a-'.repeat(size)}!`, (size: number) => `${'a.'.repeat(size)}@`]) {
      expect(complaints({ fullName: 'Ada', email: hostile(120) })).not.toEqual([]);
      expect(growth((size) => complaints({ fullName: 'Ada', email: hostile(size) }), 30)).toBeLessThan(steepest);
    }
  });
});
