import { beforeAll, expect, it } from '@jest/globals';
import { tags } from '../../db/engagement/tag.ts';
import { Problem } from '../../db/model/problem.ts';
import { accounts } from '../../db/parties/account.ts';
import {
  adminOf,
  make,
  makeAccount,
  makeOrganization,
  suffix,
  type TestOrganization,
  writeAs,
} from '../support/factories.ts';
import { databaseFixture } from './database-fixture.ts';

const fixture = databaseFixture();
let org: TestOrganization;

beforeAll(async () => {
  org = await makeOrganization(fixture.app);
});

const codes = async (work: Promise<unknown>[]) =>
  (await Promise.allSettled(work)).map((outcome) => {
    if (outcome.status === 'fulfilled') return 'done';
    if (outcome.reason instanceof Problem) return outcome.reason.code;
    throw outcome.reason;
  });

it('of twenty patches of one version exactly one wins, the others are stale', async () => {
  const account = await makeAccount(org);
  const patches = Array.from({ length: 20 }, (_, index) =>
    org.records.patch(writeAs(adminOf(org)), accounts, account.id, 1, { industry: `industry ${index}` }),
  );
  const outcomes = await codes(patches);
  expect(outcomes.filter((code) => code === 'done')).toHaveLength(1);
  expect(outcomes.filter((code) => code === 'stale')).toHaveLength(19);
  expect(await org.records.get(adminOf(org), accounts, account.id)).toMatchObject({ version: 2 });
  expect((await org.records.audit(adminOf(org), accounts, account.id, { limit: 50 })).data).toHaveLength(1);
});

it('patches of any version all happen, one after another', async () => {
  const account = await makeAccount(org);
  const patches = Array.from({ length: 10 }, (_, index) =>
    org.records.patch(writeAs(adminOf(org)), accounts, account.id, '*', { industry: `industry ${index}` }),
  );
  expect(new Set(await codes(patches))).toEqual(new Set(['done']));
  expect(await org.records.get(adminOf(org), accounts, account.id)).toMatchObject({ version: 11 });
});

it('of several removals of any version one happens', async () => {
  const account = await makeAccount(org);
  const removals = Array.from({ length: 5 }, () =>
    org.records.remove(writeAs(adminOf(org)), accounts, account.id, '*'),
  );
  expect((await codes(removals)).toSorted()).toEqual(['done', 'not_found', 'not_found', 'not_found', 'not_found']);
});

it('of several records with one unique name one is made', async () => {
  const name = `tag ${suffix()}`;
  const creations = Array.from({ length: 8 }, () => org.records.create(writeAs(adminOf(org)), tags, { name }));
  const outcomes = await codes(creations);
  expect(outcomes.filter((code) => code === 'done')).toHaveLength(1);
  expect(outcomes.filter((code) => code === 'duplicate')).toHaveLength(7);
});

it('a name that was freed can be taken, and then not be taken back', async () => {
  const name = `tag ${suffix()}`;
  const first = await make(org, tags, { name });
  await org.records.remove(writeAs(adminOf(org)), tags, first.id, 1);
  await make(org, tags, { name });
  expect(await codes([org.records.restore(writeAs(adminOf(org)), tags, first.id)])).toEqual(['duplicate']);
});
