import { createHmac } from 'node:crypto';

/** What signs a request to `/events/…` sent at `sentAt`: HMAC-SHA256, in hex, over the Unix seconds, a dot and the body. */
export function signedHeaders(secret: string, body: Uint8Array, sentAt: Date): Record<string, string> {
  const timestamp = String(Math.floor(sentAt.getTime() / 1_000));
  const signature = createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('hex');
  return { 'Crm-Timestamp': timestamp, 'Crm-Signature': `v1=${signature}` };
}
