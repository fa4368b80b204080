import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import { inOrganization } from '../../db/database.ts';
import { baseColumns } from '../../db/model/changes.ts';
import type { Filter, FilterOperator } from '../../db/model/filters.ts';
import { insertRows } from '../../db/model/set-based.ts';
import { adminOf, makeOrganization, type TestOrganization } from '../support/factories.ts';
import { databaseFixture, refusalOf } from './database-fixture.ts';
import { addSpecimens, Specimen, specimens } from './specimen.ts';

const fixture = databaseFixture(addSpecimens);
let org: TestOrganization;

interface Row extends Record<string, unknown> {
  id: string;
}

const tokens = Array.from({ length: 5 }, () => uuidv7());
const instants = [
  '2026-01-01T00:00:00.000Z',
  '2026-01-01T00:00:00.001Z',
  '2026-06-30T23:59:59.999Z',
  '0001-01-01T00:00:00.000Z',
  '9999-12-31T23:59:59.999Z',
];
const dates = ['2024-02-29', '2026-01-01', '0001-01-01', '9999-12-31'];
const texts = ['a', 'A', 'ab%', 'a_b', 'a\\b', '%', "o'neil", '"q"', 'é', 'null', 'x', ' '];
const shares = [0, 0.1, 0.25, 1];

const orNull = <T>(values: readonly T[], index: number): T | null =>
  index % (values.length + 1) === values.length ? null : (values[index % (values.length + 1)] ?? null);
const rows: Row[] = Array.from({ length: 60 }, (_, index) => ({
  id: uuidv7(),
  label: texts[index % texts.length],
  remark: orNull(texts, index),
  token: index < tokens.length ? tokens[index] : null,
  amount: (index % 7) - 3,
  share: orNull(shares, index),
  checked: index % 2 === 0,
  seenAt: instants[index % instants.length],
  bornOn: orNull(dates, index),
  state: ['fresh', 'dried', 'lost'][index % 3],
  labels: [[], ['a'], ['a', 'b%'], ["it's", 'null']][index % 4],
  notes: index % 2 === 0 ? { a: 1 } : null,
  accountId: null,
}));

beforeAll(async () => {
  org = await makeOrganization(fixture.app);
  const base = baseColumns({ organizationId: org.id, actor: adminOf(org), at: new Date() });
  await inOrganization(fixture.app, org.id, (em) =>
    insertRows(em, [{ into: Specimen, rows: rows.map((row) => ({ ...base, ...row })) }]),
  );
});

const list = (filters: readonly Filter[]) =>
  org.records.list(adminOf(org), specimens, { filters, sort: [], limit: 200, fields: ['label'] });
const found = async (filters: readonly Filter[]) => (await list(filters)).data.map(({ id }) => String(id)).toSorted();

/** What a filter means, told in JavaScript. */
function matches(row: Row, { field, op, value: text }: Filter): boolean {
  const stored = row[field];
  const given = (one: string): unknown => {
    if (typeof stored === 'number') return Number(one);
    return typeof stored === 'boolean' ? one === 'true' : one;
  };
  if (op === 'null') return (stored === null) === (text === 'true');
  if (op === 'ne') return stored === null || stored !== given(text);
  if (stored === null) return false;
  const value = given(text) as string;
  const comparable = stored as string;
  switch (op) {
    case 'eq':
      return comparable === value;
    case 'in':
      return text.split(',').some((one) => given(one) === stored);
    case 'gt':
      return comparable > value;
    case 'gte':
      return comparable >= value;
    case 'lt':
      return comparable < value;
    case 'lte':
      return comparable <= value;
    case 'starts':
      return comparable.toLowerCase().startsWith(text.toLowerCase());
    case 'contains':
      return Array.isArray(stored) ? stored.includes(text) : comparable.toLowerCase().includes(text.toLowerCase());
  }
}

const exact: readonly FilterOperator[] = ['eq', 'ne', 'in'];
const ordered: readonly FilterOperator[] = [...exact, 'gt', 'gte', 'lt', 'lte'];
const textual: readonly FilterOperator[] = [...exact, 'contains', 'starts'];

const filterOn = (field: string, operators: readonly FilterOperator[], values: readonly string[]) =>
  fc.oneof(
    fc
      .tuple(fc.constantFrom(...operators), fc.array(fc.constantFrom(...values), { minLength: 1, maxLength: 4 }))
      .map(([op, chosen]): Filter => ({ field, op, value: op === 'in' ? chosen.join(',') : (chosen[0] ?? '') })),
    fc.constantFrom('true', 'false').map((value): Filter => ({ field, op: 'null', value })),
  );

