import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { resources } from '../../db/registry.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/temporal.ts';
import { problemOf, testApi, type TestApi } from './support.ts';

const calendar = (name: string) => ({
  name,
  timeZone: 'Europe/Berlin',
  hours: { monday: [{ from: '09:00', to: '17:00' }] },
});

describe('records over HTTP', () => {
  let database: TestDatabase;
  let api: TestApi;

  beforeAll(async () => {
    database = await testDatabase();
    api = await testApi(database.url);
  });
  afterAll(async () => {
    await api?.close();
    await database?.close();
  });

  async function created(name: string): Promise<{ id: string; etag: string; path: string }> {
    const response = await api.send('POST', '/crm/v1/calendars', { body: calendar(name) });
    expect(response.status).toBe(201);
    const { id } = (await response.json()) as { id: string };
    return { id, etag: response.headers.get('etag') ?? '', path: `/crm/v1/calendars/${id}` };
  }

  it('creates, answers where and which version, and tells a repetition from the first time', async () => {
    const key = uuidv7();
    const request = { body: calendar('Once'), headers: { 'idempotency-key': key } };
    const first = await api.send('POST', '/crm/v1/calendars', request);
    const record = (await first.json()) as { id: string };
    expect([first.status, first.headers.get('location'), first.headers.get('etag')]).toEqual([
      201,
      `/crm/v1/calendars/${record.id}`,
      '"1"',
    ]);
    const again = await api.send('POST', '/crm/v1/calendars', {
      ...request,
      body: { hours: calendar('').hours, timeZone: 'Europe/Berlin', name: 'Once' },
    });
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
    expect(await again.json()).toEqual(record);
    const other = await api.send('POST', '/crm/v1/calendars', { ...request, body: calendar('Other') });
    expect((await problemOf(other)).code).toBe('idempotency_key_reused');
  });

  it('reads with ETag, 304, fields', async () => {
    const { path, etag } = await created('Read');
    const whole = await api.send('GET', path);
    expect([whole.status, whole.headers.get('etag')]).toEqual([200, etag]);
    expect(await whole.json()).toMatchObject({ name: 'Read', version: 1, deletedAt: null });
    const known = await api.send('GET', path, { headers: { 'if-none-match': `"9", W/${etag}` } });
    expect([known.status, await known.text()]).toEqual([304, '']);
    const some = await api.send('GET', `${path}?fields=name`);
    expect(Object.keys((await some.json()) as object)).toEqual(['id', 'name']);
    expect(some.headers.get('etag')).toBe(etag);
  });

  it('changes only with the version that was read', async () => {
    const { path, etag } = await created('Change');
    const patch = (headers: Record<string, string | null>) =>
      api.send('PATCH', path, { body: { name: 'Changed' }, headers });
    expect((await problemOf(await patch({}))).code).toBe('precondition_required');
    expect((await problemOf(await patch({ 'if-match': 'W/"1"' }))).code).toBe('malformed');
    expect((await problemOf(await patch({ 'if-match': '"7"' }))).code).toBe('stale');
    const done = await patch({ 'if-match': etag });
    expect([done.status, done.headers.get('etag')]).toEqual([200, '"2"']);
    expect((await patch({ 'if-match': '*' })).status).toBe(200);
    const replaced = await api.send('PUT', path, { body: calendar('Replaced'), headers: { 'if-match': '*' } });
    expect(await replaced.json()).toMatchObject({ name: 'Replaced', holidays: [] });
  });

  it('deletes softly, restores, and tells both in timeline and audit', async () => {
    const { path, etag } = await created('Gone');
    const gone = await api.send('DELETE', path, { headers: { 'if-match': etag } });
    expect([gone.status, await gone.text()]).toEqual([204, '']);
    expect((await api.send('GET', path)).status).toBe(404);
    const restored = await api.send('POST', `${path}/restore`);
    expect([restored.status, (await api.send('GET', path)).status]).toEqual([200, 200]);
    const history = (await (await api.send('GET', `${path}/timeline?limit=2`)).json()) as {
      data: unknown[];
      hasMore: boolean;
      nextCursor: string;
    };
    expect([history.data.length, history.hasMore]).toEqual([2, true]);
    const rest = await api.send('GET', `${path}/timeline?limit=2&cursor=${history.nextCursor}`);
    expect(await rest.json()).toMatchObject({ data: [{}], hasMore: false, nextCursor: null });
    expect((await api.send('GET', `${path}/audit`)).status).toBe(200);
  });

  it('lists with filter, order, search and cursor', async () => {
    for (const name of ['List a', 'List b', 'List c']) await created(name);
    const names = async (query: string) => {
      const response = await api.send('GET', `/crm/v1/calendars?${query}`);
      expect(response.status).toBe(200);
      return ((await response.json()) as { data: { name: string }[] }).data.map(({ name }) => name);
    };
    await expect(names('filter[name][starts]=List&sort=-name')).resolves.toEqual(['List c', 'List b', 'List a']);
    await expect(names('filter[name][in]=List%20a,List%20b&sort=name')).resolves.toEqual(['List a', 'List b']);
    await expect(names('q=list%20c')).resolves.toContain('List c');
    const first = (await (
      await api.send('GET', '/crm/v1/calendars?filter[name][starts]=List&sort=name&limit=2')
    ).json()) as { nextCursor: string };
    await expect(names(`filter[name][starts]=List&sort=name&limit=2&cursor=${first.nextCursor}`)).resolves.toEqual([
      'List c',
    ]);
  });

  it.each([
    ['color=blue', 'color', 'is not a parameter here'],
    ['filter[hours][eq]=1', 'filter[hours][eq]', 'is not a parameter here'],
    ['filter[name][gt]=a', 'filter[name][gt]', 'is not a parameter here'],
    ['filter=a', 'filter', 'is not a parameter here'],
    ['sort=hours', 'sort', 'hours is not sortable'],
    ['sort=name,name', 'sort', 'names name twice'],
    ['fields=secret', 'fields', 'cannot be selected'],
    ['fields=', 'fields', 'separated by commas'],
    ['limit=0', 'limit', 'from 1 to 200'],
    ['limit=201', 'limit', 'from 1 to 200'],
    ['limit=1&limit=2', 'limit', 'given twice'],
    ['q=%00', 'q', 'NUL'],
    ['q=', 'q', 'empty'],
  ])('refuses the query %s', async (query, path, message) => {
    const response = await api.send('GET', `/crm/v1/calendars?${query}`);
    expect(response.status).toBe(400);
    expect(await problemOf(response)).toMatchObject({
      code: 'invalid',
      errors: [{ path, message: expect.stringContaining(message) }],
    });
  });

  it('refuses cursors that it did not make', async () => {
    for (const cursor of ['x', 'bm90IGpzb24', 'WzFd']) {
      expect((await problemOf(await api.send('GET', `/crm/v1/calendars?cursor=${cursor}`))).code).toBe(
        'invalid_cursor',
      );
    }
  });

  it('hides what belongs to another organisation', async () => {
    const { path } = await created('Mine');
    const response = await api.send('GET', path, { organizationId: uuidv7() });
    expect((await problemOf(response)).code).toBe('not_found');
  });

  it('carries out a bulk request row by row', async () => {
    const { id } = await created('Bulk');
    const operations = [
      { method: 'create', body: calendar('Bulk new') },
      { method: 'create', body: { name: 'No hours' } },
      { method: 'update', id, version: 1, body: { name: 'Bulk changed' } },
      { method: 'update', id, version: 1, body: { name: 'Stale' } },
      { method: 'remove', id: uuidv7(), version: 1 },
    ];
    const response = await api.send('POST', '/crm/v1/calendars/bulk', { body: { operations } });
    const { outcomes } = (await response.json()) as {
      outcomes: { index: number; status: number; problem?: { code: string } }[];
    };
    expect(outcomes.map(({ index, status, problem }) => [index, status, problem?.code])).toEqual([
      [0, 201, undefined],
      [1, 400, 'invalid'],
      [2, 200, undefined],
      [3, 412, 'stale'],
      [4, 404, 'not_found'],
    ]);
  });

  it('refuses bulk requests of a wrong shape or of more than 1,000 operations', async () => {
    const many = { operations: Array.from({ length: 1_001 }, () => ({ method: 'create', body: {} })) };
    for (const body of [
      {},
      { operations: [] },
      { operations: [{ method: 'destroy' }] },
      { operations: [{ method: 'remove', id: 'x' }] },
      many,
    ]) {
      expect((await problemOf(await api.send('POST', '/crm/v1/calendars/bulk', { body }))).code).toBe('invalid');
    }
  });

  it('says which command changes a field that the process owns', async () => {
    const response = await api.send('PATCH', `/crm/v1/leads/${uuidv7()}`, {
      body: { stage: 'touched' },
      headers: { 'if-match': '*' },
    });
    expect([404, 422]).toContain(response.status);
  });

  it('previews business time', async () => {
    const { path } = await created('Preview');
    const response = await api.send('POST', `${path}/preview`, {
      body: { start: '2026-11-23T08:30:00+01:00', minutes: 90 },
    });
    expect(await response.json()).toMatchObject({ dueAt: '2026-11-23T09:30:00.000Z' });
    const between = { from: '2026-11-23T08:30:00+01:00', to: '2026-11-23T09:30:00Z' };
    expect(await (await api.send('POST', `${path}/preview`, { body: between })).json()).toEqual({ minutes: 90 });
    const both = await problemOf(await api.send('POST', `${path}/preview`, { body: { ...between, minutes: 90 } }));
    expect(both.errors).toEqual([{ path: 'minutes', message: 'is not a field of this request' }]);
    expect((await problemOf(await api.send('POST', `${path}/preview`, { body: { minutes: 90 } }))).code).toBe(
      'invalid',
    );
    expect(
      (
        await problemOf(
          await api.send('POST', `/crm/v1/calendars/${uuidv7()}/preview`, {
            body: { start: '2026-11-23T08:30:00Z', minutes: 1 },
          }),
        )
      ).code,
    ).toBe('not_found');
  });

  it('says that a calendar has too few hours for what is asked of it', async () => {
    const body = {
      name: 'One day',
      timeZone: 'Europe/Berlin',
      hours: {},
      exceptions: [{ date: '2060-11-23', hours: [{ from: '09:00', to: '10:00' }] }],
    };
    const { id } = (await (await api.send('POST', '/crm/v1/calendars', { body })).json()) as { id: string };
    const response = await api.send('POST', `/crm/v1/calendars/${id}/preview`, {
      body: { start: '2060-11-23T08:00:00Z', minutes: 600 },
    });
    expect([response.status, (await problemOf(response)).code]).toEqual([422, 'rule_violation']);
  });

  it('switches a module off', async () => {
    const organizationId = uuidv7();
    const flag = await api.send('POST', '/crm/v1/feature-flags', {
      organizationId,
      body: { name: 'crm_feature_calendars', enabled: false },
    });
    expect(flag.status).toBe(201);
    const list = () => api.send('GET', '/crm/v1/calendars', { organizationId });
    // Switches are kept for some seconds.
    await eventually('the switch is seen', async () => (await list()).status === 404);
    expect((await problemOf(await list())).code).toBe('feature_disabled');
    expect((await api.send('GET', '/crm/v1/calendars')).status).toBe(200);
  });

  it('never switches off the switches', async () => {
    const organizationId = uuidv7();
    const modules = new Set(resources.flatMap(({ feature }) => feature ?? []));
    for (const name of modules) {
      const body = { name: `crm_feature_${name}`, enabled: false };
      const flag = await api.send('POST', '/crm/v1/feature-flags', { organizationId, body });
      expect([name, flag.status]).toEqual([name, 201]);
    }
    const off = async (path: string) => (await api.send('GET', path, { organizationId })).status === 404;
    await eventually(
      'the modules are off',
      async () => (await off('/crm/v1/calendars')) && (await off('/crm/v1/tags')),
    );
    const flags = await api.send('GET', '/crm/v1/feature-flags?filter[name][eq]=crm_feature_calendars', {
      organizationId,
    });
    const { data } = (await flags.json()) as { data: { id: string }[] };
    const on = { organizationId, body: { enabled: true }, headers: { 'If-Match': '*' } };
    expect((await api.send('PATCH', `/crm/v1/feature-flags/${data[0]?.id}`, on)).status).toBe(200);
    await eventually('it is on again', async () => !(await off('/crm/v1/calendars')));
  });
});
