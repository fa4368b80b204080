import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import type { ClockLine } from '../../cli/demo-tickets/outcome.ts';
import { loadDemo } from '../../runtime/demo.ts';
import { type Part, type Product, startProduct } from '../support/product.ts';

let product: Product;

beforeAll(async () => {
  product = await startProduct();
  await loadDemo(product.databaseUrl);
}, 240_000);
afterAll(() => product?.stop(), 120_000);

/** Kills parts one after the other while something else goes on, so many seconds after the beginning. */
async function killAt(plan: readonly (readonly [seconds: number, part: Part])[]): Promise<void> {
  const begun = performance.now();
  for (const [seconds, part] of plan) {
    await pause(Math.max(0, begun + seconds * 1_000 - performance.now()));
    await product.kill(part);
  }
}

it('plays tickets as planned though the worker is killed twice and Temporal once, and the audit is clean', async () => {
  const [{ exitCode, output }] = await Promise.all([
    product.crm('demo-tickets', '--fast', '--each', '2', '--json'),
    killAt([
      [25, 'worker'],
      [48, 'temporal'],
      [75, 'worker'],
    ]),
  ]);
  const { clocks, missing, audit } = JSON.parse(output) as {
    clocks: ClockLine[];
    missing: string[];
    audit: { clean: boolean; output: string };
  };
  expect(missing).toEqual([]);
  expect(clocks.filter(({ asPlanned }) => !asPlanned)).toEqual([]);
  expect(audit).toEqual({ clean: true, output: expect.stringContaining('Clean') });
  expect(exitCode).toBe(0);
}, 300_000);
