import { metrics } from '@opentelemetry/api';
import { Client, Connection } from '@temporalio/client';
import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT } from 'jose';
import pino from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { type App, type AppDependencies, createApp } from '../../api/app.ts';
import { createMailReader } from '../../api/mail/reader.ts';
import type { Deliver } from '../../api/processes/delivery.ts';
import { createRecordsService } from '../../db/records.ts';
import { type Database, inOrganization, openDatabase } from '../../db/database.ts';

export const issuer = 'durable-crm';
export const audience = 'crm';
/** What mail servers of a test sign with. */
export const mailSecret = 'a secret of tests, 32 characters or more';
export const silent = pino({ level: 'silent' });

export interface Keys {
  privateKey: Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];
  resolve: ReturnType<typeof createLocalJWKSet>;
  jwks: { keys: Awaited<ReturnType<typeof exportJWK>>[] };
}

/** A key pair, its public half as a JWK set. */
export async function keyPair(algorithm = 'ES256'): Promise<Keys> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'test', alg: algorithm, use: 'sig' }] };
  return { privateKey, resolve: createLocalJWKSet(jwks), jwks };
}

export interface TokenClaims {
  sub?: string;
  organizationId?: string | undefined;
  roles?: readonly string[] | undefined;
  scope?: string;
  issuer?: string;
  audience?: string;
  tokenId?: string | undefined;
  /** Seconds from now; null: no expiry. */
  expiresIn?: number | null;
  algorithm?: string;
}

/** A signed token; what is left out is right for these tests. */
export function token({ privateKey }: Keys, claims: TokenClaims = {}): Promise<string> {
  const { sub = uuidv7(), organizationId = uuidv7(), roles, scope, expiresIn = 300, algorithm = 'ES256' } = claims;
  const jwt = new SignJWT({
    organization_id: organizationId,
    ...(scope === undefined ? { roles: roles ?? ['admin'] } : { scope }),
  })
    .setProtectedHeader({ alg: algorithm, kid: 'test' })
    .setSubject(sub)
    .setIssuer(claims.issuer ?? issuer)
    .setAudience(claims.audience ?? audience);
  if (claims.tokenId !== undefined) jwt.setJti(claims.tokenId).setIssuedAt();
  if (expiresIn !== null) jwt.setExpirationTime(Math.floor(Date.now() / 1000) + expiresIn);
  return jwt.sign(privateKey);
}

export const nobodyDelivers: Deliver = () => Promise.resolve({ outcome: 'pending', reason: 'no process in this test' });

export interface TestApi {
  app: App;
  keys: Keys;
  database: Database;
  organizationId: string;
  /** Sends a request with a token, `Idempotency-Key` and JSON body as needed. */
  send(method: string, path: string, options?: SendOptions): Promise<Response>;
  close(): Promise<void>;
}

export interface SendOptions {
  roles?: readonly string[];
  userId?: string;
  organizationId?: string;
  tokenId?: string;
  body?: unknown;
  headers?: Record<string, string | null>;
}

/** The app over a database; Temporal is away unless `overrides` bring it. */
export async function testApi(url: string, overrides: Partial<AppDependencies> = {}): Promise<TestApi> {
  const keys = await keyPair();
  const database = await openDatabase({ url, role: 'crm_app', size: 4 });
  const relay = await openDatabase({ url, role: 'crm_relay', size: 2 });
  const connection = Connection.lazy({ address: '127.0.0.1:1', interceptors: [] });
  const reader = createMailReader();
  const organizationId = uuidv7();
  const organizations = new Set<string>();
  const defaultUser = uuidv7();
  const app = createApp({
    records: createRecordsService(database),
    database,
    client: new Client({ connection }),
    deliver: nobodyDelivers,
    tokens: { keys: keys.resolve, issuer, audience },
    rateLimit: { perSecond: 1_000, burst: 10_000 },
    system: {
      readiness: () => Promise.resolve({ ready: true, parts: {} }),
      metricsText: () => Promise.resolve('# none\n'),
      metricsContentType: 'text/plain; version=0.0.4; charset=utf-8',
      jwks: keys.jwks,
    },
    inboundMail: { secret: mailSecret, supportAddress: 'support@{organization}.example', relay, reader },
    meter: metrics.getMeter('test'),
    log: silent,
    ...overrides,
  });
  return {
    app,
    keys,
    database,
    organizationId,
    async send(
      method,
      path,
      { roles, userId = defaultUser, organizationId: organization = organizationId, tokenId, body, headers = {} } = {},
    ) {
      if (!organizations.has(organization)) await haveOrganization(database, organization);
      organizations.add(organization);
      const bearer = await token(keys, { sub: userId, organizationId: organization, roles, tokenId });
      const all: Record<string, string | null> = {
        authorization: `Bearer ${bearer}`,
        ...(method === 'GET' ? {} : { 'idempotency-key': uuidv7() }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      };
      const kept = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null);
      return app.request(path, {
        method,
        headers: Object.fromEntries(kept),
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
    },
    async close() {
      await app.drained();
      await connection.close();
      await Promise.all([database.close(), relay.close(), reader.close()]);
    },
  };
}

/** Every caller belongs to an organisation; a database that is away has none. */
async function haveOrganization(database: Database, organizationId: string): Promise<void> {
  await inOrganization(database, organizationId, (em) =>
    em.execute(
      `insert into crm_core.core_organizations (organization_id, slug, name, created_at, updated_at, created_by, updated_by, version)
       values (?, ?, 'Acme', now(), now(), 'process:test', 'process:test', 1) on conflict do nothing`,
      [organizationId, organizationId],
    ),
  ).catch(() => undefined);
}

/** The problem document of an answer. */
export async function problemOf(
  response: Response,
): Promise<{ code: string; status: number; detail: string; errors: { path: string; message: string }[] }> {
  return (await response.json()) as never;
}
