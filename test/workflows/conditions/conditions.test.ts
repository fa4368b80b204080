import { describe, expect, it } from '@jest/globals';
import { leadConditions } from '../../../workflows/leads/conditions.ts';
import { leadFacts } from '../../../workflows/leads/facts.ts';

const unknownLead = {
  source: null,
  country: null,
  budgetBand: null,
  urgency: null,
  company: null,
  email: null,
  phone: null,
  consent: null,
  utm: null,
};
const context = { emailStatus: 'unknown', ageDays: 0, engagementCount: 0 } as const;
const facts = leadFacts(
  {
    ...unknownLead,
    country: 'DE',
    urgency: 'high',
    email: 'ada@gmail.com',
    consent: { marketing: true },
    utm: { source: 'ads' },
  },
  {
    ...context,
    account: { segment: 'enterprise', industry: null, accountType: 'customer' },
    score: 42,
    band: 'warm',
    ageDays: 3,
  },
);

describe('facts', () => {
  it('are flat and never null', () => {
    expect(facts).toMatchObject({
      country: 'DE',
      freeMail: true,
      emailDomain: 'gmail.com',
      consent: true,
      utmSource: 'ads',
      industry: '',
    });
    const empty = leadFacts(unknownLead, context);
    expect(Object.values(empty)).not.toContain(null);
    expect(empty).toMatchObject({
      hasEmail: false,
      hasPhone: false,
      freeMail: false,
      consent: false,
      score: 0,
      band: '',
    });
  });
});

describe('a condition', () => {
  it.each([
    ['true', true],
    ['country == "DE"', true],
    ["country in ['AT', 'CH']", false],
    ['score >= 40 && band == "warm" || ageDays > 10', true],
    ['freeMail && !hasPhone', true],
    ['emailDomain.endsWith(".com") && size(company) == 0', true],
    ['urgency.upperAscii() == "HIGH" ? score > 40 : false', true],
    [Array.from({ length: 60 }, (_, i) => `score == ${i}`).join(' || '), true],
  ])('%s is %s', (text, matched) => {
    expect(leadConditions.compile(text)).toMatchObject({ ok: true });
    expect(leadConditions.test(text, facts).matched).toBe(matched);
  });

  it('tells which facts it looked at', () => {
    expect(leadConditions.test('score > 50 && country == "DE"', facts).reason).toBe(
      'the condition does not hold (country = "DE", score = 42)',
    );
    expect(leadConditions.test('true', facts).reason).toBe('the condition holds');
  });

  it.each([
    ['', 'the condition is empty', 1],
    ['contry == "DE"', '"contry" is no fact of a lead; did you mean "country"?, at character 1', 1],
    ['colour == "red"', '"colour" is no fact of a lead; facts are source', 1],
    ['country ==', 'the condition ends too early, at character 11', 11],
    ['true &&\n score == "x"', 'do not go together: int == string, in line 2, at character 2', 10],
    ['country', 'gives string, but must be true or false', 1],
    ['hasEmail && country.matches("(a+)+$")', 'matches() is not available', 13],
    ['[1, 2].all(a, [3].all(b, a < b))', 'all() is not available', 1],
    ['cel.bind(a, country, a == "DE")', 'bind() is not available', 1],
    [`country == "${'x'.repeat(2000)}"`, 'longer than 2000 characters', 2001],
    [`${'('.repeat(100)}true${')'.repeat(100)}`, 'nested too deeply', 41],
  ])('%s is refused', (text, message, position) => {
    const compilation = leadConditions.compile(text);
    expect(compilation).toMatchObject({ ok: false, problems: [{ message: expect.stringContaining(message) }] });
    if (!compilation.ok && position > 1) expect(compilation.problems[0]?.position).toBe(position);
    expect(leadConditions.test(text, facts)).toEqual({
      matched: false,
      reason: expect.stringContaining('is not valid'),
    });
    expect(leadConditions.text.safeParse(text).success).toBe(false);
  });

  it('that cannot be evaluated is a reason, not an exception', () => {
    const { matched, reason } = leadConditions.test('100 / engagementCount > 3', facts);
    expect(matched).toBe(false);
    expect(reason).toContain('could not be evaluated: division by zero');
  });

  it.each([
    ['true', true],
    ['false && country == "DE"', false],
    ['country == "DE" || !(1 > 2)', true],
    ['1 / 0 > 1', null],
    ['score > 3 && true', null],
    ['"a" in ["a", "b"]', true],
  ])('%s is constant: %s', (text, constant) => {
    expect(leadConditions.compile(text)).toMatchObject({ ok: true, condition: { constant } });
  });

  it('is compiled once, among the last five hundred', () => {
    const first = leadConditions.compile('score > 1000');
    expect(leadConditions.compile('score > 1000')).toBe(first);
    for (let i = 0; i < 500; i++) leadConditions.compile(`score > ${i}`);
    expect(leadConditions.compile('score > 1000')).not.toBe(first);
  });

  it('is text', () => {
    expect(leadConditions.text.safeParse(4).error?.issues[0]?.message).toContain('must be a condition in CEL');
    expect(leadConditions.text.parse('country == "DE"')).toBe('country == "DE"');
  });
});
