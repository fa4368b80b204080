import { captureRequest, getRequest } from './capture.ts';
import type { BenchInstallation } from './installation.ts';
import { atRate, type Measured, percentile } from './load.ts';
import type { Figure } from './report.ts';

const perSecond = 50;
const readsPerSecond = 5;

/** Capture → assigned at a steady 50 a second with reads beside it: nothing refused, backlog flat, p99 ≤ 300 ms. */
export async function measureSteady({ api, ...installation }: BenchInstallation, seconds: number): Promise<Figure[]> {
  const token = await installation.token('acme');
  await atRate(perSecond, 10, captureRequest(api, token));
  const someLead = await firstLead(api, token);
  const [captures, lists, gets] = await Promise.all([
    atRate(perSecond, seconds, captureRequest(api, token)),
    atRate(
      readsPerSecond,
      seconds,
      getRequest(`${api}/crm/v1/leads?limit=50&filter%5Bstage%5D%5Beq%5D=assigned`, token),
    ),
    atRate(readsPerSecond, seconds, getRequest(`${api}/crm/v1/leads/${someLead}`, token)),
  ]);
  const half = Math.floor(captures.milliseconds.length / 2);
  const of = (milliseconds: number[]): Measured => ({ ...captures, milliseconds });
  const drift =
    percentile(of(captures.milliseconds.slice(half)), 0.5) / percentile(of(captures.milliseconds.slice(0, half)), 0.5);
  return [
    {
      name: `captures at ${perSecond}/s for ${seconds} s, not answered 201 and assigned`,
      value: count(captures),
      limit: { most: 0 },
      detail: JSON.stringify(captures.unexpected),
    },
    {
      name: 'p50 of the capture, second half against first (backlog flat)',
      value: drift,
      unit: '×',
      limit: { most: 2 },
    },
    { name: 'p50 of the capture', value: percentile(captures, 0.5), unit: 'ms' },
    { name: 'p99 of the capture', value: percentile(captures, 0.99), unit: 'ms', limit: { most: 300 } },
    { name: 'p99 of the list meanwhile', value: percentile(lists, 0.99), unit: 'ms', limit: { most: 300 } },
    { name: 'p99 of the get meanwhile', value: percentile(gets, 0.99), unit: 'ms', limit: { most: 300 } },
    { name: 'reads not answered 200', value: count(lists) + count(gets), limit: { most: 0 } },
  ];
}

const count = ({ unexpected }: Measured): number => Object.values(unexpected).reduce((sum, one) => sum + one, 0);

async function firstLead(api: string, token: string): Promise<string> {
  const response = await fetch(`${api}/crm/v1/leads?limit=1&fields=id`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const { data } = (await response.json()) as { data: { id: string }[] };
  if (!data[0]) throw new Error('There is no lead to read');
  return data[0].id;
}
