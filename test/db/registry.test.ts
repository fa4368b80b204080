import { beforeEach, describe, expect, it } from '@jest/globals';
import { inOrganization } from '../../db/database.ts';
import type { Column } from '../../db/model/columns.ts';
import type { Resource } from '../../db/model/define-resource.ts';
import { operatorsFor } from '../../db/model/filters.ts';
import { type RecordJson, subjectTypeOf } from '../../db/model/record-json.ts';
import type { ListQuery } from '../../db/records.ts';
import { resources } from '../../db/registry.ts';
import { adminOf, makeOrganization, type TestOrganization, writeAs } from '../support/factories.ts';
import { databaseFixture, refusalCode, refusalOf } from './database-fixture.ts';
import { sampleBody, sampleRecord } from './samples.ts';

const fixture = databaseFixture();
const everything: ListQuery = { filters: [], sort: [], limit: 200 };

const columnOf = (resource: Resource, property: string): Column => {
  const column = resource.definition.columns[property];
  if (!column) throw new Error(`${resource.path} has no column ${property}`);
  return column;
};

/** A patch that changes the first property of which another valid value can be had. */
async function changeOf(
  org: TestOrganization,
  resource: Resource,
  record: RecordJson,
): Promise<Record<string, unknown>> {
  for (const property of resource.patchable) {
    if (columnOf(resource, property).kind === 'json') continue;
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const patch = await sampleBody(org, resource, [property]);
      if (patch[property] !== record[property]) return patch;
    }
  }
  throw new Error(`No change of ${resource.path} can be thought of`);
}

