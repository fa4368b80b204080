import { randomUUID } from 'node:crypto';
import type { Request } from './load.ts';

/** A request that captures one new person, and is content with nothing but 201 and stage `assigned`. */
export function captureRequest(api: string, token: string): Request {
  const run = randomUUID().slice(0, 8);
  return async (index) => {
    const response = await fetch(`${api}/v1/leads/capture`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'idempotency-key': `${run}-${index}`,
      },
      body: JSON.stringify({
        fullName: `Person ${run} Number${index}`,
        email: `p${index}.${run}@company${index % 997}.example`,
        phone: `+4930${String(10_000_000 + index).slice(1)}`,
        company: `Company ${index % 997} ${run}`,
        source: 'website',
        country: 'DE',
        message: 'We would like to see a demonstration.',
      }),
    });
    const body = (await response.json()) as { stage?: string };
    return response.status === 201 && body.stage === 'assigned'
      ? null
      : `${response.status} ${body.stage ?? ''}`.trim();
  };
}

/** A GET that is content with 200. */
export function getRequest(url: string | (() => string), token: string): Request {
  return async () => {
    const response = await fetch(typeof url === 'string' ? url : url(), {
      headers: { authorization: `Bearer ${token}` },
    });
    await response.arrayBuffer();
    return response.status === 200 ? null : String(response.status);
  };
}
