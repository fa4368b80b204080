import { describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { captureBody } from '../../../workflows/leads/capture.ts';
import { type Comparable, compareWithCandidate } from '../../../workflows/leads/duplicates.ts';
import { foldText } from '../../../workflows/leads/name-keys.ts';
import { normaliseIntake } from '../../../workflows/leads/normalisation.ts';
import { jaroWinkler, nameSimilarity, typingErrors } from '../../../workflows/text/similarity.ts';

const nobody: Comparable = { normalizedName: null, email: null, phone: null, normalizedCompany: null };
const ada: Comparable = {
  normalizedName: 'ada lovelace',
  email: 'ada@example.com',
  phone: '+4930901820',
  normalizedCompany: 'analytical engines',
};

describe('similarity', () => {
  it.each([
    ['martha', 'marhta', 0.961],
    ['dwayne', 'duane', 0.84],
    ['dixon', 'dicksonx', 0.813],
    ['abc', 'xyz', 0],
    ['', '', 1],
    ['a', '', 0],
  ])('of %s and %s by Jaro and Winkler is %d', (a, b, similarity) => {
    expect(jaroWinkler(a, b)).toBeCloseTo(similarity, 3);
  });

  it.each([
    ['kitten', 'sitting', 3],
    ['4811642', '4811624', 1],
    ['abc', '', 3],
    ['abc', 'abc', 0],
  ])('between %s and %s counts %d typing errors', (a, b, errors) => {
    expect(typingErrors(a, b)).toBe(errors);
  });

  it('does not mind which name comes first', () => {
    expect(nameSimilarity('berry lachlan', 'lachlan berry')).toBe(1);
  });

  it('is symmetric and within its bounds', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const similarity = jaroWinkler(a, b);
        expect(similarity).toBeGreaterThanOrEqual(0);
        expect(similarity).toBeLessThanOrEqual(1);
        expect(typingErrors(a, b)).toBe(typingErrors(b, a));
        expect(typingErrors(a, b) === 0).toBe(a === b);
      }),
    );
  });
});

describe('comparing a capture with a candidate', () => {
  it.each<[string, Partial<Comparable>, 'exact' | 'likely' | 'none']>([
    ['same mail', { email: ada.email, normalizedName: 'someone else' }, 'exact'],
    ['same phone and name', { phone: ada.phone, normalizedName: 'lovelace ada' }, 'exact'],
    ['same phone, similar name', { phone: ada.phone, normalizedName: 'ada lovelacee' }, 'likely'],
    ['same phone alone', { phone: ada.phone, normalizedName: 'charles babbage' }, 'likely'],
    ['similar name and company', { normalizedName: 'ada lovlace', normalizedCompany: 'analytical engine' }, 'likely'],
    ['similar name, mistyped mail', { normalizedName: 'ada lovelace', email: 'ada@exmaple.com' }, 'likely'],
    ['same name, mistyped phone', { normalizedName: 'ada lovelace', phone: '+4930901821' }, 'likely'],
    ['same name alone', { normalizedName: 'ada lovelace', email: 'al@other.example' }, 'none'],
    ['same company alone', { normalizedName: 'charles babbage', normalizedCompany: 'analytical engines' }, 'none'],
    ['nothing known', {}, 'none'],
  ])('with %s', (_, known, verdict) => {
    const comparison = compareWithCandidate(ada, { ...nobody, ...known });
    expect(comparison.verdict).toBe(verdict);
    expect(comparison.confidence > 0).toBe(verdict !== 'none');
    expect(comparison.reason).not.toBe('');
  });

  it('names the fields that both know, with their similarity', () => {
    expect(compareWithCandidate(ada, { ...nobody, email: ada.email, normalizedName: 'ada lovelaec' }).fields).toEqual([
      { field: 'name', similarity: expect.any(Number), matched: true },
      { field: 'email', similarity: 1, matched: true },
    ]);
  });
});

describe('on the FEBRL data', () => {
  const rows: Record<string, string>[] = parse(readFileSync('test/data/febrl-1.csv'), { columns: true, trim: true });
  const people = rows.map((row) => {
    const body = captureBody.parse({
      fullName: `${row['given_name']} ${row['surname']}`.trim() || 'unknown',
      email: `p${row['soc_sec_id']}@febrl.example`,
      phone: `+61 40 ${row['soc_sec_id']}`,
      country: 'AU',
    });
    const { intake, errors } = normaliseIntake(body, { defaultRegion: 'AU' });
    const personal = {
      dateOfBirth: row['date_of_birth'],
      streetNumber: row['street_number'],
      street: foldText(row['address_1'] ?? ''),
      city: foldText(row['suburb'] ?? ''),
      region: row['state'],
      postcode: row['postcode'],
    };
    return { truth: row['rec_id']?.split('-')[1], intake, personal, errors };
  });
  type Row = (typeof people)[number];

  /** Pairs of rows that agree in one of the blocking keys, as an index look-up would find them. */
  function pairs(keys: ((row: Row) => string | null | undefined)[]): [Row, Row][] {
    const found = new Map<string, [Row, Row]>();
    for (const key of keys) {
      for (const block of Map.groupBy(people.filter(key), key).values()) {
        for (const [i, a] of block.entries()) {
          for (const b of block.slice(i + 1)) found.set([people.indexOf(a), people.indexOf(b)].join(), [a, b]);
        }
      }
    }
    return [...found.values()];
  }

  function measure(candidates: [Row, Row][], comparable: (row: Row) => Comparable) {
    const known = candidates.map(([a, b]) => ({
      verdict: compareWithCandidate(comparable(a), comparable(b)).verdict,
      isSame: a.truth === b.truth,
    }));
    const found = known.filter(({ verdict }) => verdict !== 'none');
    const hits = found.filter(({ isSame }) => isSame).length;
    const precision = hits / found.length;
    const recall = hits / 500;
    const mergedByMistake = known.filter(({ verdict, isSame }) => verdict === 'exact' && !isSame).length;
    return { precision, recall, f1: (2 * precision * recall) / (precision + recall), mergedByMistake };
  }

  const contact: ((row: Row) => string | null)[] = [
    ({ intake }) => intake.email,
    ({ intake }) => intake.phone,
    ({ intake }) => intake.normalizedName,
  ];

  it('takes every row', () => {
    expect(people.flatMap(({ errors }) => errors)).toEqual([]);
    expect(people).toHaveLength(1000);
  });

  it('finds the duplicates by name, mail and phone, and merges no two people', () => {
    const { precision, recall, f1, mergedByMistake } = measure(pairs(contact), ({ intake }) => intake);
    expect(mergedByMistake).toBe(0);
    expect(precision).toBeGreaterThanOrEqual(0.99);
    expect(recall).toBeGreaterThanOrEqual(0.92);
    expect(f1).toBeGreaterThanOrEqual(0.96);
  });

  it('finds nearly all of them when date of birth and address are known', () => {
    const candidates = pairs([...contact, ({ personal }) => personal.dateOfBirth, ({ personal }) => personal.postcode]);
    const { precision, recall, f1, mergedByMistake } = measure(candidates, ({ intake, personal }) => ({
      ...intake,
      personal,
    }));
    expect(mergedByMistake).toBe(0);
    expect(precision).toBeGreaterThanOrEqual(0.99);
    expect(recall).toBeGreaterThanOrEqual(0.99);
    expect(f1).toBeGreaterThanOrEqual(0.99);
  });
});
