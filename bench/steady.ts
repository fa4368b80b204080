import { bareRate, inProportion, withBaseline } from './baseline.ts';
import { captureRequest, getRequest } from './capture.ts';
import type { BenchInstallation } from './installation.ts';
import { atRate, type Measured, percentile } from './load.ts';
import type { Figure } from './report.ts';

const perSecond = 50;
const readsPerSecond = 5;

/** Capture → assigned at a steady rate with reads beside it: nothing refused, backlog flat, p99 ≤ 300 ms, books clean. */
export async function measureSteady(installation: BenchInstallation, seconds: number): Promise<Figure[]> {
  const bare = await withBaseline(installation.temporalAddress, bareRate);
  const figures = [
    bare,
    ...(await steadyAt(inProportion(bare), installation, seconds)),
    ...(await steadyAt(perSecond, installation, seconds)),
  ];
  await installation.settle();
  const discrepancies = await installation.discrepancies();
  return [
    ...figures,
    { name: 'discrepancies that `crm audit` finds afterwards', value: discrepancies, limit: { most: 0 } },
  ];
}

async function steadyAt(rate: number, { api, ...installation }: BenchInstallation, seconds: number): Promise<Figure[]> {
  const token = await installation.token('acme');
  await atRate(rate, 10, captureRequest(api, token));
  const someLead = await firstLead(api, token);
  const [captures, lists, gets] = await Promise.all([
    atRate(rate, seconds, captureRequest(api, token)),
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
  const at = `at ${rate}/s`;
  return [
    {
      name: `captures ${at} for ${seconds} s, not answered 201 and assigned`,
      value: count(captures),
      limit: { most: 0 },
      detail: JSON.stringify(captures.unexpected),
    },
    {
      name: `p50 of the capture ${at}, second half against first (backlog flat)`,
      value: drift,
      unit: '×',
      limit: { most: 2 },
    },
    { name: `p50 of the capture ${at}`, value: percentile(captures, 0.5), unit: 'ms' },
    { name: `p99 of the capture ${at}`, value: percentile(captures, 0.99), unit: 'ms', limit: { most: 300 } },
    { name: `p99 of the list meanwhile, ${at}`, value: percentile(lists, 0.99), unit: 'ms', limit: { most: 300 } },
    { name: `p99 of the get meanwhile, ${at}`, value: percentile(gets, 0.99), unit: 'ms', limit: { most: 300 } },
    { name: `reads ${at} not answered 200`, value: count(lists) + count(gets), limit: { most: 0 } },
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
