import { beforeAll, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { databaseProblem, inOrganization, openDatabase } from '../../db/database.ts';
import { tags } from '../../db/engagement/tag.ts';
import { Problem } from '../../db/model/problem.ts';
import { adminOf, makeOrganization, suffix, type TestOrganization, writeAs } from '../support/factories.ts';
import { databaseFixture, refusalCode } from './database-fixture.ts';

const fixture = databaseFixture();
let org: TestOrganization;

beforeAll(async () => {
  org = await makeOrganization(fixture.app);
});

async function terminateConnections(): Promise<number> {
  const client = new Client({ connectionString: fixture.url });
  await client.connect();
  try {
    const { rowCount } = await client.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'crm_app'",
    );
    return rowCount ?? 0;
  } finally {
    await client.end();
  }
}

it('every connection terminated under load: each request ends, and the pool recovers', async () => {
  let isOver = false;
  let done = 0;
  const refused = new Set<string>();
  const worker = async () => {
    while (!isOver) {
      const name = `tag ${suffix()}`;
      const write = writeAs(adminOf(org));
      try {
        await inOrganization(fixture.app, org.id, (em) => em.execute('select pg_sleep(0.01)'));
        await org.records.create(write, tags, { name });
        done += 1;
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        refused.add(error.code);
        // What was refused did not happen: the same request can be sent again.
        await retry(() => org.records.create(write, tags, { name }));
      }
    }
  };
  const workers = Array.from({ length: 20 }, worker);
  for (let round = 0; round < 3; round += 1) {
    const before = done;
    await until(() => done > before + 20);
    expect(await terminateConnections()).toBeGreaterThan(0);
  }
  const before = done;
  await until(() => done > before + 50);
  isOver = true;
  await Promise.all(workers);
  expect([...refused].filter((code) => code !== 'unavailable')).toEqual([]);
  // All ten places of the pool are free again.
  await Promise.all(
    Array.from({ length: 10 }, () => inOrganization(fixture.app, org.id, (em) => em.execute('select pg_sleep(0.1)'))),
  );
  const { data } = await org.records.list(adminOf(org), tags, { filters: [], sort: [], limit: 200 });
  expect(new Set(data.map(({ name }) => name)).size).toBe(data.length);
}, 60_000);

it('a pool that lost its connections inside transactions closes', async () => {
  const database = await openDatabase({ url: fixture.url, role: 'crm_app', size: 3 });
  const sleeping = Array.from({ length: 3 }, () =>
    refusalCode(inOrganization(database, org.id, (em) => em.execute('select pg_sleep(30)'))),
  );
  await until(async () => (await sleepers()) === 3);
  await terminateConnections();
  expect(await Promise.all(sleeping)).toEqual(['unavailable', 'unavailable', 'unavailable']);
  await expect(database.close()).resolves.toBeUndefined();
}, 30_000);

it('a server that is not there is told as such', async () => {
  const nowhere = new URL(fixture.url);
  nowhere.port = '1';
  const database = await openDatabase({ url: nowhere.href, role: 'crm_app' });
  expect(await refusalCode(inOrganization(database, org.id, (em) => em.execute('select 1')))).toBe('unavailable');
  await database.close();
});

it.each([
  ['40001', 'conflict'],
  ['40P01', 'conflict'],
  ['23505', 'duplicate'],
  ['23503', 'reference_not_found'],
  ['23514', 'rule_violation'],
  ['22P05', 'invalid'],
  ['57P01', 'unavailable'],
])("PostgreSQL's %s is the product's %s, without the row's values", (code, expected) => {
  const failure = Object.assign(new Error('Key (email)=(ada@example.com) exists'), { code, constraint: 'some_rule' });
  const problem = databaseProblem(failure);
  expect(problem).toMatchObject({ code: expected, cause: failure });
  expect((problem as Problem).message).not.toContain('ada@example.com');
});

it('what is no failure of the database stays what it is', () => {
  const bug = new TypeError('x is not a function');
  expect(databaseProblem(bug)).toBe(bug);
  expect(databaseProblem('text')).toBe('text');
  expect(
    databaseProblem(new AggregateError([Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })])),
  ).toMatchObject({ code: 'unavailable' });
});

async function sleepers(): Promise<number> {
  const client = new Client({ connectionString: fixture.url });
  await client.connect();
  try {
    const { rowCount } = await client.query(
      "select 1 from pg_stat_activity where datname = current_database() and query like '%pg_sleep(30)%' and application_name = 'crm_app'",
    );
    return rowCount ?? 0;
  } finally {
    await client.end();
  }
}

async function retry(work: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'unavailable') throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('Waited 20 seconds in vain');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
