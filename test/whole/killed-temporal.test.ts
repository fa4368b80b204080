import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Product, startProduct } from '../support/product.ts';
import { eventually } from '../support/temporal.ts';
import { expectClean, expectEachOnce, settle } from '../support/whole-books.ts';
import { capture, captureMany } from '../support/whole-load.ts';
import { connectTemporal, pendingTimers, type TemporalClient } from '../support/whole-temporal.ts';
import { makeTenant } from '../support/whole-tenant.ts';

let product: Product;
let temporal: TemporalClient;
beforeAll(async () => {
  product = await startProduct();
  temporal = await connectTemporal(product);
}, 240_000);
afterAll(async () => {
  await temporal?.close();
  await product?.stop();
}, 120_000);

const chasedAtOnce = {
  remindOwnerAfterMinutes: 1,
  tellManagerAfterMinutes: 500,
  reassignAfterMinutes: 600,
  maxRounds: 1,
  remindIdleAfterMinutes: 1_000,
  closeStaleAfterMinutes: 2_000,
};

describe('a Temporal that is killed', () => {
  it('keeps a thousand timers: messages still arrive, and a step that fell due meanwhile is taken once', async () => {
    const due = await makeTenant(product, { rule: { ladder: chasedAtOnce } });
    const many = await makeTenant(product);
    const captures = await captureMany(many.admin, 1_000, { atOnce: 30 });
    const running = `CrmOrganization = '${many.org.id}' and CrmStage = 'assigned' and ExecutionStatus = 'Running'`;
    const isAssigned = async () => (await temporal.client.workflow.count(running)).count === 1_000;
    await eventually('a thousand ladders wait', isAssigned, { seconds: 120 });
    const chased = await captureMany(due.admin, 5);

    await product.kill('temporal');
    await product.waitUntilReady();

    await eventually('they wait again', isAssigned, { seconds: 30 });
    const id = String(captures[0]?.answer.body['id']);
    expect(await pendingTimers(temporal, `lead:${id}`)).toBe(1);
    const touched = await many.admin.send('POST', `/crm/v1/leads/${id}/touch`, { body: { channel: 'call' } });
    expect([touched.status, touched.body['stage']]).toEqual([200, 'touched']);

    const steps =
      'select lead_id as id, step, due_at <= detected_at as late from crm_core.crm_lead_steps where organization_id = $1 order by lead_id';
    const taken = () => product.query(steps, [due.org.id]);
    await eventually('every owner was reminded', async () => (await taken()).length >= 5, { seconds: 90 });
    await settle(product);
    const ids = chased.map(({ answer }) => String(answer.body['id'])).toSorted((a, b) => (a < b ? -1 : 1));
    expect(await taken()).toEqual(ids.map((id) => ({ id, step: 'remind_owner', late: true })));
    await expectClean(product);
  }, 300_000);

  it('is missed by nobody who captures: 202 with a link, and the lead once it is back', async () => {
    const tenant = await makeTenant(product);
    await product.kill('temporal', 'SIGSTOP');
    const captures = await captureMany(tenant.admin, 10, { atOnce: 10 });
    for (const { statuses, answer } of captures) {
      expect(statuses).toEqual([202]);
      expect(answer.headers.get('location')).toBe(`/crm/v1/leads/${String(answer.body['id'])}/process`);
    }
    await product.kill('temporal');
    await product.waitUntilReady();
    await settle(product);
    await expectEachOnce(product, tenant, captures);
    const [first] = captures;
    if (first) expect((await capture(tenant.admin, first.body, first)).statuses).toEqual([201]);
    await expectClean(product);
  }, 180_000);
});
