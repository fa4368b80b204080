import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import { users } from '../../db/access/user.ts';
import { inOrganization } from '../../db/database.ts';
import { tags } from '../../db/engagement/tag.ts';
import { baseColumns } from '../../db/model/changes.ts';
import type { SortKey } from '../../db/model/cursors.ts';
import { Problem } from '../../db/model/problem.ts';
import { insertRows } from '../../db/model/set-based.ts';
import { adminOf, make, makeOrganization, makeUser, type TestOrganization } from '../support/factories.ts';
import { databaseFixture, refusalCode } from './database-fixture.ts';
import { addSpecimens, Specimen, specimens } from './specimen.ts';

const fixture = databaseFixture(addSpecimens);
const rowCount = 60;
let org: TestOrganization;

const list = (sort: SortKey[], limit: number, cursor?: string) =>
  org.records.list(adminOf(org), specimens, { filters: [], sort, limit, cursor, fields: ['label', 'amount'] });

/** Every identifier, page by page. */
async function walk(sort: SortKey[], limit: number): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages <= rowCount; pages += 1) {
    const page = await list(sort, limit, cursor);
    ids.push(...page.data.map(({ id }) => String(id)));
    expect(page.hasMore).toBe(page.nextCursor !== null);
    if (page.nextCursor === null) return ids;
    cursor = page.nextCursor;
  }
  throw new Error('The cursor goes round in circles');
}

beforeAll(async () => {
  org = await makeOrganization(fixture.app);
  // Few values, so that most rows tie with others in every key.
  const rows = Array.from({ length: rowCount }, (_, index) => ({
    id: uuidv7(),
    ...baseColumns({
      organizationId: org.id,
      actor: adminOf(org),
      at: new Date(Date.UTC(2026, 0, 1, 0, 0, index % 4, index % 3)),
    }),
    label: ['', 'ä', 'a', 'B', '"quoted", \\ and % _'][index % 5],
    amount: (index % 3) - 1,
    checked: index % 2 === 0,
    seenAt: new Date(Date.UTC(2026, index % 2, 1)),
    state: ['fresh', 'dried', 'lost'][index % 3],
    labels: [],
  }));
  await inOrganization(fixture.app, org.id, (em) => insertRows(em, [{ into: Specimen, rows }]));
});

const sortKey = fc.record({
  field: fc.constantFrom(...specimens.sortable),
  direction: fc.constantFrom('asc' as const, 'desc' as const),
});
const sorts = fc.uniqueArray(sortKey, { maxLength: 4, selector: ({ field }) => field });

describe('keyset cursors', () => {
  it('give every row once and in order, over ties, in one direction or several', async () => {
    await fc.assert(
      fc.asyncProperty(sorts, fc.integer({ min: 4, max: 25 }), async (sort, limit) => {
        const whole = (await list(sort, 200)).data.map(({ id }) => String(id));
        expect(new Set(whole).size).toBe(rowCount);
        expect(await walk(sort, limit)).toEqual(whole);
      }),
      { numRuns: 40 },
    );
  });

  it('read the same backwards when every direction is turned', async () => {
    const sort: SortKey[] = [
      { field: 'amount', direction: 'asc' },
      { field: 'label', direction: 'desc' },
    ];
    const turned: SortKey[] = [
      { field: 'amount', direction: 'desc' },
      { field: 'label', direction: 'asc' },
    ];
    expect((await walk(sort, 7)).toReversed()).toEqual(await walk(turned, 11));
    const { data } = await list(sort, 200);
    const amounts = data.map(({ amount }) => Number(amount));
    expect(amounts).toEqual(amounts.toSorted((a, b) => a - b));
  });

  it('show rows made meanwhile neither twice nor instead of others', async () => {
    const meanwhile = await makeOrganization(fixture.app);
    for (const name of ['a', 'b', 'c', 'd']) await make(meanwhile, tags, { name });
    const page = { filters: [], sort: [{ field: 'name', direction: 'asc' as const }], limit: 2 };
    const first = await meanwhile.records.list(adminOf(meanwhile), tags, page);
    for (const name of ['aa', 'bb']) await make(meanwhile, tags, { name });
    const second = await meanwhile.records.list(adminOf(meanwhile), tags, {
      ...page,
      limit: 10,
      cursor: first.nextCursor ?? '',
    });
    // A row made before the place where reading had come to is not seen any more; one made after it is.
    expect([...first.data, ...second.data].map(({ name }) => name)).toEqual(['a', 'b', 'bb', 'c', 'd']);
  });
});

