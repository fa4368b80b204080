import { OpenAPIHono } from '@hono/zod-openapi';
import { getConnInfo } from '@hono/node-server/conninfo';
import type { Meter } from '@opentelemetry/api';
import type { Client } from '@temporalio/client';
import type { Context } from 'hono';
import type { Logger } from 'pino';
import type { Visit } from '../db/access/access-log.queries.ts';
import { readMembership } from '../db/access/membership.queries.ts';
import { actorLabel } from '../db/access/actor.ts';
import { readFeatureFlags } from '../db/automation/feature-flags.queries.ts';
import type { Database } from '../db/database.ts';
import { Problem } from '../db/model/problem.ts';
import type { RecordsService } from '../db/records.ts';
import { createAccessLog } from './access-log.ts';
import { createAuthentication, type TokenRules } from './authentication.ts';
import type { ApiEnv } from './environment.ts';
import { createFeatureGuard } from './feature-flags.ts';
import { createMetrics } from './metrics.ts';
import { createInboundMail, type InboundMailSettings } from './mail/inbound.ts';
import { inboundMailRoute } from './mail/route.ts';
import { createMembershipGuard } from './membership.ts';
import { type Admission, mountRoutes } from './mount.ts';
import { openApiDocument } from './openapi.ts';
import { problemOf, problemResponse } from './problems.ts';
import type { Deliver } from './processes/delivery.ts';
import { createDispatcher } from './processes/dispatch.ts';
import { createLiveStateReader } from './processes/live-state.ts';
import { RateLimit, type RateLimitOptions } from './rate-limit.ts';
import { referenceRoutes } from './reference.ts';
import { logRequests } from './request-log.ts';
import type { Route } from './route.ts';
import { createRoutes } from './routes.ts';
import { type SystemParts, systemRoutes } from './system-routes.ts';

export interface AppDependencies {
  records: RecordsService;
  database: Database;
  client: Client;
  deliver: Deliver;
  tokens: TokenRules;
  rateLimit: RateLimitOptions;
  system: Omit<SystemParts, 'openApi'>;
  inboundMail: InboundMailSettings;
  meter: Meter;
  log: Logger;
}

export interface App {
  fetch: OpenAPIHono<ApiEnv>['fetch'];
  request: OpenAPIHono<ApiEnv>['request'];
  /** Resolves when nothing runs in the background any more: deliveries, the access log. */
  drained(): Promise<void>;
}

/** The HTTP surface, testable without a port. */
export function createApp({
  records,
  database,
  client,
  deliver,
  tokens,
  rateLimit,
  system,
  inboundMail,
  meter,
  log,
}: AppDependencies): App {
  const metrics = createMetrics(meter);
  const accessLog = createAccessLog(database, log);
  const dispatcher = createDispatcher({ database, deliver, metrics, log });
  const requireFeature = createFeatureGuard((organizationId) => readFeatureFlags(database, organizationId), log);
  const receiveMail = createInboundMail(inboundMail, { database, dispatcher, requireFeature });
  const app = new OpenAPIHono<ApiEnv>();

  let openApi: string | undefined;
  const routes: readonly Route[] = [
    ...createRoutes({ records, database, dispatcher, liveState: createLiveStateReader(client) }),
    inboundMailRoute(inboundMail.secret, receiveMail),
    ...systemRoutes({ ...system, openApi: () => (openApi ??= openApiDocument(app, routes)) }),
    ...referenceRoutes,
  ];

  app.use(logRequests(log, metrics));
  mountRoutes(app, routes, createAdmission());
  app.notFound((c) =>
    problemResponse(c, new Problem('not_found', 'There is nothing at this path; /docs shows what there is.')),
  );
  app.onError((error, c) => {
    const problem = problemOf(error);
    if (problem.code === 'internal') log.error({ err: error, requestId: c.var.requestId }, 'unexpected error');
    if (problem.code === 'forbidden' && c.var.actor) accessLog.refused(c.var.actor, visitOf(c));
    if (problem.code === 'unavailable') log.warn({ err: error, requestId: c.var.requestId }, 'away');
    return problemResponse(c, problem);
  });
  return { fetch: app.fetch, request: app.request, drained };

  async function drained(): Promise<void> {
    await Promise.all([dispatcher.drained(), accessLog.drained()]);
  }

  function createAdmission(): Admission {
    const authenticate = createAuthentication(tokens, log);
    const requireMembership = createMembershipGuard((organizationId) => readMembership(database, organizationId), log);
    const limit = new RateLimit(rateLimit);
    const address = (c: Context<ApiEnv>) => take(c, limit, `address:${addressOf(c)}`);
    return {
      address,
      async caller(c, feature) {
        const caller = await authenticate(c.req.header('authorization')).catch((error: unknown) => {
          // Whoever guesses tokens is limited by address.
          address(c);
          throw error;
        });
        const { actor } = caller;
        c.set('actor', actor);
        take(c, limit, `${actor.organizationId}:${actorLabel(actor)}`);
        await requireMembership(actor);
        accessLog.seen(caller, visitOf(c));
        if (feature !== null) await requireFeature(feature, actor.organizationId);
        return actor;
      },
    };
  }

  function take(c: Context<ApiEnv>, limit: RateLimit, caller: string): void {
    const { admitted, remaining, resetSeconds, retryAfterSeconds } = limit.admit(caller);
    c.header('RateLimit-Limit', String(rateLimit.burst));
    c.header('RateLimit-Remaining', String(remaining));
    c.header('RateLimit-Reset', String(resetSeconds));
    if (admitted) return;
    throw new Problem(
      'rate_limited',
      `You may send ${rateLimit.perSecond} requests a second, ${rateLimit.burst} at once after a pause.`,
      [],
      { retryAfterSeconds },
    );
  }
}

function visitOf(c: Context<ApiEnv>): Visit {
  return { route: `${c.req.method} ${c.var.route ?? 'unknown'}`, requestId: c.var.requestId, at: new Date() };
}

function addressOf(c: Context<ApiEnv>): string {
  return c.env?.incoming ? (getConnInfo(c).remote.address ?? 'unknown') : 'none';
}
