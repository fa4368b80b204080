import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { testApi, type TestApi } from './support.ts';

describe('the access log', () => {
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

  const listed = async (path: string): Promise<Record<string, unknown>[]> => {
    await api.app.drained();
    const response = await api.send('GET', path);
    return ((await response.json()) as { data: Record<string, unknown>[] }).data;
  };

  it('keeps one session for a token however often it is used, and when it began', async () => {
    const userId = uuidv7();
    const tokenId = uuidv7();
    for (let index = 0; index < 5; index += 1) await api.send('GET', '/crm/v1/tags', { userId, tokenId });
    const sessions = await listed(`/crm/v1/sessions?filter[userId][eq]=${userId}`);
    expect(sessions).toMatchObject([{ userId, tokenId }]);
    const begun = await listed('/crm/v1/access-events?filter[kind][eq]=session_started');
    expect(begun).toMatchObject([{ actor: `user:${userId}`, route: 'GET /crm/v1/tags' }]);
  });

  it('keeps who was refused for want of rights, by route and never by content', async () => {
    const userId = uuidv7();
    const refused = await api.send('POST', '/crm/v1/tags?', { userId, roles: ['nobody'], body: { name: 'Secret' } });
    expect(refused.status).toBe(403);
    const events = await listed(`/crm/v1/access-events?filter[actor][eq]=user:${userId}`);
    expect(events).toMatchObject([{ kind: 'access_refused', route: 'POST /crm/v1/tags' }]);
    expect(JSON.stringify(events)).not.toContain('Secret');
  });

  it('shows itself to nobody but administrators and managers', async () => {
    const answers = await Promise.all(
      ['sales_rep', 'support', 'marketing'].map((role) => api.send('GET', '/crm/v1/sessions', { roles: [role] })),
    );
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
  });
});
