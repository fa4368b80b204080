import type { JSONWebKeySet } from 'jose';
import { z } from 'zod';
import { jsonSchema } from './json-schema.ts';
import type { Readiness } from './readiness.ts';
import type { NamedSchema, PublicRoute } from './route.ts';

export interface SystemParts {
  readiness(): Promise<Readiness>;
  /** Prometheus text of this process's instruments. */
  metricsText(): Promise<string>;
  metricsContentType: string;
  /** The installation's own public keys; absent when an identity provider has them. */
  jwks?: JSONWebKeySet | undefined;
  openApi(): string;
}

const object = (name: string, shape: z.ZodRawShape): NamedSchema => ({
  name,
  schema: jsonSchema(z.looseObject(shape), 'output'),
});
const text: NamedSchema = { name: 'Text', schema: { type: 'string' } };
const readinessDocument = object('Readiness', {
  ready: z.boolean(),
  parts: z.record(z.string(), z.looseObject({ ready: z.boolean(), detail: z.string().optional() })),
});

/** Health, metrics, keys and the description of the API: open to everybody who reaches the port. */
export function systemRoutes({
  readiness,
  metricsText,
  metricsContentType,
  jwks,
  openApi,
}: SystemParts): PublicRoute[] {
  const base = { access: 'public', method: 'get' } as const;
  const keys: PublicRoute = {
    ...base,
    tag: 'documents',
    path: '/.well-known/jwks.json',
    operationId: 'getKeys',
    summary: 'The public keys of the tokens that this installation signs',
    answers: {
      200: {
        description: 'A JWK set (RFC 7517)',
        content: object('KeySet', { keys: z.array(z.record(z.string(), z.unknown())) }),
      },
    },
    handle: (c) => c.json(jwks),
  };
  return [
    {
      ...base,
      tag: 'health',
      path: '/healthz',
      operationId: 'getHealth',
      summary: 'Whether the process answers',
      answers: { 200: { description: 'It does', content: object('Health', { ok: z.boolean() }) } },
      handle: (c) => c.json({ ok: true }),
    },
    {
      ...base,
      tag: 'health',
      path: '/readyz',
      operationId: 'getReadiness',
      summary: 'Whether database, Temporal and a worker are there',
      answers: {
        200: { description: 'All are', content: readinessDocument },
        503: { description: 'Some are not', content: readinessDocument, headers: ['Retry-After'] },
      },
      handle: async (c) => {
        const state = await readiness();
        if (!state.ready) c.header('Retry-After', '2');
        return c.json(state, state.ready ? 200 : 503);
      },
    },
    {
      ...base,
      tag: 'health',
      path: '/metrics',
      operationId: 'getMetrics',
      summary: 'Measurements, for Prometheus',
      answers: { 200: { description: 'Prometheus text', contentType: 'text/plain', content: text } },
      handle: async (c) => {
        c.header('Content-Type', metricsContentType);
        return c.body(await metricsText());
      },
    },
    {
      ...base,
      tag: 'documents',
      path: '/openapi.json',
      operationId: 'getOpenApi',
      summary: 'This description',
      answers: { 200: { description: 'OpenAPI 3.1', content: object('OpenApi', { openapi: z.string() }) } },
      handle: (c) => {
        c.header('Content-Type', 'application/json');
        return c.body(openApi());
      },
    },
    ...(jwks ? [keys] : []),
  ];
}
