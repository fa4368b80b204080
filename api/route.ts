import type { Context } from 'hono';
import type { Actor } from '../db/access/actor.ts';
import type { ProblemCode } from '../db/model/problem.ts';
import type { BodyRules } from './body.ts';
import type { ApiEnv } from './environment.ts';
import type { JsonSchema } from './json-schema.ts';

/** A query or header parameter, as checked and as documented. */
export interface Parameter {
  name: string;
  in: 'query' | 'header';
  description: string;
  schema: JsonSchema;
  required?: boolean;
  example?: unknown;
  /** Name under which documents keep it once, where many routes have it. */
  component?: string;
}

/** A schema with the name that documents refer to it by. */
export interface NamedSchema {
  name: string;
  schema: JsonSchema;
}

export interface DocumentedAnswer {
  description: string;
  content?: NamedSchema;
  contentType?: string;
  headers?: readonly string[];
}

interface RouteBase {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** Such as `/crm/v1/leads/{id}`; `{id}` is a UUID. */
  path: string;
  operationId: string;
  summary: string;
  description?: string;
  /** Group in the API reference. */
  tag: string;
  /** Besides those that every route of its kind has. */
  problems?: readonly ProblemCode[];
  answers: Readonly<Record<number, DocumentedAnswer>>;
}

/** A route for everybody: health, documents. */
export interface PublicRoute extends RouteBase {
  access: 'public';
  handle(c: Context<ApiEnv>): Response | Promise<Response>;
}

/** A route for callers with a token: authenticated, limited, its input checked, before `handle` runs. */
export interface CallerRoute extends RouteBase {
  access: 'caller';
  /** Feature flag `crm_feature_{feature}`: off means 404 `feature_disabled`. Null: nobody can switch it off. */
  feature: string | null;
  parameters?: readonly Parameter[];
  body?: Partial<BodyRules> & { content: NamedSchema; example: unknown };
  handle(request: CallerRequest): Promise<ApiAnswer>;
}

/** A route for machines that sign what they send (a mail server): the signature is checked before `handle` runs. */
export interface SignedRoute extends RouteBase {
  access: 'signed';
  /** What sender and API share; undefined: nobody has set the route up, and `whenUnset` says how to. */
  secret: string | undefined;
  whenUnset: string;
  body: { mediaType: string; limitBytes: number; description: string; example: string };
  handle(request: SignedRequest): Promise<ApiAnswer>;
}

export type Route = PublicRoute | CallerRoute | SignedRoute;

/** A request whose signature is right. */
export interface SignedRequest {
  readonly body: Buffer;
  /** Receipt at the API: the business instant of a command. */
  readonly receivedAt: Date;
}

/** A request whose caller is known. */
export interface CallerRequest {
  readonly actor: Actor;
  readonly method: string;
  /** As requested, without the query. */
  readonly path: string;
  /** The UUID in the path; empty where the path has none. */
  readonly id: string;
  /** Declared parameters only, each given once. */
  readonly query: ReadonlyMap<string, string>;
  /** Parsed JSON, not yet checked against a schema. */
  readonly body: unknown;
  /** Receipt at the API: the business instant of a command. */
  readonly receivedAt: Date;
  header(name: string): string | undefined;
}

export interface ApiAnswer {
  status: number;
  /** JSON; absent for 204 and 304. */
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
}