describe('a cursor that is none of this list', () => {
  const encode = (...parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString('base64url');

  it('is refused from another order or another resource', async () => {
    const { nextCursor } = await list([{ field: 'createdAt', direction: 'desc' }], 1);
    expect(nextCursor).not.toBeNull();
    await expect(list([], 1, nextCursor ?? '')).resolves.toHaveProperty('data');
    expect(await refusalCode(list([{ field: 'createdAt', direction: 'asc' }], 1, nextCursor ?? ''))).toBe(
      'invalid_cursor',
    );
    expect(await refusalCode(list([{ field: 'label', direction: 'desc' }], 1, nextCursor ?? ''))).toBe(
      'invalid_cursor',
    );
    await makeUser(org);
    await makeUser(org);
    const { nextCursor: ofUsers } = await org.records.list(adminOf(org), users, { filters: [], sort: [], limit: 1 });
    expect(await refusalCode(list([], 1, ofUsers ?? ''))).toBe('invalid_cursor');
  });

  it.each([
    '',
    'x',
    '%%%',
    'bm90IGpzb24',
    encode(),
    encode(null),
    Buffer.from('{"a":1}').toString('base64url'),
    'A'.repeat(2000),
  ])('is refused when it is %j', async (cursor) => {
    expect(await refusalCode(list([], 5, cursor))).toBe('invalid_cursor');
  });

  const id = uuidv7();
  it.each([
    ['a year without four digits', 'seenAt', '+275760-09-13T00:00:00.000Z'],
    ['the year zero', 'seenAt', '0000-01-01T00:00:00.000Z'],
    ['a day that is none', 'seenAt', '2026-02-30T00:00:00.000Z'],
    ['a number for an instant', 'seenAt', 5],
    ['a text for a number', 'amount', 'many'],
    ['a fraction for an integer', 'amount', 1.5],
    ['a number beyond integers', 'amount', 1e300],
    ['an unknown choice', 'state', 'eaten'],
    ['a number for a flag', 'checked', 1],
    ['NUL in a text', 'label', 'a\u0000b'],
    ['nothing', 'label', null],
    ['an object', 'label', { $ne: null }],
  ])('is refused for %s', async (_what, field, value) => {
    const sort: SortKey[] = [{ field, direction: 'asc' }];
    const { nextCursor } = await list(sort, 1);
    const [signature] = JSON.parse(Buffer.from(nextCursor ?? '', 'base64url').toString()) as string[];
    expect(await refusalCode(list(sort, 1, encode(signature, value, id)))).toBe('invalid_cursor');
    expect(await refusalCode(list(sort, 1, encode(signature, value, id, id)))).toBe('invalid_cursor');
    expect(await refusalCode(list(sort, 1, encode(signature, value)))).toBe('invalid_cursor');
  });

  it('is refused, or read as a place in the list, whatever it holds', async () => {
    const sort: SortKey[] = [
      { field: 'label', direction: 'asc' },
      { field: 'amount', direction: 'desc' },
    ];
    const { nextCursor } = await list(sort, 1);
    const [signature] = JSON.parse(Buffer.from(nextCursor ?? '', 'base64url').toString()) as string[];
    const value = fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' }), fc.integer(), fc.uuid());
    await fc.assert(
      fc.asyncProperty(value, value, value, async (label, amount, last) => {
        await list(sort, 5, encode(signature, label, amount, last)).catch((error: unknown) => {
          if (!(error instanceof Problem) || error.code !== 'invalid_cursor') throw error;
        });
      }),
      { numRuns: 150 },
    );
  });
});