const filter = fc.oneof(
  filterOn('label', textual, texts),
  filterOn('remark', textual, texts),
  filterOn('token', exact, [...tokens, uuidv7()]),
  filterOn('amount', ordered, ['-3', '0', '3', '2147483647']),
  filterOn('share', ordered, ['0', '0.1', '0.25', '0.5', '1']),
  filterOn('checked', ['eq', 'ne'], ['true', 'false']),
  filterOn('seenAt', ordered, instants),
  filterOn('bornOn', ordered, dates),
  filterOn('state', exact, ['fresh', 'dried', 'lost']),
  filterOn('labels', ['contains'], ['a', 'b%', '%', "it's", 'b', 'null', '{', '"']),
  filterOn('notes', ['null'] as const, ['true', 'false']),
);

describe('filters', () => {
  it('find what they say, of every kind of column, alone and together', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(filter, { minLength: 1, maxLength: 3 }), async (filters) => {
        const expected = rows.filter((row) => filters.every((one) => matches(row, one))).map(({ id }) => id);
        expect(await found(filters)).toEqual(expected.toSorted());
      }),
      { numRuns: 100 },
    );
  });

  it('take any text for a text', async () => {
    const operator = fc.constantFrom<FilterOperator>('eq', 'ne', 'contains', 'starts');
    await fc.assert(
      fc.asyncProperty(operator, fc.string({ unit: 'grapheme', maxLength: 40 }), async (op, value) => {
        if (value.includes('\u0000')) return;
        const expected = rows.filter((row) => matches(row, { field: 'label', op, value })).length;
        if (op === 'eq' || op === 'ne') expect(await found([{ field: 'label', op, value }])).toHaveLength(expected);
        else await found([{ field: 'label', op, value }]);
      }),
      { numRuns: 50 },
    );
  });

  it.each<[string, FilterOperator, string]>([
    ['label', 'eq', 'a\u0000'],
    ['label', 'contains', '\u0000'],
    ['label', 'starts', 'x'.repeat(501)],
    ['label', 'gt', 'a'],
    ['label', 'null', 'perhaps'],
    ['amount', 'eq', '1e400'],
    ['amount', 'eq', '1e3'],
    ['amount', 'eq', '0x10'],
    ['amount', 'eq', ''],
    ['amount', 'eq', ' '],
    ['amount', 'eq', 'NaN'],
    ['amount', 'gt', '1.5'],
    ['amount', 'gt', '2147483648'],
    ['amount', 'in', '1,,2'],
    ['amount', 'contains', '1'],
    ['share', 'lt', 'Infinity'],
    ['share', 'lt', '--1'],
    ['checked', 'eq', '1'],
    ['checked', 'eq', 'TRUE'],
    ['seenAt', 'gt', 'yesterday'],
    ['seenAt', 'gt', '2026-13-01T00:00:00Z'],
    ['seenAt', 'gt', '0000-01-01T00:00:00Z'],
    ['seenAt', 'gt', '0001-01-01T00:00:00+05:00'],
    ['seenAt', 'gt', '9999-12-31T23:59:59-05:00'],
    ['bornOn', 'eq', '2026-02-29'],
    ['bornOn', 'eq', '0000-01-01'],
    ['token', 'eq', 'not-a-uuid'],
    ['token', 'in', `${tokens[0]},x`],
    ['token', 'gt', tokens[0] ?? ''],
    ['accountId', 'eq', "' or 1=1 --"],
    ['state', 'eq', 'eaten'],
    ['state', 'in', 'fresh,eaten'],
    ['notes', 'eq', '{"a":1}'],
    ['labels', 'eq', 'a'],
    ['label', 'in', Array.from({ length: 101 }, () => 'a').join(',')],
    ['id', 'eq', tokens[0] ?? ''],
    ['organizationId', 'eq', tokens[0] ?? ''],
    ['searchText', 'contains', 'a'],
    ['constructor', 'eq', 'a'],
    ['__proto__', 'eq', 'a'],
  ])('refuse %s %s %j', async (field, op, value) => {
    const { code, errors } = await refusalOf(list([{ field, op, value }]));
    expect(code).toBe('invalid');
    expect(errors).toEqual([{ path: `filter[${field}][${op}]`, message: expect.any(String) }]);
  });
});
