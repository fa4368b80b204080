import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/temporal.ts';
import { problemOf, testApi, type TestApi, token } from './support.ts';

describe('a token of somebody who does not belong here', () => {
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

  const identity = async (status: 'active' | 'suspended'): Promise<string> => {
    const response = await api.send('POST', '/crm/v1/identities', {
      body: { fullName: 'Grace Hopper', email: `${uuidv7()}@acme.example`, status },
    });
    expect(response.status).toBe(201);
    return ((await response.json()) as { id: string }).id;
  };
  const patch = (id: string, body: object) =>
    api.send('PATCH', `/crm/v1/identities/${id}`, { body, headers: { 'If-Match': '*' } });
  const statusOf = async (userId: string, organizationId = api.organizationId) =>
    (await api.send('GET', '/crm/v1/tags', { userId, organizationId })).status;
  const becomes = (status: number, userId: string) =>
    eventually(`${userId} is answered ${status}`, async () => (await statusOf(userId)) === status);

  it('is refused as any other token is, as soon as it is suspended, and let in again afterwards', async () => {
    const userId = await identity('active');
    expect(await statusOf(userId)).toBe(200);
    expect((await patch(userId, { status: 'suspended' })).status).toBe(200);
    await becomes(401, userId);
    const refused = await api.send('GET', '/crm/v1/tags', { userId });
    expect(await refused.json()).toMatchObject({ code: 'unauthenticated' });
    expect((await patch(userId, { status: 'active' })).status).toBe(200);
    await becomes(200, userId);
  });

  it('is refused however the SSO spells the identifier', async () => {
    const userId = await identity('suspended');
    await becomes(401, userId);
    expect(await statusOf(userId.toUpperCase())).toBe(401);
  });

  it('writes nothing, and leaves no session', async () => {
    const userId = await identity('suspended');
    await becomes(401, userId);
    const name = `tag ${userId}`;
    const tokenId = uuidv7();
    expect((await api.send('POST', '/crm/v1/tags', { userId, tokenId, body: { name } })).status).toBe(401);
    await api.app.drained();
    const tags = await api.send('GET', `/crm/v1/tags?filter[name][eq]=${encodeURIComponent(name)}`);
    expect(await tags.json()).toMatchObject({ data: [] });
    const sessions = await api.send('GET', `/crm/v1/sessions?filter[userId][eq]=${userId}`);
    expect(await sessions.json()).toMatchObject({ data: expect.not.arrayContaining([{ tokenId }]) });
  });

  it('is refused when it is deleted', async () => {
    const userId = await identity('active');
    expect(await statusOf(userId)).toBe(200);
    const removed = await api.send('DELETE', `/crm/v1/identities/${userId}`, { headers: { 'If-Match': '*' } });
    expect(removed.status).toBe(204);
    await becomes(401, userId);
  });

  it('is refused when there is no such organisation', async () => {
    const organizationId = uuidv7();
    const bearer = `Bearer ${await token(api.keys, { organizationId, roles: ['admin'] })}`;
    const service = `Bearer ${await token(api.keys, { sub: 'website', organizationId, scope: 'crm:leads:capture' })}`;
    for (const authorization of [bearer, service]) {
      const response = await api.app.request('/crm/v1/tags', { headers: { authorization } });
      expect([response.status, (await problemOf(response)).code]).toEqual([401, 'unauthenticated']);
    }
  });

  it('is another’s matter in another organisation, and no matter of those who stay', async () => {
    const userId = await identity('suspended');
    await becomes(401, userId);
    expect(await statusOf(userId, uuidv7())).toBe(200);
    expect(await statusOf(uuidv7())).toBe(200);
  });
});
