import { expect, it } from '@jest/globals';
import { schemaDrift } from '../../db/migrator.ts';
import { resource } from '../../db/model/define-resource.ts';
import { adminOf, makeAccount, makeOrganization, marketer, writeAs } from '../support/factories.ts';
import { databaseFixture, refusalCode } from './database-fixture.ts';
import { addSpecimens, specimens } from './specimen.ts';

const fixture = databaseFixture(addSpecimens);

it('needs one file and one line: table, isolation, validation, history and search come with it', async () => {
  expect(await schemaDrift(fixture.url)).toBe('');
  const org = await makeOrganization(fixture.app);
  const other = await makeOrganization(fixture.app);
  const account = await makeAccount(org);
  const body = {
    label: 'Edelweiß',
    remark: 'vom Gipfel',
    seenAt: '2026-08-01T10:00:00+02:00',
    bornOn: '2026-07-01',
    labels: ['alpine'],
    accountId: account.id,
  };

  const { body: made } = await org.records.create(writeAs(adminOf(org)), specimens, body);
  const id = String(made?.['id']);
  expect(made).toMatchObject({
    ...body,
    seenAt: '2026-08-01T08:00:00.000Z',
    amount: 0,
    checked: false,
    state: 'fresh',
    token: null,
    version: 1,
  });
  await org.records.patch(writeAs(adminOf(org)), specimens, id, 1, { amount: 3, notes: { found: 'by chance' } });

  const page = { limit: 10 };
  expect(
    (await org.records.audit(adminOf(org), specimens, id, page)).data.map(({ field, before, after }) => ({
      field,
      before,
      after,
    })),
  ).toEqual(
    expect.arrayContaining([
      { field: 'amount', before: 0, after: 3 },
      { field: 'notes', before: null, after: { found: 'by chance' } },
    ]),
  );
  expect((await org.records.timeline(adminOf(org), specimens, id, page)).data.map(({ kind }) => kind)).toEqual([
    'specimen.updated',
    'specimen.created',
  ]);

  const list = { filters: [], sort: [], limit: 10 };
  const found = await org.records.list(adminOf(org), specimens, {
    ...list,
    q: 'edelweiss gipfel',
    expand: ['account'],
    fields: ['label'],
  });
  expect(found.data).toEqual([{ id, label: 'Edelweiß', account: expect.objectContaining({ id: account.id }) }]);
  expect((await other.records.list(adminOf(other), specimens, list)).data).toEqual([]);
  expect(await refusalCode(other.records.get(adminOf(other), specimens, id))).toBe('not_found');
  expect(await refusalCode(org.records.create(writeAs(marketer(org)), specimens, body))).toBe('forbidden');
  expect(
    await refusalCode(
      org.records.create(writeAs(adminOf(org)), specimens, { ...body, accountId: (await makeAccount(other)).id }),
    ),
  ).toBe('reference_not_found');
});

it('cannot be sorted by a column that may be empty', () => {
  const { definition, ...options } = specimens;
  expect(() => resource(definition, { ...options, sortable: ['share'] })).toThrow('cannot be sorted by share');
});
