import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { once } from 'node:events';
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

it('leaves no rule and no policy of its own in force when it is interrupted', async () => {
  const count = async (from: string) => {
    const [row] = await product.query<{ count: number }>(`select count(*)::int as count from crm_core.${from}`);
    return row?.count ?? 0;
  };
  const tickets = await count('crm_tickets');
  const command = product.startCrm('demo-tickets', '--fast', '--each', '1');
  while ((await count('crm_tickets')) === tickets && command.exitCode === null) await pause(200);
  const inForce = `name like 'Demonstration%' and active`;
  expect(await count(`crm_sla_policies where ${inForce}`)).toBe(2);
  command.kill('SIGINT');
  expect(await once(command, 'exit')).toEqual([130, null]);
  expect(await count(`crm_sla_policies where ${inForce}`)).toBe(0);
  expect(await count(`crm_ticket_routing_rules where ${inForce}`)).toBe(0);
}, 120_000);
