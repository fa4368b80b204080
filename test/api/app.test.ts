import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RecordsService } from '../../db/records.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { testApi, problemOf, type TestApi } from './support.ts';

const away = 'postgres://nobody@127.0.0.1:1/none';
let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database?.close());

describe('the app', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await testApi(database.url);
  });
  afterAll(() => api?.close());

  it('answers problems as RFC 9457 says', async () => {
    const response = await api.app.request('/crm/v1/leads', { headers: { 'x-request-id': 'mine-1' } });
    expect([response.status, response.headers.get('content-type'), response.headers.get('www-authenticate')]).toEqual([
      401,
      'application/problem+json',
      'Bearer',
    ]);
    expect(response.headers.get('x-request-id')).toBe('mine-1');
    expect(await response.json()).toEqual({
      type: 'urn:crm:problem:unauthenticated',
      title: 'No valid access token',
      status: 401,
      code: 'unauthenticated',
      detail: 'Send a valid access token: Authorization: Bearer …',
      instance: '/crm/v1/leads',
      requestId: 'mine-1',
      errors: [],
    });
  });

  it('gives a request ID of its own when the offered one is not sane', async () => {
    const response = await api.app.request('/healthz', { headers: { 'x-request-id': 'a b' } });
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('knows unknown paths from methods that a path does not have', async () => {
    const unknown = await api.app.request('/nowhere');
    expect([unknown.status, (await problemOf(unknown)).code]).toEqual([404, 'not_found']);
    for (const [method, path, allow] of [
      ['DELETE', '/crm/v1/leads', 'GET, HEAD, POST'],
      ['GET', '/crm/v1/leads/bulk', 'POST'],
      ['DELETE', '/crm/v1/leads/bulk', 'POST'],
      ['OPTIONS', '/crm/v1/leads/019aa000-0000-7000-8000-000000000001', 'GET, HEAD, PUT, PATCH, DELETE'],
      ['PUT', '/v1/leads/capture', 'POST'],
      ['POST', '/healthz', 'GET, HEAD'],
    ] as const) {
      const response = await api.app.request(path, { method });
      expect([path, response.status, response.headers.get('allow'), (await problemOf(response)).code]).toEqual([
        path,
        405,
        allow,
        'method_not_allowed',
      ]);
    }
  });

  it('refuses an identifier that is no UUID', async () => {
    const response = await api.send('GET', '/crm/v1/leads/42');
    expect(await problemOf(response)).toMatchObject({
      code: 'invalid',
      errors: [{ path: 'id', message: 'must be a UUID' }],
    });
  });

  it('refuses bodies before anything else is looked at', async () => {
    const post = (options: Parameters<TestApi['send']>[2]) =>
      api.send('POST', '/v1/leads/capture', options).then(problemOf);
    expect((await post({ body: '{', headers: {} })).code).toBe('malformed');
    expect((await post({ body: '{}', headers: { 'content-type': 'text/plain' } })).code).toBe('unsupported_media_type');
    expect((await post({ body: `"${'x'.repeat(1024 * 1024)}"` })).code).toBe('body_too_large');
    expect((await post({ body: {}, headers: { 'idempotency-key': null } })).code).toBe('idempotency_key_missing');
    expect((await post({ body: {}, headers: { 'idempotency-key': 'with blank' } })).code).toBe('invalid');
    expect((await post({ body: {}, headers: { 'idempotency-key': 'x'.repeat(256) } })).code).toBe('invalid');
    expect((await post({ body: {}, roles: ['support'] })).code).toBe('forbidden');
    expect((await post({ body: { email: 'a@example.com', fullName: 'A', extra: 1 } })).errors).toEqual([
      { path: 'extra', message: expect.any(String) },
    ]);
  });

  it('says 503 with Retry-After while PostgreSQL is away, and 500 without the cause when something is broken', async () => {
    const alone = await testApi(away);
    for (const path of ['/crm/v1/leads', '/crm/v1/leads/42']) {
      const unavailable = await alone.send('GET', path);
      expect([path, unavailable.status, unavailable.headers.get('retry-after')]).toEqual([path, 503, '2']);
      expect((await problemOf(unavailable)).code).toBe('unavailable');
    }
    await alone.close();
    const list = () => Promise.reject(new Error('value of row: ada@example.com'));
    const broken = await testApi(database.url, { records: { list } as unknown as RecordsService });
    const unexpected = await broken.send('GET', '/crm/v1/leads');
    expect(unexpected.status).toBe(500);
    const text = await unexpected.text();
    expect(text).toContain('"internal"');
    expect(text).not.toContain('ada@');
    await broken.close();
  });

  it('serves health, keys, measurements and the reference from this host', async () => {
    for (const path of ['/healthz', '/readyz', '/metrics', '/.well-known/jwks.json', '/docs', '/docs/reference.js']) {
      const response = await api.app.request(path);
      expect([path, response.status]).toEqual([path, 200]);
    }
    const page = await api.app.request('/docs');
    expect(page.headers.get('content-security-policy')).toContain("connect-src 'self'");
    expect(await page.text()).not.toMatch(/https?:\/\//);
  });
});

describe('the rate limit of a caller', () => {
  it('answers 429 with the headers, and lets others through', async () => {
    const api = await testApi(database.url, { rateLimit: { perSecond: 1, burst: 2 } });
    const userId = '019aa000-0000-7000-8000-000000000002';
    const ask = (user?: string) => api.send('GET', '/crm/v1/leads/42', user ? { userId: user } : {});
    const first = await ask(userId);
    expect(['limit', 'remaining', 'reset'].map((name) => first.headers.get(`ratelimit-${name}`))).toEqual([
      '2',
      '1',
      '1',
    ]);
    expect((await ask(userId)).status).toBe(400);
    const third = await ask(userId);
    expect([
      third.status,
      third.headers.get('retry-after'),
      third.headers.get('ratelimit-remaining'),
      (await problemOf(third)).code,
    ]).toEqual([429, '1', '0', 'rate_limited']);
    expect((await ask()).status).toBe(400);
    await api.close();
  });

  it('limits whoever guesses tokens by address', async () => {
    const api = await testApi(database.url, { rateLimit: { perSecond: 1, burst: 1 } });
    expect((await api.app.request('/crm/v1/leads')).status).toBe(401);
    expect((await api.app.request('/crm/v1/leads')).status).toBe(429);
    await api.close();
  });
});
