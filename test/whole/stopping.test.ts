import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isAlive } from '../../runtime/processes.ts';
import { type Part, type Product, productFolder, startProduct } from '../support/product.ts';
import { eventually } from '../support/temporal.ts';
import { expectClean, expectEachOnce, settle } from '../support/whole-books.ts';
import { holdAssignments, waitingFor } from '../support/whole-brakes.ts';
import { type Capture, captureMany } from '../support/whole-load.ts';
import { administrator, makeTenant, type Tenant } from '../support/whole-tenant.ts';

const folder = productFolder();
let product: Product;
let tenant: Tenant;
const captures: Capture[] = [];

beforeAll(async () => {
  product = await startProduct(folder);
  tenant = await makeTenant(product);
}, 240_000);
afterAll(async () => {
  await product?.stop();
  folder.remove();
}, 120_000);

const isDraining = (part: Part) => () =>
  readFileSync(join(folder.path, 'logs', `${part}.log`), 'utf8').includes('"msg":"draining"');

describe.each(['api', 'worker'] as const)('SIGTERM to the %s', (part) => {
  it('lets what has begun come to its end', async () => {
    const brake = await holdAssignments(product, [tenant.org.id]);
    const begun = captureMany(tenant.admin, 5, { atOnce: 5 });
    await eventually('five activities are at work', async () => (await waitingFor(product, 'advisory')) === 5);
    const ended = product.kill(part, 'SIGTERM');
    await eventually('it drains', isDraining(part));
    await brake.release();
    const answered = await begun;
    await ended;
    const leads = await product.query('select from crm_core.crm_leads where organization_id = $1', [tenant.org.id]);
    captures.push(...answered);
    expect(leads).toHaveLength(captures.length);
    expect(answered.every(({ statuses }) => statuses.length === 1)).toBe(true);
    await product.waitUntilReady();
    await settle(product);
    await expectEachOnce(product, tenant, captures);
    await expectClean(product);
  }, 120_000);
});

describe('npm start', () => {
  const parts = ['api', 'worker', 'temporal', 'postgres'] as const;

  it('stops in order on Ctrl-C, and leaves nobody behind', async () => {
    const alive = new Map(parts.map((part) => [part, product.pid(part)]));
    const order: string[] = [];
    const ended = product.interrupt();
    await eventually(
      'all parts are gone',
      () => {
        for (const [part, pid] of alive) if (!isAlive(pid) && alive.delete(part)) order.push(part);
        return alive.size === 0;
      },
      { seconds: 60 },
    );
    expect(await ended).toEqual({ code: 0, signal: null });
    expect(order).toEqual(parts);
    expect(leftOver()).toEqual([]);
  }, 120_000);

  it('finds its state again, and is not hindered by what a killed one has left', async () => {
    await product.stop();
    product = await startProduct(folder);
    await expectEachOnce(product, tenant, captures);
    await product.killSupervisor();
    expect(leftOver()).not.toEqual([]);
    await product.stop();
    product = await startProduct(folder);
    tenant = { ...tenant, admin: await administrator(product, tenant.org.id) };
    captures.push(...(await captureMany(tenant.admin, 5)));
    await settle(product);
    await expectEachOnce(product, tenant, captures);
    await expectClean(product);
  }, 240_000);
});

/** The processes that work on this installation's state. */
function leftOver(): string[] {
  const { stdout } = spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
  return stdout.split('\n').filter((line) => line.includes(folder.path));
}
