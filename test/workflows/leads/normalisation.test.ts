import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { captureBody } from '../../../workflows/leads/capture.ts';
import { countryCodes } from '../../../workflows/leads/countries.ts';
import { companyNameKey, personNameKey } from '../../../workflows/leads/name-keys.ts';
import { normaliseEmail, normaliseIntake, normalisePhone, splitName } from '../../../workflows/leads/normalisation.ts';

const normalise = (body: unknown, defaultRegion = 'DE') => normaliseIntake(captureBody.parse(body), { defaultRegion });

describe('normalisation of a capture', () => {
  it('gives one spelling to each field and tells every change', () => {
    const { intake, steps, errors } = normalise({
      fullName: '  Rene\u0301e   van der\u00a0Berg ',
      email: ' Renee@Bücher.Example ',
      phone: '(030) 901-820',
      company: ' Müller &  Söhne GmbH & Co. KG',
      message: 'Hello\r\nworld \n',
      consent: true,
      externalRefs: [
        { system: 'cms', externalId: '17 ' },
        { system: 'cms', externalId: '17' },
      ],
    });
    expect(errors).toEqual([]);
    expect(intake).toEqual({
      fullName: 'Renée van der Berg',
      firstName: 'Renée',
      lastName: 'van der Berg',
      normalizedName: 'renee van der berg',
      email: 'renee@xn--bcher-kva.example',
      phone: '+4930901820',
      company: 'Müller & Söhne GmbH & Co. KG',
      normalizedCompany: 'muller sohne',
      source: null,
      sourceRef: null,
      country: null,
      budgetBand: null,
      urgency: null,
      message: 'Hello\nworld',
      consent: { marketing: true },
      utm: null,
      externalRefs: [{ system: 'cms', externalId: '17' }],
    });
    expect(steps).toContainEqual({
      field: 'phone',
      from: '(030) 901-820',
      to: '+4930901820',
      rule: 'E.164, read as a number of DE',
    });
    expect(steps.map(({ field }) => field)).toEqual(['fullName', 'fullName', 'company', 'email', 'phone']);
  });

  it('joins and turns names', () => {
    expect(normalise({ firstName: 'Ada', lastName: 'Lovelace', email: 'a@b.example' }).intake.fullName).toBe(
      'Ada Lovelace',
    );
    const turned = normalise({ fullName: 'Lovelace, Ada', email: 'a@b.example' }).intake;
    expect(turned).toMatchObject({ fullName: 'Ada Lovelace', firstName: 'Ada', lastName: 'Lovelace' });
    const both = normalise({ fullName: 'Countess Lovelace', lastName: 'Lovelace', email: 'a@b.example' }).intake;
    expect(both).toMatchObject({ fullName: 'Countess Lovelace', firstName: null, lastName: 'Lovelace' });
    expect(splitName('Madonna')).toEqual({ firstName: null, lastName: 'Madonna' });
    expect(splitName('Van Gogh')).toEqual({ firstName: 'Van', lastName: 'Gogh' });
  });

  it('reads a phone by the country, then by the default region', () => {
    expect(normalise({ fullName: 'A', phone: '020 7946 0018', country: 'GB' }).intake.phone).toBe('+442079460018');
    expect(normalise({ fullName: 'A', phone: '030 901820', country: 'MT' }).intake.phone).toBe('+4930901820');
    expect(normalise({ fullName: 'A', phone: '+1 (555) 555-0123' }).intake.phone).toBe('+15555550123');
    expect(normalise({ fullName: 'A', phone: '+61 4 1234 5678', country: 'AQ' }).intake.phone).toBe('+61412345678');
  });

  it.each(['not a phone', '123', '12345', '+999123456789', '+0', '0049', '1'.repeat(30)])(
    'refuses %s, which is a phone nowhere',
    (phone) => {
      const { intake, errors } = normalise({ fullName: 'Ada', email: 'a@b.example', phone, country: 'FR' });
      expect(intake.phone).toBeNull();
      expect(errors).toEqual([{ path: 'phone', message: expect.stringContaining('is no phone number in FR or DE') }]);
    },
  );

  it('refuses a mail domain that cannot exist', () => {
    const { errors } = normalise({ fullName: 'Ada', email: `a@${'a-b'.repeat(25)}.example` });
    expect(errors).toEqual([{ path: 'email', message: expect.stringContaining('whose domain can exist') }]);
    expect(normaliseEmail(`${'a'.repeat(65)}@b.example`)).toBeNull();
  });

  it('is settled after one pass, and fits its columns', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
    const phone = fc.constantFrom('030 901820', '+49 30 901820', '+1 415 555 0123', '0041 44 668 18 00');
    fc.assert(
      fc.property(text, fc.emailAddress(), phone, text, (fullName, email, written, company) => {
        const parsed = captureBody.safeParse({ fullName, email, phone: written, company });
        if (!parsed.success) return;
        const { intake, errors } = normaliseIntake(parsed.data, { defaultRegion: 'DE' });
        if (errors.length > 0) return;
        expect(intake.email).toMatch(/^[a-z0-9!#$%&'*+/=?^_`{|}~.-]+@([a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}$/);
        expect(intake.phone).toMatch(/^\+[1-9][0-9]{6,14}$/);
        expect(Array.from(intake.normalizedName).length).toBeLessThanOrEqual(200);
        expect(normaliseEmail(intake.email ?? '')).toBe(intake.email);
        expect(normalisePhone(intake.phone ?? '', ['FR'])?.phone).toBe(intake.phone);
      }),
    );
  });
});

describe('comparison keys', () => {
  it.each([
    ["Renée O'Brien-Smith", 'renee obrien smith'],
    ['Łukasz Groß', 'lukasz gross'],
    ['Lovelace, Ada', 'ada lovelace'],
    ['Müller', 'Mu\u0308ller'],
    ['山田 太郎', '山田 太郎'],
    ['!!!', '!!!'],
    ['ß'.repeat(200), 's'.repeat(200)],
  ])('of the person %s', (name, key) => {
    expect(personNameKey(name)).toBe(personNameKey(key));
  });

  it.each([
    ['ACME GmbH', 'acme'],
    ['Acme, Inc.', 'acme'],
    ['Acme S.r.l.', 'acme'],
    ['Kowalski Sp. z o.o.', 'kowalski'],
    ['Ford Motor Company', 'ford motor'],
    ['Limited Brands', 'limited brands'],
    ['AG', 'ag'],
  ])('of the company %s', (name, key) => {
    expect(companyNameKey(name)).toBe(key);
  });

  it('knows every country by a name', () => {
    const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });
    expect(countryCodes.filter((code) => names.of(code) === undefined)).toEqual([]);
    expect(new Set(countryCodes).size).toBe(249);
  });
});
