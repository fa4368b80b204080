import type { OpenAPIHono, RouteConfig } from '@hono/zod-openapi';
import { z } from 'zod';
import { namesExampleId } from '../db/model/example-ids.ts';
import { type ProblemCode, problemStatus } from '../db/model/problem.ts';
import type { ApiEnv } from './environment.ts';
import { jsonSchema, type JsonSchema, uuidJson } from './json-schema.ts';
import { problemTitles } from './problems.ts';
import type { CallerRoute, DocumentedAnswer, NamedSchema, Parameter, Route, SignedRoute } from './route.ts';
import { toleranceSeconds } from './signed-request.ts';

const problem: NamedSchema = {
  name: 'Problem',
  schema: jsonSchema(
    z.object({
      type: z.string(),
      title: z.string(),
      status: z.int(),
      code: z.enum(Object.keys(problemStatus)),
      detail: z.string(),
      instance: z.string(),
      requestId: z.string(),
      errors: z.array(z.object({ path: z.string(), message: z.string() })),
    }),
    'output',
  ),
};

const everyCaller: readonly ProblemCode[] = [
  'invalid',
  'unauthenticated',
  'feature_disabled',
  'rate_limited',
  'internal',
  'unavailable',
];
const withBody: readonly ProblemCode[] = ['malformed', 'body_too_large', 'unsupported_media_type'];

const headerWords: Readonly<Record<string, string>> = {
  ETag: 'The version, for If-Match',
  Location: 'Where it can be read',
  'Retry-After': 'Seconds to wait',
  'WWW-Authenticate': 'Bearer',
};

/** The OpenAPI 3.1 document of these routes, as JSON text. */
export function openApiDocument(app: OpenAPIHono<ApiEnv>, routes: readonly Route[]): string {
  const { openAPIRegistry: registry } = app;
  const shared = new Map<string, JsonSchema>();
  const refer: Refer = (kind, name, what) => {
    const path = `${kind}/${name}`;
    if (!shared.has(path)) {
      shared.set(path, what);
      registry.registerComponent(kind, name, what as never);
    }
    return { $ref: `#/components/${path}` };
  };
  for (const route of routes) registry.registerPath(operation(route, refer) as unknown as RouteConfig);
  registry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'Locally: `npx crm token --role manager` prints one.',
  });
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Durable CRM',
      version: '1',
      description:
        'Every write carries an `Idempotency-Key`; what was accepted is stored. Errors are problem details (RFC 9457) with a `code`. ' +
        'Lists are `{data, nextCursor, hasMore}`. PUT, PATCH and DELETE need `If-Match` with the ETag that was read.',
    },
    security: [{ bearer: [] }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
  });
  return JSON.stringify(document);
}

/** Keeps a part that several operations have once, and answers the reference to it. */
type Refer = (kind: 'schemas' | 'parameters' | 'responses', name: string, what: JsonSchema) => JsonSchema;

function operation(route: Route, refer: Refer): JsonSchema {
  const { method, path, operationId, summary, description, tag } = route;
  return {
    method,
    path,
    operationId,
    summary,
    ...(description ? { description } : {}),
    tags: [tag],
    security: route.access === 'caller' ? [{ bearer: [] }] : [],
    parameters: [...(path.includes('{id}') ? [idParameter] : []), ...parametersOf(route)].map((each) =>
      parameter(each, refer),
    ),
    ...(route.access === 'caller' && route.body ? { requestBody: requestBody(route.body, refer) } : {}),
    ...(route.access === 'signed' ? { requestBody: signedBody(route) } : {}),
    responses: {
      ...Object.fromEntries(Object.entries(route.answers).map(([status, answer]) => [status, response(answer, refer)])),
      ...problemResponses(route, refer),
    },
  };
}

function parametersOf(route: Route): readonly Parameter[] {
  if (route.access === 'signed') return signature;
  return route.access === 'caller' ? (route.parameters ?? []) : [];
}

const signature: readonly Parameter[] = [
  {
    component: 'CrmTimestamp',
    name: 'Crm-Timestamp',
    in: 'header',
    required: true,
    description: `When the request is sent: Unix time in seconds, at most ${toleranceSeconds} seconds off.`,
    schema: { type: 'string', pattern: '^[0-9]{1,12}$' },
  },
  {
    component: 'CrmSignature',
    name: 'Crm-Signature',
    in: 'header',
    required: true,
    description: '`v1=` and the HMAC-SHA256, in hex, of `{Crm-Timestamp}.{body}` with the shared secret.',
    schema: { type: 'string', pattern: '^v1=[0-9a-f]{64}$' },
  },
];

function signedBody({ body: { mediaType, description, example } }: SignedRoute): JsonSchema {
  return { required: true, description, content: { [mediaType]: { schema: { type: 'string' }, example } } };
}

type DocumentedParameter = Omit<Parameter, 'in'> & { in: Parameter['in'] | 'path' };

const idParameter: DocumentedParameter = {
  component: 'Id',
  name: 'id',
  in: 'path',
  required: true,
  description: 'The record.',
  schema: uuidJson,
};

function parameter({ component, example, ...declared }: DocumentedParameter, refer: Refer): JsonSchema {
  const described = { ...declared, ...(example === undefined ? {} : { example }) };
  return component === undefined ? described : refer('parameters', component, described);
}

const replaceIds =
  'Identifiers in the example are of the demo organisation `acme`; elsewhere, put those of your own records.';

function requestBody(
  { content, example, optional = false }: NonNullable<CallerRoute['body']>,
  refer: Refer,
): JsonSchema {
  return {
    required: !optional,
    ...(namesExampleId(JSON.stringify(example)) ? { description: replaceIds } : {}),
    content: {
      'application/json': {
        schema: refer('schemas', content.name, content.schema),
        example,
      },
    },
  };
}

function response(
  { description, content, contentType = 'application/json', headers = [] }: DocumentedAnswer,
  refer: Refer,
): JsonSchema {
  return {
    description,
    ...(headers.length > 0 ? { headers: headersOf(headers) } : {}),
    ...(content ? { content: { [contentType]: { schema: refer('schemas', content.name, content.schema) } } } : {}),
  };
}

function problemResponses(route: Route, refer: Refer): JsonSchema {
  const codes = [
    ...(route.access === 'caller' ? everyCaller : []),
    ...(route.access === 'signed' ? [...everyCaller, ...withBody] : []),
    ...(route.access === 'caller' && route.body ? withBody : []),
    ...(route.problems ?? []),
  ];
  const byStatus = Map.groupBy([...new Set(codes)], (code) => problemStatus[code]);
  return Object.fromEntries(
    [...byStatus].map(([status, sameStatus]) => [
      status,
      refer('responses', sameStatus.join('.'), problemResponse(status, sameStatus, refer)),
    ]),
  );
}

function problemResponse(status: number, codes: readonly ProblemCode[], refer: Refer): JsonSchema {
  const headers = [
    ...(status === 401 ? ['WWW-Authenticate'] : []),
    ...([409, 429, 503].includes(status) ? ['Retry-After'] : []),
  ];
  return {
    description: codes.map((code) => `\`${code}\`: ${problemTitles[code]}`).join('; '),
    ...(headers.length > 0 ? { headers: headersOf(headers) } : {}),
    content: { 'application/problem+json': { schema: refer('schemas', problem.name, problem.schema) } },
  };
}

function headersOf(names: readonly string[]): JsonSchema {
  return Object.fromEntries(
    names.map((name) => [name, { description: headerWords[name] ?? name, schema: { type: 'string' } }]),
  );
}
