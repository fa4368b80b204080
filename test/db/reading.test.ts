import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { tags } from '../../db/engagement/tag.ts';
import { leads } from '../../db/leads/lead.ts';
import { people } from '../../db/parties/person.ts';
import { accounts } from '../../db/parties/account.ts';
import type { ListQuery } from '../../db/records.ts';
import {
  adminOf,
  makeAccount,
  makeLead,
  makeOrganization,
  makePerson,
  makeUser,
  marketer,
  supporter,
  type TestOrganization,
} from '../support/factories.ts';
import { databaseFixture, refusalCode, refusalOf } from './database-fixture.ts';

const fixture = databaseFixture();
let org: TestOrganization;

const all: ListQuery = { filters: [], sort: [], limit: 50 };
const search = async (q: string) =>
  (await org.records.list(adminOf(org), people, { ...all, q })).data.map(({ fullName }) => String(fullName)).toSorted();

beforeAll(async () => {
  org = await makeOrganization(fixture.app);
  await makePerson(org, { fullName: 'Zoë Müller-Lüdenscheidt', primaryEmail: 'zoe@mueller.example' });
  await makePerson(org, { fullName: 'Łukasz Ångström', primaryEmail: 'lukasz@example.com' });
  await makePerson(org, { fullName: '100% Sure_Thing', primaryEmail: 'sure@example.com' });
  await makePerson(org, {
    fullName: "Miles O'Brien & Sons",
    primaryEmail: 'miles@example.com',
    primaryPhone: '+4930987654',
  });
});

describe('q', () => {
  it.each([
    ['zoe', ['Zoë Müller-Lüdenscheidt']],
    ['ZOË MULLER', ['Zoë Müller-Lüdenscheidt']],
    ['udensch', ['Zoë Müller-Lüdenscheidt']],
    ['angstrom', ['Łukasz Ångström']],
    ['lukasz', ['Łukasz Ångström']],
    ['mueller.example', ['Zoë Müller-Lüdenscheidt']],
    ['98765', ["Miles O'Brien & Sons"]],
    ["o'brien", ["Miles O'Brien & Sons"]],
    ['%', ['100% Sure_Thing']],
    ['_', ['100% Sure_Thing']],
    ['e_t', ['100% Sure_Thing']],
    ['nobody at all', []],
  ])('%s finds %j, whatever case and accents', async (q, names) => {
    expect(await search(q)).toEqual(names);
  });

  it.each([
    "'",
    '"',
    '""',
    "a' | 'b",
    '!!',
    '& |',
    '<->',
    '():*',
    'a:*',
    '\\',
    "\\'; drop table x; --",
    '-',
    'or',
    '🦆',
    'x'.repeat(500),
  ])('takes %j for a text', async (q) => {
    await expect(search(q)).resolves.toBeInstanceOf(Array);
  });

  it('takes any text for a text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }), async (q) => {
        if (q.includes('\u0000') || q.trim() === '') return;
        await search(q);
      }),
      { numRuns: 50 },
    );
  });

  it.each(['', '   ', 'a\u0000b', 'x'.repeat(501)])('refuses %j', async (q) => {
    expect(await refusalOf(org.records.list(adminOf(org), people, { ...all, q }))).toMatchObject({
      code: 'invalid',
      errors: [{ path: 'q' }],
    });
  });
});

describe('fields', () => {
  it('selects them, and always the identifier', async () => {
    const { data } = await org.records.list(adminOf(org), people, { ...all, fields: ['fullName', 'id'], q: 'zoe' });
    expect(data).toEqual([{ id: expect.any(String), fullName: 'Zoë Müller-Lüdenscheidt' }]);
    const id = String(data[0]?.['id']);
    expect(await org.records.get(adminOf(org), people, id, { fields: ['country'] })).toEqual({ id, country: null });
    expect(await org.records.get(adminOf(org), people, id, { fields: [] })).toEqual({ id });
  });

  it.each(['nothing', 'searchText', 'organizationId', 'constructor', '__proto__'])('refuses %s', async (field) => {
    expect(await refusalCode(org.records.list(adminOf(org), people, { ...all, fields: [field] }))).toBe('invalid');
  });

  it('shows no internal column', async () => {
    await makeLead(org, await makePerson(org), { normalizedName: 'somebody' });
    const { data } = await org.records.list(adminOf(org), leads, all);
    expect(Object.keys(data[0] ?? {})).not.toContain('normalizedName');
    expect(await refusalCode(org.records.list(adminOf(org), leads, { ...all, fields: ['normalizedName'] }))).toBe(
      'invalid',
    );
  });
});

describe('expand', () => {
  it('adds the records behind references, null where there is none or it is gone', async () => {
    const owner = await makeUser(org);
    const parent = await makeAccount(org);
    const account = await makeAccount(org, { ownerUserId: owner.id, parentAccountId: parent.id });
    const expand = ['owner', 'parentAccount'];
    const shown = () => org.records.get(adminOf(org), accounts, account.id, { expand });
    expect(await shown()).toMatchObject({
      owner: { id: owner.id, fullName: owner['fullName'] },
      parentAccount: { id: parent.id },
    });
    expect(await org.records.get(adminOf(org), accounts, parent.id, { expand })).toMatchObject({
      owner: null,
      parentAccount: null,
    });
    const { data } = await org.records.list(adminOf(org), accounts, {
      ...all,
      expand,
      fields: ['accountName'],
      filters: [{ field: 'ownerUserId', op: 'eq', value: owner.id }],
    });
    expect(data).toEqual([
      {
        id: account.id,
        accountName: account['accountName'],
        owner: expect.objectContaining({ id: owner.id }),
        parentAccount: expect.objectContaining({ id: parent.id }),
      },
    ]);
  });

  it('shows nothing that the reader may not see otherwise', async () => {
    const person = await makePerson(org);
    const lead = await makeLead(org, person);
    const shown = await org.records.get(marketer(org), leads, lead.id, { expand: ['person', 'team'] });
    expect(shown).toMatchObject({ id: lead.id, person: null, team: null });
    expect(await refusalCode(org.records.get(supporter(org), leads, lead.id))).toBe('forbidden');
  });

  it.each(['nothing', 'ownerUserId', 'constructor', '__proto__', 'toString'])('refuses %s', async (name) => {
    expect(await refusalOf(org.records.list(adminOf(org), accounts, { ...all, expand: [name] }))).toMatchObject({
      code: 'invalid',
      errors: [{ path: 'expand' }],
    });
    expect(await refusalCode(org.records.list(adminOf(org), tags, { ...all, expand: [name] }))).toBe('invalid');
  });
});