describe.each(resources.map((resource) => [resource.path, resource] as const))('%s', (_path, resource) => {
  let org: TestOrganization;
  const admin = () => adminOf(org);
  const write = () => writeAs(admin());
  const page = { limit: 200 };
  const kinds = async (id: string) =>
    (await org.records.timeline(admin(), resource, id, page)).data.map(({ kind }) => kind);
  const audited = async (id: string) => (await org.records.audit(admin(), resource, id, page)).data;
  /** Of the record alone: what was made or changed along with it under the same key puts out its own. */
  const events = async (id: string): Promise<string[]> => {
    const rows: { kind: string }[] = await inOrganization(fixture.app, org.id, (em) =>
      em.execute('select kind from crm_core.crm_outbox where subject_id = ? and subject_type = ? order by event_id', [
        id,
        subjectTypeOf(resource),
      ]),
    );
    return rows.map(({ kind }) => kind);
  };

  beforeEach(async () => {
    org = await makeOrganization(fixture.app);
  });

  it('is listed, and read by its identifier', async () => {
    const record = await sampleRecord(org, resource);
    const { data } = await org.records.list(admin(), resource, everything);
    expect(data).toContainEqual(record);
    expect(record).toMatchObject({ id: expect.any(String), version: 1, deletedAt: null });
    expect(Object.keys(record)).not.toContain('searchText');
    expect(await refusalCode(org.records.get(admin(), resource, '01890000-0000-7000-8000-000000000000'))).toBe(
      'not_found',
    );
    expect(await refusalCode(org.records.get(admin(), resource, 'no-uuid'))).toBe('not_found');
  });

  it.each(resource.filterable)('filters by %s with each of its operators', async (field) => {
    const column = columnOf(resource, field);
    const [value] = Object.values(await sampleBody(org, resource, [field]));
    for (const op of operatorsFor(column)) {
      const text = op === 'null' ? 'false' : column.kind === 'list' ? String((value as string[])[0]) : String(value);
      await expect(
        org.records.list(admin(), resource, { ...everything, filters: [{ field, op, value: text }] }),
      ).resolves.toMatchObject({ hasMore: false });
    }
  });

  it('sorts, searches and expands by what it names', async () => {
    await sampleRecord(org, resource);
    for (const field of resource.sortable) {
      const list = (direction: 'asc' | 'desc') =>
        org.records.list(admin(), resource, { ...everything, sort: [{ field, direction }] });
      const [up, down] = [await list('asc'), await list('desc')];
      expect(up.data.map(({ id }) => id)).toEqual(down.data.map(({ id }) => id).toReversed());
    }
    const expand = Object.keys(resource.expandable ?? {});
    const { data } = await org.records.list(admin(), resource, { ...everything, expand });
    for (const name of expand) expect(data[0]).toHaveProperty(name);
    const search = org.records.list(admin(), resource, { ...everything, q: 'sample' });
    if (resource.definition.search.length > 0) await expect(search).resolves.toHaveProperty('data');
    else expect(await refusalCode(search)).toBe('invalid');
  });

  if (resource.creatable.length === 0) {
    it('cannot be created by a client', async () => {
      expect(await refusalCode(org.records.create(write(), resource, {}))).toBe('method_not_allowed');
    });
  } else {
    it('is created as given, with its defaults, a timeline entry and its event', async () => {
      const body = await sampleBody(org, resource, resource.creatable);
      const { status, body: record } = await org.records.create(write(), resource, body);
      expect(status).toBe(201);
      expect(record).toMatchObject({
        ...body,
        version: 1,
        createdBy: expect.stringMatching(/^user:/),
        deletedAt: null,
      });
      const id = String(record?.['id']);
      expect(await kinds(id)).toEqual([`${subjectTypeOf(resource)}.created`]);
      expect(await audited(id)).toEqual([]);
      expect(await events(id)).toEqual(resource.emits ? [`${resource.emits}.created`] : []);
    });

    it('refuses unknown fields by name, and writes nothing', async () => {
      const body = {
        ...(await sampleBody(org, resource, resource.creatable)),
        colourOfTheSky: 'blue',
        ...JSON.parse('{"__proto__": 1}'),
      };
      const before = await org.records.list(admin(), resource, everything);
      const { code, errors } = await refusalOf(org.records.create(write(), resource, body));
      expect({ code, errors }).toMatchObject({
        code: 'invalid',
        errors: expect.arrayContaining([{ path: 'colourOfTheSky', message: expect.any(String) }]),
      });
      expect(await refusalCode(org.records.create(write(), resource, JSON.parse('{"__proto__": 1}')))).toBe('invalid');
      const after = await org.records.list(admin(), resource, everything);
      expect(after.data.length).toBe(before.data.length);
    });
  }

  if (resource.patchable.length === 0) {
    it('is never changed', async () => {
      const { id } = await sampleRecord(org, resource);
      expect(await refusalCode(org.records.patch(write(), resource, id, '*', {}))).toBe('method_not_allowed');
      expect(await refusalCode(org.records.replace(write(), resource, id, '*', {}))).toBe('method_not_allowed');
    });
  } else {
    it('is patched once for each version, with audit, timeline and event', async () => {
      const record = await sampleRecord(org, resource);
      const { id } = record;
      const version = Number(record['version']);
      const [told, changed] = [await kinds(id), await events(id)];
      const patch = await changeOf(org, resource, record);
      const at = new Date(Date.now() + 1_000);
      const answer = await org.records.patch(writeAs(admin(), { receivedAt: at }), resource, id, version, patch);
      expect(answer).toMatchObject({
        status: 200,
        body: { ...patch, version: version + 1, updatedAt: at.toISOString() },
      });
      expect(await audited(id)).toEqual(
        Object.entries(patch).map(([field, after]) =>
          expect.objectContaining({
            field,
            before: record[field],
            after,
            subjectVersion: version + 1,
            happenedAt: at.toISOString(),
          }),
        ),
      );
      expect(await kinds(id)).toEqual([`${subjectTypeOf(resource)}.updated`, ...told]);
      expect(await events(id)).toEqual([...changed, ...(resource.emits ? [`${resource.emits}.updated`] : [])]);

      expect(await refusalCode(org.records.patch(write(), resource, id, version, patch))).toBe('stale');
      expect(await org.records.patch(write(), resource, id, version + 1, patch)).toMatchObject({
        body: { version: version + 1 },
      });
      expect(await audited(id)).toHaveLength(1);
      expect(await refusalCode(org.records.patch(write(), resource, id, '*', { colourOfTheSky: 'blue' }))).toBe(
        'invalid',
      );
    });

    it('is replaced as a whole: what is left out is empty or has its default again', async () => {
      const record = await sampleRecord(org, resource);
      const version = Number(record['version']);
      const required = Object.fromEntries(
        resource.patchable
          .filter(
            (property) =>
              !columnOf(resource, property).nullable && columnOf(resource, property).defaultValue === undefined,
          )
          .map((property) => [property, record[property]]),
      );
      const rest = resource.patchable.filter((property) => !Object.hasOwn(required, property));
      const defaults = Object.fromEntries(
        rest.map((property) => [property, columnOf(resource, property).defaultValue ?? null]),
      );
      const whole = resource.path === 'property-interests' ? { ...required, projectId: record['projectId'] } : required;
      const { body } = await org.records.replace(write(), resource, record.id, version, whole);
      expect(body).toMatchObject({ ...defaults, ...whole });
      const given = rest.filter(
        (property) =>
          !Object.hasOwn(whole, property) && JSON.stringify(record[property]) !== JSON.stringify(defaults[property]),
      );
      expect((await audited(record.id)).map(({ field }) => String(field)).toSorted()).toEqual(given.toSorted());
      expect(body?.['version']).toBe(given.length > 0 ? version + 1 : version);
      // PostgreSQL keeps the keys of JSON in its own order; sending the same again changes nothing.
      const again = Object.fromEntries(resource.patchable.map((property) => [property, body?.[property]]));
      expect(await org.records.replace(write(), resource, record.id, '*', again)).toMatchObject({
        body: { version: body?.['version'] },
      });
    });
  }

  const owned = Object.keys(resource.processOwned ?? {});
  if (owned.length > 0) {
    it("leaves to its process what is its process's, and names the command", async () => {
      const { id } = await sampleRecord(org, resource);
      for (const property of owned) {
        const { code, errors } = await refusalOf(org.records.patch(write(), resource, id, '*', { [property]: null }));
        expect({ code, errors }).toEqual({
          code: 'process_owned',
          errors: [{ path: property, message: expect.stringContaining('use the command') }],
        });
      }
    });
  }

  if (resource.removable) {
    it('is removed, invisible but remembered, and restored', async () => {
      const record = await sampleRecord(org, resource);
      const { id } = record;
      const version = Number(record['version']);
      expect(await refusalCode(org.records.remove(write(), resource, id, version + 1))).toBe('stale');
      expect(await org.records.remove(write(), resource, id, version)).toMatchObject({ status: 204, body: null });
      expect(await refusalCode(org.records.get(admin(), resource, id))).toBe('not_found');
      expect(await refusalCode(org.records.remove(write(), resource, id, '*'))).toBe('not_found');
      expect(await refusalCode(org.records.patch(write(), resource, id, '*', {}))).toBe(
        resource.patchable.length > 0 ? 'not_found' : 'method_not_allowed',
      );
      const { data } = await org.records.list(admin(), resource, everything);
      expect(data.map((row) => row.id)).not.toContain(id);
      expect((await kinds(id))[0]).toBe(`${subjectTypeOf(resource)}.removed`);

      const restored = await org.records.restore(write(), resource, id);
      expect(restored).toMatchObject({ status: 200, body: { id, version: version + 2, deletedAt: null } });
      expect((await kinds(id)).slice(0, 2)).toEqual([
        `${subjectTypeOf(resource)}.restored`,
        `${subjectTypeOf(resource)}.removed`,
      ]);
      expect((await audited(id)).map(({ field, subjectVersion }) => [field, subjectVersion])).toEqual([
        ['deletedAt', version + 2],
        ['deletedAt', version + 1],
      ]);
      expect(await refusalCode(org.records.restore(write(), resource, id))).toBe('conflict');
    });
  } else {
    it('is never removed', async () => {
      const { id } = await sampleRecord(org, resource);
      expect(await refusalCode(org.records.remove(write(), resource, id, '*'))).toBe('method_not_allowed');
      expect(await refusalCode(org.records.restore(write(), resource, id))).toBe('method_not_allowed');
    });
  }
});
