import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Product, startProduct } from '../support/product.ts';
import { eventually } from '../support/temporal.ts';
import { expectClean, expectEachOnce, settle } from '../support/whole-books.ts';
import { holdAssignments, holdCommits, ledgerRows, waitingFor } from '../support/whole-brakes.ts';
import { capture, captureMany } from '../support/whole-load.ts';
import { makeTenant, stranger } from '../support/whole-tenant.ts';

let product: Product;
beforeAll(async () => {
  product = await startProduct();
}, 240_000);
afterAll(() => product?.stop(), 120_000);

describe('a worker that is killed', () => {
  it('before and after an activity has committed, under load, leaves every capture assigned once', async () => {
    const before = await makeTenant(product);
    const load = await makeTenant(product);
    // A held commit keeps its organisation's lock, so each of these captures needs a tenant of its own.
    const after = await Promise.all(Array.from({ length: 4 }, () => makeTenant(product)));
    const assignments = await holdAssignments(product, [before.org.id]);
    const others = await holdAssignments(
      product,
      after.map(({ org }) => org.id),
    );
    const captures = {
      before: captureMany(before.admin, 6, { atOnce: 6 }),
      after: Promise.all(after.map(({ admin }) => captureMany(admin, 1))),
    };
    await eventually('all wait before their commit', async () => (await waitingFor(product, 'advisory')) === 10, {
      seconds: 30,
    });
    const commits = await holdCommits(product);
    await others.release();
    await eventually(
      'four have committed, which nobody hears of',
      async () => (await waitingFor(product, 'SyncRep')) === 4,
      { seconds: 30 },
    );

    const loaded = captureMany(load.admin, 40, { atOnce: 10 });
    await product.kill('worker');
    await commits.release();
    await assignments.release();

    const [first, second, rest] = await Promise.all([captures.before, captures.after, loaded]);
    await settle(product);
    await expectEachOnce(product, before, first);
    for (const [index, tenant] of after.entries()) await expectEachOnce(product, tenant, second[index] ?? []);
    await expectEachOnce(product, load, rest);
    await expectClean(product);
  }, 180_000);
});

describe('an API that is killed', () => {
  it('between ledger and start loses nothing: retries and the relay carry on, once', async () => {
    const tenant = await makeTenant(product);
    // Nothing is started while Temporal stands still: what the API has accepted is in the ledger alone.
    await product.kill('temporal', 'SIGSTOP');
    const bodies = Array.from({ length: 20 }, () => stranger());
    const unanswered = bodies.map((body, index) =>
      tenant.admin.send('POST', '/v1/leads/capture', { body, key: `key-${index}` }).then(
        ({ status }) => status,
        () => 0,
      ),
    );
    await eventually('all are in the ledger', async () => (await ledgerRows(product, tenant.org.id)).length === 20, {
      seconds: 30,
    });
    await product.kill('api');
    expect(new Set(await Promise.all(unanswered))).toEqual(new Set([0]));
    await product.kill('temporal');
    await product.waitUntilReady();

    const retried = await Promise.all(
      bodies.slice(0, 10).map((body, index) => capture(tenant.admin, body, { key: `key-${index}` })),
    );
    expect(new Set(retried.flatMap(({ statuses }) => statuses))).toEqual(new Set([409, 201]));
    await settle(product);
    const replayed = await Promise.all(
      bodies.map((body, index) => capture(tenant.admin, body, { key: `key-${index}` })),
    );
    expect(new Set(replayed.flatMap(({ statuses }) => statuses))).toEqual(new Set([201]));
    await expectEachOnce(product, tenant, replayed);
    await expectClean(product);
  }, 180_000);
});
