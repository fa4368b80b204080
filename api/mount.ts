import type { Context, Hono } from 'hono';
import type { StatusCode } from 'hono/utils/http-status';
import type { Actor } from '../db/access/actor.ts';
import { Problem } from '../db/model/problem.ts';
import { readBody } from './body.ts';
import type { ApiEnv } from './environment.ts';
import type { ApiAnswer, CallerRoute, Route, SignedRoute } from './route.ts';
import { readSigned } from './signed-request.ts';

/** Who gets in. Throws Problems. */
export interface Admission {
  /** A caller with a token: who they are, whether they come too often, whether the module is on. */
  caller(c: Context<ApiEnv>, feature: string | null): Promise<Actor>;
  /** A sender of signed requests, before anything is read: whether its address comes too often. */
  address(c: Context<ApiEnv>): void;
}

const bodyLimitBytes = 1024 * 1024;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Puts every declared route on the app, and 405 with `Allow` on the other methods of its path. */
export function mountRoutes(app: Hono<ApiEnv>, routes: readonly Route[], admission: Admission): void {
  const byPath = Map.groupBy(routes, ({ path }) => path);
  // A literal segment goes before a parameter, so that `/leads/bulk` is not taken for a lead.
  for (const path of [...byPath.keys()].toSorted((a, b) => (order(a) < order(b) ? -1 : 1))) {
    const declared = byPath.get(path) ?? [];
    const pattern = path.replaceAll(/\{(\w+)\}/g, ':$1');
    app.use(pattern, async (c, next) => {
      c.set('route', path);
      await next();
    });
    for (const route of declared) {
      app.on(route.method.toUpperCase(), pattern, (c) => handle(c, route, admission));
    }
    const allow = declared
      .flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]))
      .join(', ');
    app.all(pattern, (c) => {
      c.header('Allow', allow);
      throw new Problem(
        'method_not_allowed',
        `${c.req.method} is not possible here; ${allow} ${allow.includes(',') ? 'are' : 'is'}.`,
      );
    });
  }
}

const order = (path: string): string => path.replaceAll(/\{\w+\}/g, '~');

function handle(c: Context<ApiEnv>, route: Route, admission: Admission): Response | Promise<Response> {
  switch (route.access) {
    case 'public':
      return route.handle(c);
    case 'caller':
      return handleCaller(c, route, admission);
    case 'signed':
      return handleSigned(c, route, admission);
  }
}

async function handleSigned(c: Context<ApiEnv>, route: SignedRoute, admission: Admission): Promise<Response> {
  const receivedAt = new Date();
  admission.address(c);
  return respond(c, await route.handle({ body: await readSigned(c.req.raw, route, receivedAt), receivedAt }));
}

async function handleCaller(c: Context<ApiEnv>, route: CallerRoute, admission: Admission): Promise<Response> {
  const receivedAt = new Date();
  const actor = await admission.caller(c, route.feature);
  const id = readId(c.req.param('id'));
  const query = readQuery(new URL(c.req.url).searchParams, route);
  const { limitBytes = bodyLimitBytes, optional = false } = route.body ?? {};
  const body = route.body ? await readBody(c.req.raw, { limitBytes, optional }) : undefined;
  const { method, path } = c.req;
  return respond(
    c,
    await route.handle({ actor, method, path, id, query, body, receivedAt, header: (name) => c.req.header(name) }),
  );
}

function readId(id: string | undefined): string {
  if (id === undefined) return '';
  if (uuid.test(id)) return id.toLowerCase();
  throw new Problem('invalid', 'The path is not valid; see errors.', [{ path: 'id', message: 'must be a UUID' }]);
}

/** The parameters of a query string; unknown ones, and one given twice, are Problem `invalid` with what is allowed. */
function readQuery(search: URLSearchParams, { parameters = [] }: CallerRoute): ReadonlyMap<string, string> {
  const known = parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
  const query = new Map<string, string>();
  const errors = [...search].flatMap(([name, value]) => {
    const message = refusal(name, value, known, query.has(name));
    query.set(name, value);
    return message ? [{ path: printable(name), message }] : [];
  });
  if (errors.length > 0) throw new Problem('invalid', 'The query is not valid; see errors.', errors);
  return query;
}

function refusal(name: string, value: string, known: readonly string[], again: boolean): string | null {
  if (!known.includes(name)) return `is not a parameter here; possible are ${summary(known)}`;
  if (again) return 'is given twice';
  return value.includes('\u0000') ? 'holds a NUL character' : null;
}

/** Names of parameters for people: the operators of one filter are told together. */
function summary(names: readonly string[]): string {
  const told = new Map<string, string[]>();
  for (const name of names) {
    const [, field, op] = /^(filter\[\w+\])\[(\w+)\]$/.exec(name) ?? [];
    told.set(field ?? name, [...(told.get(field ?? name) ?? []), ...(op ? [op] : [])]);
  }
  return [...told].map(([name, ops]) => (ops.length > 0 ? `${name}[${ops.join('|')}]` : name)).join(', ') || 'none';
}

const printable = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, '�').slice(0, 100);

function respond(c: Context<ApiEnv>, { status, body, headers = {} }: ApiAnswer): Response {
  for (const [name, value] of Object.entries(headers)) c.header(name, value);
  c.header('Cache-Control', 'private, no-cache');
  if (body === undefined || body === null) return c.body(null, status as StatusCode as 204);
  c.header('Content-Type', 'application/json');
  return c.body(JSON.stringify(body), status as StatusCode as 200);
}
