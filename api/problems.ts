import type { Context } from 'hono';
import type { StatusCode } from 'hono/utils/http-status';
import { Problem, type ProblemCode, type ProblemEntry } from '../db/model/problem.ts';
import type { ApiEnv } from './environment.ts';

/** An error as clients receive it (RFC 9457, `application/problem+json`). */
export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  /** The word to program against; `title` and `detail` are for people. */
  code: ProblemCode;
  detail: string;
  instance: string;
  requestId: string;
  errors: readonly ProblemEntry[];
}

/** What each code means, in words: `title` of a problem document. */
export const problemTitles: Readonly<Record<ProblemCode, string>> = {
  malformed: 'The request cannot be read',
  invalid: 'The request does not fit its schema',
  idempotency_key_missing: 'The header Idempotency-Key is missing',
  invalid_cursor: 'The cursor is not one of this list',
  unauthenticated: 'No valid access token',
  forbidden: 'Not permitted',
  not_found: 'Not found',
  feature_disabled: 'This module is switched off',
  method_not_allowed: 'The path has no such method',
  conflict: 'Another write was faster',
  in_progress: 'The first request with this key is still running',
  duplicate: 'Such a record exists already',
  illegal_stage: 'Not legal in this stage of the process',
  stale: 'The record has changed since it was read',
  body_too_large: 'The body is too large',
  unsupported_media_type: 'The body is of another media type',
  rule_violation: 'A rule refuses this',
  process_owned: 'Only the process changes this field',
  reference_not_found: 'A referenced record does not exist',
  idempotency_key_reused: 'The idempotency key belongs to another request',
  precondition_required: 'The header If-Match is missing',
  rate_limited: 'Too many requests',
  internal: 'Something is broken on our side',
  unavailable: 'Away for a moment',
};

/** Seconds after which the same request may succeed; the rate limit says its own. */
const retryAfterSeconds: Partial<Record<ProblemCode, number>> = {
  conflict: 1,
  in_progress: 1,
  rate_limited: 600,
  unavailable: 2,
};

/** Answers with a problem; headers already set on the context (rate limit, Allow) stay. */
export function problemResponse(c: Context<ApiEnv>, problem: Problem): Response {
  const { code, status, message: detail, errors } = problem;
  const document: ProblemDocument = {
    type: `urn:crm:problem:${code}`,
    title: problemTitles[code],
    status,
    code,
    detail,
    instance: c.req.path,
    requestId: c.var.requestId,
    errors,
  };
  const retryAfter = problem.retryAfterSeconds ?? retryAfterSeconds[code];
  if (retryAfter !== undefined) c.header('Retry-After', String(retryAfter));
  if (code === 'unauthenticated') c.header('WWW-Authenticate', 'Bearer');
  c.header('Content-Type', 'application/problem+json');
  return c.body(JSON.stringify(document), status as StatusCode as 400);
}

/** The Problem that an error is, or the one that hides an unexpected error from the caller. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem(
    'internal',
    'The request could not be carried out. The request ID leads to the cause in our log.',
    [],
    {
      cause: error,
    },
  );
}
