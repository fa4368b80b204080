import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Client } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { inOrganization, statementInOrganization } from '../../db/database.ts';
import { tags } from '../../db/engagement/tag.ts';
import { leads } from '../../db/leads/lead.ts';
import type { RecordJson } from '../../db/model/record-json.ts';
import { commonnessRoutine } from '../../db/model/search.ts';
import type { ListQuery } from '../../db/records.ts';
import { resources } from '../../db/registry.ts';
import { createRowReader } from '../../db/row-reader.ts';
import {
  adminOf,
  makeLead,
  makeOrganization,
  makePerson,
  makeUser,
  salesRep,
  type TestOrganization,
} from '../support/factories.ts';
import { eventually } from '../support/temporal.ts';
import { databaseFixture } from './database-fixture.ts';

/** The owner's connection, to look on; as somebody with the application's role would connect by hand. */
let owner: Client;
let visitor: Client;
// Before the database goes, which the fixture drops after the last test.
afterAll(() => Promise.all([owner.end(), visitor.end()]));

const fixture = databaseFixture();
const page: ListQuery = { filters: [], sort: [], limit: 50 };
const rows = 24_000;
let large: TestOrganization;
let small: TestOrganization;

/** Tags `everyday N`, the newest with the highest number; the older half is `ancient`, each 4,000th is `zanzibar`. */
const fill = (org: TestOrganization, count: number) =>
  inOrganization(org.database, org.id, (em) =>
    em.execute(
      `insert into crm_core.crm_tags (tag_id, organization_id, name, created_at, created_by, updated_at, updated_by, version)
       select uuidv7(make_interval(secs => i - ${count})), ?, 'everyday ' || i || case when i <= ${count / 2} then ' ancient' else '' end
         || case when i % 4000 = 7 then ' zanzibar' else '' end,
         now() - make_interval(secs => ${count} - i), 'test', now(), 'test', 1
       from generate_series(1, ${count}) i`,
      [org.id],
    ),
  );

beforeAll(async () => {
  large = await makeOrganization(fixture.app);
  small = await makeOrganization(fixture.app);
  await fill(large, rows);
  await fill(small, 10);
  owner = new Client({ connectionString: fixture.url });
  visitor = new Client({ connectionString: fixture.url, options: '-c role=crm_app' });
  await Promise.all([owner.connect(), visitor.connect()]);
  await owner.query('analyze crm_core.crm_tags');
});

const search = (org: TestOrganization, q: string, query: Partial<ListQuery> = {}) =>
  org.records.list(adminOf(org), tags, { ...page, q, ...query });
const names = (records: readonly RecordJson[]) => records.map(({ name }) => String(name));
const numbers = (records: readonly RecordJson[]) => names(records).map((name) => Number(name.split(' ')[1]));

/** What the index's function answers a visitor who claims an organisation: names. */
async function asked(q: string, organizationId?: string): Promise<string[]> {
  await visitor.query('begin');
  try {
    if (organizationId !== undefined)
      await visitor.query(`select set_config('crm.organization_id', $1, true)`, [organizationId]);
    const answer = await visitor.query<{ ids: string[] }>(`select crm_core.matching_rows('crm_tags', $1) as ids`, [q]);
    await visitor.query('set local role crm_relay');
    const found = await visitor.query<{ name: string }>(
      'select name from crm_core.crm_tags where tag_id = any($1) order by created_at',
      [answer.rows[0]?.ids],
    );
    return found.rows.map(({ name }) => name);
  } finally {
    await visitor.query('rollback');
  }
}

/** Whether a text counts as common. */
async function isCommon(q: string, organizationId = large.id): Promise<boolean | undefined> {
  const sql = `select crm_core.matching_rows('crm_tags', ?) is null as common`;
  const [answer] = await statementInOrganization<{ common: boolean }>(fixture.app, organizationId, sql, [q]);
  return answer?.common;
}

