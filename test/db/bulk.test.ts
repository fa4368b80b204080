import { beforeEach, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { notes } from '../../db/engagement/note.ts';
import { tags } from '../../db/engagement/tag.ts';
import { leads } from '../../db/leads/lead.ts';
import type { RecordJson } from '../../db/model/record-json.ts';
import { accounts } from '../../db/parties/account.ts';
import type { BulkOperation } from '../../db/record-writer.ts';
import {
  adminOf,
  make,
  makeAccount,
  makeLead,
  makeOrganization,
  makePerson,
  makeUser,
  salesRep,
  type TestOrganization,
  writeAs,
} from '../support/factories.ts';
import { databaseFixture, refusalCode } from './database-fixture.ts';

const fixture = databaseFixture();
let org: TestOrganization;

async function bulk(resource: typeof tags, operations: BulkOperation[], actor = adminOf(org)): Promise<RecordJson[]> {
  const { status, body } = await org.records.bulk(writeAs(actor), resource, operations);
  expect(status).toBe(200);
  return body?.['outcomes'] as RecordJson[];
}
const names = async () =>
  (
    await org.records.list(adminOf(org), tags, { filters: [], sort: [{ field: 'name', direction: 'asc' }], limit: 200 })
  ).data.map(({ name }) => name);

beforeEach(async () => {
  org = await makeOrganization(fixture.app);
});

it('tells the outcome of each row; a refused one leaves the others standing', async () => {
  const changed = await make(org, tags, { name: 'changed' });
  const stale = await make(org, tags, { name: 'stale' });
  const removed = await make(org, tags, { name: 'removed' });
  const unknown = uuidv7();
  const outcomes = await bulk(tags, [
    { method: 'create', body: { name: 'a' } },
    { method: 'create', body: { name: 'a' } },
    { method: 'create', body: { name: 'b', colour: 'red' } },
    { method: 'update', id: changed.id, version: 1, body: { name: 'c' } },
    { method: 'update', id: stale.id, version: 7, body: { name: 'd' } },
    { method: 'update', id: unknown, version: 1, body: { name: 'e' } },
    { method: 'remove', id: removed.id, version: 1 },
    { method: 'remove', id: removed.id, version: 2 },
    { method: 'update', body: { name: 'f' } },
    { method: 'update', id: stale.id, body: { name: 'f' } },
    { method: 'create', body: { name: 'g' } },
  ]);
  expect(
    outcomes.map(({ index, status, problem }) => [index, status, (problem as { code: string } | undefined)?.code]),
  ).toEqual([
    [0, 201, undefined],
    [1, 409, 'duplicate'],
    [2, 400, 'invalid'],
    [3, 200, undefined],
    [4, 412, 'stale'],
    [5, 404, 'not_found'],
    [6, 204, undefined],
    [7, 404, 'not_found'],
    [8, 400, 'invalid'],
    [9, 428, 'precondition_required'],
    [10, 201, undefined],
  ]);
  expect(outcomes[0]).toMatchObject({ id: expect.any(String), record: { name: 'a', version: 1 } });
  expect(outcomes[2]).toMatchObject({ problem: { errors: [{ path: 'colour' }] } });
  expect(outcomes[6]).toMatchObject({ id: removed.id, record: null });
  expect(await names()).toEqual(['a', 'c', 'g', 'stale']);
});

it('writes rows one after another: a later one sees the earlier', async () => {
  const { id } = await make(org, tags, { name: 'first' });
  const outcomes = await bulk(tags, [
    { method: 'update', id, version: 1, body: { name: 'second' } },
    { method: 'update', id, version: 1, body: { name: 'lost' } },
    { method: 'update', id, version: 2, body: { name: '' } },
    { method: 'update', id, version: 2, body: { name: 'third' } },
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual([200, 412, 400, 200]);
  expect(await org.records.get(adminOf(org), tags, id)).toMatchObject({ name: 'third', version: 3 });
  const { data } = await org.records.audit(adminOf(org), tags, id, { limit: 10 });
  expect(data.map(({ before, after }) => [before, after])).toEqual(
    expect.arrayContaining([
      ['first', 'second'],
      ['second', 'third'],
    ]),
  );
  expect(data).toHaveLength(2);
});

it('checks the permission of each row', async () => {
  const user = await makeUser(org);
  const [mine, other] = [await makeAccount(org, { ownerUserId: user.id }), await makeAccount(org)];
  const operations: BulkOperation[] = [mine, other].map(({ id }) => ({
    method: 'update',
    id,
    version: 1,
    body: { industry: 'food' },
  }));
  const outcomes = await bulk(accounts, operations, salesRep(org, user));
  expect(outcomes.map(({ status }) => status)).toEqual([200, 403]);
});

it('refuses what the resource does not offer, row by row', async () => {
  const lead = await makeLead(org, await makePerson(org));
  const outcomes = await bulk(leads, [
    { method: 'create', body: { email: 'a@example.com' } },
    { method: 'update', id: lead.id, version: 1, body: { stage: 'qualified' } },
    { method: 'update', id: lead.id, version: 1, body: { urgency: 'high' } },
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual([405, 422, 200]);
});

it('writes hundreds of rows as one, and answers the same again', async () => {
  const account = await makeAccount(org);
  const operations: BulkOperation[] = Array.from({ length: 300 }, (_, index) => ({
    method: 'create',
    body: { subjectType: 'account', subjectId: account.id, body: index === 150 ? '' : `note ${index}` },
  }));
  const write = writeAs(adminOf(org));
  const first = await org.records.bulk(write, notes, operations);
  const outcomes = first.body?.['outcomes'] as RecordJson[];
  expect(outcomes.filter(({ status }) => status === 201)).toHaveLength(299);
  expect(outcomes[150]).toMatchObject({ status: 400, problem: { code: 'invalid' } });
  expect(await org.records.bulk(write, notes, operations)).toEqual({ ...first, replayed: true });
  expect(await refusalCode(org.records.bulk({ ...write, requestHash: '0'.repeat(64) }, notes, []))).toBe(
    'idempotency_key_reused',
  );
});
