import type { MiddlewareHandler } from 'hono';
import type { Logger } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { actorLabel } from '../db/access/actor.ts';
import type { ApiEnv } from './environment.ts';
import type { ApiMetrics } from './metrics.ts';

const saneId = /^[A-Za-z0-9._:-]{1,100}$/;

/**
 * Gives each request an ID (the caller's `X-Request-Id` if it is sane), answers it, and writes one log line and one
 * measurement when done: route pattern, status, duration, actor; no query, no body, no personal data.
 */
export function logRequests(log: Logger, metrics: ApiMetrics): MiddlewareHandler<ApiEnv> {
  // A line of fixed properties: looking it through for personal ones would take longer than writing it.
  const lines = log.child({}, { redact: [] });
  return async (c, next) => {
    const started = performance.now();
    const offered = c.req.header('x-request-id') ?? '';
    c.set('requestId', saneId.test(offered) ? offered : uuidv7());
    await next();
    c.res.headers.set('X-Request-Id', c.var.requestId);
    c.res.headers.set('X-Content-Type-Options', 'nosniff');
    const { method } = c.req;
    const { status } = c.res;
    const { requestId, route = 'unknown', actor } = c.var;
    const durationMs = Math.round((performance.now() - started) * 10) / 10;
    metrics.httpDuration.record(durationMs / 1_000, { method, route, status });
    const line = { requestId, method, route, status, durationMs, actor: actor ? actorLabel(actor) : 'nobody' };
    if (status === 500) lines.error(line, 'request failed');
    else lines.info(line, 'request');
  };
}