describe('a search', () => {
  const indexScans = async () => {
    const { rows: counted } = await owner.query<{ scans: string }>(
      `select idx_scan as scans from pg_stat_user_indexes where indexrelname = 'crm_tags_trigram'`,
    );
    return Number(counted[0]?.scans);
  };

  it('finds what is rare by the index, although row-level security holds', async () => {
    const before = await indexScans();
    // A connection tells of its scans once a second.
    await eventually(
      'the index was asked',
      async () => {
        expect(numbers((await search(large, 'zanzibar')).data)).toEqual([20007, 16007, 12007, 8007, 4007, 7]);
        return (await indexScans()) > before;
      },
      { seconds: 20 },
    );
  });

  it('walks the order for what is in every row, page by page', async () => {
    const first = await search(large, 'everyday', { limit: 3 });
    expect(numbers(first.data)).toEqual([24000, 23999, 23998]);
    const second = await search(large, 'everyday', { limit: 3, cursor: first.nextCursor ?? '' });
    expect(numbers(second.data)).toEqual([23997, 23996, 23995]);
    expect(numbers((await search(large, 'everyday 2400')).data)).toEqual([24000, 2400]);
  });

  it.each([
    ['what only old rows hold', 'ancient', [12000, 11999, 11998]],
    ['several words', 'ancient zanzibar', [8007, 4007, 7]],
    ['several words that every row holds', 'everyday everyday', [24000, 23999, 23998]],
    ['a part of a word', 'nzib', [20007, 16007, 12007]],
    ['signs of the pattern language', 'zanz_bar', []],
  ])('finds %s', async (_what, q, expected) => {
    expect(numbers((await search(large, q, { limit: 3 })).data)).toEqual(expected);
  });

  it.each([['zanzibar'], ['everyday']])('keeps order, filters and cursors: %s', async (q) => {
    const sort = [{ field: 'name', direction: 'asc' as const }];
    const filters = [{ field: 'name', op: 'contains' as const, value: '007' }];
    const whole = names((await search(large, q, { sort, filters, limit: 200 })).data);
    expect(whole).toEqual(whole.toSorted());
    const paged: string[] = [];
    for (let cursor: string | undefined; ;) {
      const { data, nextCursor } = await search(large, q, { sort, filters, limit: 4, cursor });
      paged.push(...names(data));
      if (nextCursor === null) break;
      cursor = nextCursor;
    }
    expect(paged).toEqual(whole);
  });

  it('takes for common what is all over the place, not what is old, rare, or in a handful of rows', async () => {
    expect(await isCommon('everyday')).toBe(true);
    expect(await isCommon('day 2')).toBe(true);
    expect(await isCommon('ancient')).toBe(false);
    expect(await isCommon('zanzibar')).toBe(false);
    expect(await isCommon('everyday 2399')).toBe(false);
    expect(await isCommon('everyday', small.id)).toBe(false);
  });

  it.each([['zanzibar'], ['everyday'], ['everyday 24000']])('is one message to PostgreSQL: %s', async (q) => {
    const query = jest.spyOn(fixture.app.pool, 'query');
    try {
      await search(large, q);
      expect(query).toHaveBeenCalledTimes(1);
    } finally {
      query.mockRestore();
    }
  });

  it.each([
    ['zanzibar', ['everyday 7 ancient zanzibar']],
    ['everyday', ['everyday 24000', 'everyday 7 ancient zanzibar']],
  ])('holds for each of several conditions of which one is enough: %s', async (q, expected) => {
    const read = createRowReader(fixture.app, adminOf(large));
    const found = await read(tags, {
      where: [{ $or: [{ name: 'everyday 24000' }, { name: 'everyday 7 ancient zanzibar' }] }],
      search: q,
      properties: ['name'],
      order: [{ field: 'createdAt', direction: 'desc' }],
      limit: 10,
    });
    expect(found.map(({ name }) => name)).toEqual(expected);
  });

  it('leaves out what was removed', async () => {
    await inOrganization(large.database, large.id, (em) =>
      em.execute(`update crm_core.crm_tags set deleted_at = now() where name like 'everyday 16007 %'`),
    );
    expect(numbers((await search(large, 'zanzibar')).data)).toEqual([20007, 12007, 8007, 4007, 7]);
  });

  it('shows a role only its own rows', async () => {
    const rep = await makeUser(small);
    const person = await makePerson(small);
    const own = await makeLead(small, person, { fullName: 'Livingstone Own', assignedUserId: rep.id });
    await makeLead(small, person, { fullName: 'Livingstone Other' });
    const found = (actor = adminOf(small)) => small.records.list(actor, leads, { ...page, q: 'livingstone' });
    expect((await found()).data).toHaveLength(2);
    expect((await found(salesRep(small, rep))).data.map(({ id }) => id)).toEqual([own.id]);
  });

  it.each(resources.filter(({ definition }) => definition.search.length > 0).map((each) => [each.path, each] as const))(
    'asks the index of %s',
    async (_path, resource) => {
      expect((await large.records.list(adminOf(large), resource, { ...page, q: 'nobody at all' })).data).toEqual([]);
    },
  );
});

describe('the functions that judge what is common', () => {
  const body = (source: string | undefined) => source?.split('$$')[1]?.replaceAll(/\s+/g, ' ').trim();

  it.each(
    resources
      .filter(({ definition }) => definition.search.length > 0)
      .map(({ definition }) => [definition.table, definition] as const),
  )('are in the database as the entity declares them: %s', async (_table, definition) => {
    const { name, expression } = commonnessRoutine(definition);
    const { rows: stored } = await owner.query<{ source: string; settings: string[] }>(
      'select prosrc as source, proconfig as settings from pg_proc where proname = $1',
      [name],
    );
    expect(stored.map(({ source }) => body(`$$${source}$$`))).toEqual([body(expression)]);
    expect(stored[0]?.settings).toEqual(['plan_cache_mode=force_generic_plan']);
  });
});

describe('the function that asks the index', () => {
  it('knows no organisation but that of the session', async () => {
    expect(await asked('zanzibar', small.id)).toEqual(['everyday 7 zanzibar']);
    expect(await asked('zanzibar')).toEqual([]);
    expect(await asked('zanzibar', '')).toEqual([]);
    expect(await asked('zanzibar', uuidv7())).toEqual([]);
    expect(await asked('everyday', uuidv7())).toEqual([]);
  });

  it('searches tables of the product and nothing else', async () => {
    for (const table of ['pg_class', 'crm_core.crm_tags', 'crm_tags" where true --', 'crm_tags_trigram', ''])
      await expect(visitor.query('select crm_core.matching_rows($1, $2)', [table, 'a'])).rejects.toThrow(
        'crm_core has no table',
      );
    await visitor.query('create temporary table crm_decoy (id uuid primary key, search_text text)');
    await expect(visitor.query(`select crm_core.matching_rows('crm_decoy', 'a')`)).rejects.toThrow(
      'crm_core has no table',
    );
  });

  it('is owned by the role that sees all, and carried out for the application alone', async () => {
    const { rows: functions } = await owner.query(
      `select proowner::regrole::text as owner, prosecdef as definer, has_function_privilege('crm_app', oid, 'execute') as app,
         exists (select from aclexplode(proacl) where grantee = 0) as everybody,
         has_schema_privilege('crm_relay', 'crm_core', 'create') as may_make_more
       from pg_proc where proname = 'matching_rows'`,
    );
    expect(functions).toEqual([
      { owner: 'crm_relay', definer: true, app: true, everybody: false, may_make_more: false },
    ]);
  });
});
