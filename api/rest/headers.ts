import { createHash } from 'node:crypto';
import type { WriteContext } from '../../db/records.ts';
import type { ExpectedVersion } from '../../db/record-writer.ts';
import { Problem, type ProblemCode } from '../../db/model/problem.ts';
import type { CallerRequest, Parameter } from '../route.ts';

/** Required by every write (IETF draft `Idempotency-Key`). */
export const idempotencyKeyHeader: Parameter = {
  component: 'IdempotencyKey',
  name: 'Idempotency-Key',
  in: 'header',
  required: true,
  description: 'Names this write. The same key with the same body gets the first answer again, for 24 hours.',
  schema: { type: 'string', pattern: '^[!-~]{1,255}$' },
  example: '0b6f4c1e-5a31-4b0e-9d38-0f6f1c0c9a11',
};

/** What every write may be refused with, beside its own reasons. */
export const keyedWriteProblems = [
  'idempotency_key_missing',
  'idempotency_key_reused',
  'forbidden',
  'conflict',
  'in_progress',
] as const satisfies readonly ProblemCode[];

/** Required by every change of a single record (RFC 9110 §13.1.1). */
export const ifMatchHeader: Parameter = {
  component: 'IfMatch',
  name: 'If-Match',
  in: 'header',
  required: true,
  description: 'The ETag of the record as it was read, or `*` for whatever version there is.',
  schema: { type: 'string', pattern: '^("[1-9][0-9]{0,9}"|\\*)$' },
  example: '"1"',
};

/** Taken by every read of a single record (RFC 9110 §13.1.2). */
export const ifNoneMatchHeader: Parameter = {
  component: 'IfNoneMatch',
  name: 'If-None-Match',
  in: 'header',
  description: 'ETags that the caller has; 304 when the record is still one of them.',
  schema: { type: 'string', maxLength: 1000 },
};

/** Taken by every command (RFC 7240). */
export const preferHeader: Parameter = {
  component: 'Prefer',
  name: 'Prefer',
  in: 'header',
  description: '`respond-async`: answer 202 at once, without waiting for the process.',
  schema: { type: 'string', maxLength: 200 },
};

const visibleAscii = /^[\x21-\x7e]{1,255}$/;

/** The context of a write. Problems: `idempotency_key_missing`; `invalid` for a key that is not 1–255 visible ASCII characters. */
export function writeContext({ actor, method, path, body, receivedAt, header }: CallerRequest): WriteContext {
  const idempotencyKey = header('idempotency-key');
  if (idempotencyKey === undefined) {
    throw new Problem(
      'idempotency_key_missing',
      'Send the header Idempotency-Key, such as a fresh UUID, with every write.',
    );
  }
  if (!visibleAscii.test(idempotencyKey)) {
    throw new Problem('invalid', 'The header Idempotency-Key is not valid; see errors.', [
      { path: 'Idempotency-Key', message: 'must be 1 to 255 visible ASCII characters' },
    ]);
  }
  const route = `${method} ${path}`;
  return { actor, idempotencyKey, route, requestHash: requestHash(route, body), receivedAt };
}

/** SHA-256 over the route and the body with its keys in order, so that key order makes no other request. */
function requestHash(route: string, body: unknown): string {
  return createHash('sha256')
    .update(`${route}\n${JSON.stringify(sorted(body)) ?? ''}`)
    .digest('hex');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => [key, sorted(item)]);
}

/** The version that `If-Match` expects. Problems: `precondition_required` without one, `malformed` for another shape. */
export function expectedVersion({ header }: CallerRequest): ExpectedVersion {
  const value = header('if-match')?.trim();
  if (value === undefined) {
    throw new Problem('precondition_required', 'Read the record first, and send its ETag in the header If-Match.');
  }
  if (value === '*') return '*';
  const version = /^"([1-9]\d{0,9})"$/.exec(value)?.[1];
  if (version === undefined)
    throw new Problem('malformed', 'The header If-Match must be one ETag of this API, such as "3", or *.');
  return Number(version);
}

/** The ETag of a record: its version. */
export function etagOf(record: Readonly<Record<string, unknown>>): string | undefined {
  return typeof record['version'] === 'number' ? `"${record['version']}"` : undefined;
}

/** Whether the caller has this version already (RFC 9110 §13.1.2: weak comparison). */
export function isKnown(etag: string, { header }: CallerRequest): boolean {
  const value = header('if-none-match') ?? '';
  return value.trim() === '*' || value.split(',').some((one) => one.trim().replace(/^W\//, '') === etag);
}

/** Whether the caller wants 202 at once (RFC 7240). */
export function prefersAsync({ header }: CallerRequest): boolean {
  return (header('prefer') ?? '').split(',').some((preference) => preference.trim().toLowerCase() === 'respond-async');
}
