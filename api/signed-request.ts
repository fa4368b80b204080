import { createHmac, timingSafeEqual } from 'node:crypto';
import { Problem } from '../db/model/problem.ts';
import { readBytes } from './body.ts';
import type { SignedRoute } from './route.ts';

/** How far the clocks of sender and receiver may be apart, and how long a request may be on its way. */
export const toleranceSeconds = 300;

/**
 * Reads the body of a signed request, whose `secret` is undefined where nobody has set the route up. Problems:
 * `feature_disabled`, `unauthenticated` (unsigned, forged or out of date), `unsupported_media_type`, `body_too_large`.
 */
export async function readSigned(request: Request, route: SignedRoute, receivedAt: Date): Promise<Buffer> {
  const { secret, body } = route;
  if (secret === undefined) throw new Problem('feature_disabled', route.whenUnset);
  const timestamp = request.headers.get('crm-timestamp') ?? '';
  refuseUntimely(timestamp, receivedAt);
  const bytes = await readBytes(request, body.limitBytes);
  const given = Buffer.from(request.headers.get('crm-signature') ?? '');
  const expected = Buffer.from(signatureOf(secret, timestamp, bytes));
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new Problem(
      'unauthenticated',
      'The signature does not fit. Send Crm-Signature: v1= and the HMAC-SHA256 of "{Crm-Timestamp}.{body}" in hex.',
    );
  }
  const [mediaType = ''] = (request.headers.get('content-type') ?? '').split(';');
  if (mediaType.trim().toLowerCase() !== body.mediaType)
    throw new Problem(
      'unsupported_media_type',
      `Send the body as it is, with the header Content-Type: ${body.mediaType}.`,
    );
  return bytes;
}

function signatureOf(secret: string, timestamp: string, body: Uint8Array): string {
  return `v1=${createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('hex')}`;
}

/** Before the body is read: an old request is refused unread. */
function refuseUntimely(timestamp: string, receivedAt: Date): void {
  const isTimely = /^\d{1,12}$/.test(timestamp);
  if (isTimely && Math.abs(receivedAt.getTime() / 1_000 - Number(timestamp)) <= toleranceSeconds) return;
  throw new Problem(
    'unauthenticated',
    `Sign the request: Crm-Timestamp must be the Unix time in seconds, at most ${toleranceSeconds} seconds off.`,
  );
}
