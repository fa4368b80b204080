import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import { checkoutRoot } from '../../runtime/env.ts';
import { exitOf } from '../../runtime/processes.ts';
import { makeUser } from '../support/factories.ts';
import { type Product, startProduct } from '../support/product.ts';
import { eventually } from '../support/temporal.ts';
import { expectClean, settle } from '../support/whole-books.ts';
import { capture, captureMany } from '../support/whole-load.ts';
import { makeTenant, stranger, type Tenant } from '../support/whole-tenant.ts';
import { connectTemporal, pollersOf, workersOf } from '../support/whole-temporal.ts';

let product: Product;
beforeAll(async () => {
  product = await startProduct();
}, 240_000);
afterAll(() => product?.stop(), 120_000);

const hundred = Array.from({ length: 100 }, (_, index) => index);

describe('a hundred captures at once', () => {
  it('with one key make one lead, and end with the same answer', async () => {
    const { admin, org } = await makeTenant(product);
    const [body, key] = [stranger(), uuidv7()];
    const first = await Promise.all(hundred.map(() => admin.send('POST', '/v1/leads/capture', { body, key })));
    const answered = first.filter(({ status }) => status === 201);
    const early = first.filter(({ status }) => status !== 201);
    expect(answered.length).toBeGreaterThan(0);
    expect(early.filter(({ status, body: problem }) => status !== 409 || problem['code'] !== 'in_progress')).toEqual(
      [],
    );

    const again = await Promise.all(hundred.map(() => capture(admin, body, { key })));
    expect(
      new Set([...answered, ...again.map(({ answer }) => answer)].map((answer) => JSON.stringify(answer.body))).size,
    ).toBe(1);
    const leads = await product.query('select from crm_core.crm_leads where organization_id = $1', [org.id]);
    expect(leads).toHaveLength(1);
  }, 120_000);

  it('of one person under different keys make one open lead', async () => {
    const { admin, org } = await makeTenant(product);
    const body = stranger({ phone: '+49 30 901820' });
    const captures = await Promise.all(hundred.map(() => capture(admin, body)));
    await settle(product);
    const replayed = await Promise.all(captures.map(({ key }) => capture(admin, body, { key })));
    const leads = await product.query<{ id: string; status: string }>(
      'select lead_id as id, status from crm_core.crm_leads where organization_id = $1',
      [org.id],
    );
    const [survivor, ...others] = leads.filter(({ status }) => status === 'open');
    expect([others, leads.filter(({ status }) => status === 'merged').length]).toEqual([[], 99]);
    expect(new Set(replayed.map(({ answer }) => answer.body['id']))).toEqual(new Set([survivor?.id]));
    expect(Map.groupBy(replayed, ({ answer }) => answer.status).get(201)).toHaveLength(1);
    expect(Map.groupBy(replayed, ({ answer }) => answer.status).get(200)).toHaveLength(99);
  }, 120_000);
});

describe('two workers', () => {
  const teams = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 2, maxLength: 4 });

  it("that race for the last capacity of a team exceed nobody's, and skip no turn", async () => {
    const second = spawn(process.execPath, [join(checkoutRoot, 'workers', 'main.ts')], {
      env: {
        PATH: process.env['PATH'],
        DATABASE_URL: product.databaseUrl,
        TEMPORAL_ADDRESS: product.temporalAddress,
        LOG_LEVEL: 'warn',
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const temporal = await connectTemporal(product);
    try {
      await eventually('both workers poll', async () => (await pollersOf(temporal)) === 2, { seconds: 150 });
      const took = new Set<string>();
      await fc.assert(
        fc.asyncProperty(teams, async (capacities) => {
          const tenant = await makeTenant(product, { reps: capacities.map((capacity) => ({ capacity })) });
          await giveFallback(tenant);
          const captures = await captureMany(tenant.admin, sum(capacities) + 4, { atOnce: 12 });
          await settle(product);
          expect(await turnsTaken(tenant)).toEqual(
            turnsExpected(
              tenant.reps.map(({ id }) => id),
              capacities,
            ),
          );
          for (const { answer } of captures)
            for (const worker of await workersOf(temporal, `lead:${String(answer.body['id'])}`)) took.add(worker);
        }),
        { numRuns: 6, endOnFailure: true, examples: [[[4, 4, 4]], [[1, 5]]] },
      );
      expect(took.size).toBe(2);
    } finally {
      await temporal.close();
      second.kill('SIGTERM');
      await exitOf(second);
    }
  }, 360_000);

  async function giveFallback({ org, admin }: Tenant): Promise<void> {
    const { id } = await makeUser(org, { capacity: 0 });
    const { status } = await admin.send('PATCH', `/crm/v1/organizations/${org.id}`, {
      body: { fallbackUserId: id },
      headers: { 'if-match': '*' },
    });
    expect(status).toBe(200);
  }

  /** Who had a turn, in the order of the decisions: each takes its number under the organisation's lock. */
  async function turnsTaken({ org }: Tenant): Promise<string[]> {
    const rows = await product.query<{ user: string }>(
      `select user_id as user from crm_core.crm_lead_assignments where organization_id = $1 and took_turn order by lead_assignment_id`,
      [org.id],
    );
    return rows.map(({ user }) => user);
  }
});

it('after all of them, `crm audit` finds nothing', async () => {
  await settle(product);
  await expectClean(product);
}, 120_000);

/** Round after round in the team's order, each member as often as they have room. */
function turnsExpected(users: readonly string[], capacities: readonly number[]): string[] {
  const rounds = Array.from({ length: Math.max(...capacities) }, (_, round) => round);
  return rounds.flatMap((round) => users.filter((_, index) => (capacities[index] ?? 0) > round));
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
