import { v7 as uuidv7 } from 'uuid';
import type { Role } from '../../workflows/access/permissions.ts';
import {
  type Made,
  makeAssignmentRule,
  makeOrganization,
  makeScoringModel,
  makeTeam,
  makeUser,
  suffix,
  type TestOrganization,
} from './factories.ts';
import type { Product } from './product.ts';

/** An answer of the API; `body` is `{}` when there is none. */
export interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

export interface Request {
  body?: unknown;
  /** Idempotency-Key of a write; a fresh one when left out. */
  key?: string;
  headers?: Record<string, string>;
}

/** Somebody with a token. `send` throws when the connection breaks before the answer. */
export interface Caller {
  send(method: string, path: string, request?: Request): Promise<Answer>;
}

/** An organisation that works around the clock: one rule gives every lead to one team in turn. */
export interface Tenant {
  org: TestOrganization;
  reps: Made[];
  team: Made;
  rule: Made;
  /** Its administrator. */
  admin: Caller;
  as(role: Role, userId: string): Promise<Caller>;
}

export interface TenantPlan {
  /** Values of each member of the team, in the order of turns. */
  reps?: Record<string, unknown>[];
  /** Values of the assignment rule. */
  rule?: Record<string, unknown>;
}

const roomy = { capacity: 10_000 };

export async function makeTenant(
  product: Product,
  { reps: plans = [roomy, roomy], rule: ruleValues = {} }: TenantPlan = {},
): Promise<Tenant> {
  const org = await makeOrganization(product.database);
  const reps: Made[] = [];
  for (const plan of plans) reps.push(await makeUser(org, plan));
  const team = await makeTeam(org, reps);
  await makeScoringModel(org);
  const rule = await makeAssignmentRule(org, team, ruleValues);
  const as = async (role: Role, userId: string) => caller(product.api, await product.token(role, org.id, userId));
  return { org, reps, team, rule, as, admin: await administrator(product, org.id) };
}

/** An administrator of an organisation that the product knows already. */
export async function administrator(product: Product, organizationId: string): Promise<Caller> {
  return caller(product.api, await product.token('admin', organizationId, uuidv7()));
}

function caller(api: string, token: string): Caller {
  return {
    async send(method, path, { body, key = uuidv7(), headers = {} } = {}) {
      const response = await fetch(new URL(path, api), {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(method === 'GET' ? {} : { 'idempotency-key': key }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: text ? (JSON.parse(text) as Record<string, unknown>) : {},
      };
    },
  };
}

/** What a website form sends of somebody who was never heard of. */
export function stranger(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  const mark = suffix();
  return { fullName: `Ada ${mark}`, email: `ada-${mark}@example.com`, country: 'DE', source: 'website', ...overrides };
}
