import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Product, startProduct } from '../support/product.ts';
import { eventually } from '../support/temporal.ts';
import { expectClean, expectEachOnce, settle } from '../support/whole-books.ts';
import { startTraffic } from '../support/whole-load.ts';
import { makeTenant } from '../support/whole-tenant.ts';

let product: Product;
beforeAll(async () => {
  product = await startProduct();
}, 240_000);
afterAll(() => product?.stop(), 120_000);

describe('PostgreSQL under load', () => {
  it.each(['SIGQUIT', 'SIGKILL'] as const)(
    'restarted at once by %s: clients see only 2xx, 409 and 503, and nothing is lost',
    async (signal) => {
      const tenant = await makeTenant(product);
      const traffic = startTraffic(tenant.admin);
      const more = async (count: number) => {
        const goal = traffic.captures.length + count;
        await eventually(`${count} more are captured`, () => traffic.captures.length >= goal, { seconds: 90 });
      };
      await more(20);
      await product.kill('postgres', signal);
      await product.waitUntilReady();
      await more(20);
      await traffic.stop();
      expect(unexpected(traffic)).toEqual([]);
      await settle(product);
      await expectEachOnce(product, tenant, traffic.captures);
      await expectClean(product);
    },
    240_000,
  );

  it('with every connection cut, again and again, the same', async () => {
    const tenant = await makeTenant(product);
    const traffic = startTraffic(tenant.admin);
    for (let round = 1; round <= 5; round++) {
      const goal = traffic.captures.length + 10;
      await eventually('more is captured', () => traffic.captures.length >= goal, { seconds: 60 });
      const cut = await product.query<{ cut: boolean }>(
        `select pg_terminate_backend(pid) as cut from pg_stat_activity where application_name in ('crm_app', 'crm_relay')`,
      );
      expect(cut.length).toBeGreaterThan(2);
    }
    await traffic.stop();
    expect(unexpected(traffic)).toEqual([]);
    await settle(product);
    await expectEachOnce(product, tenant, traffic.captures);
    await expectClean(product);
  }, 240_000);
});

/** Statuses that no client should have seen. */
function unexpected({ captures, reads }: ReturnType<typeof startTraffic>): number[] {
  const fine = new Set([200, 201, 202, 409, 503]);
  return [...captures.flatMap(({ statuses }) => statuses), ...reads].filter((status) => !fine.has(status));
}
