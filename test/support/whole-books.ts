import { expect } from '@jest/globals';
import type { Product } from './product.ts';
import { eventually } from './temporal.ts';
import type { Capture } from './whole-load.ts';
import type { Tenant } from './whole-tenant.ts';

const captured = `
  select c.idempotency_key as key, c.record_id as id, c.state, l.stage,
    (select count(*)::int from crm_core.crm_lead_assignments a where a.lead_id = c.record_id) as assignments,
    (select count(*)::int from crm_core.crm_lead_scores s where s.lead_id = c.record_id) as scores,
    (select count(*)::int from crm_core.crm_timeline t where t.subject_id = c.record_id and t.kind = 'lead.captured') as told,
    (select count(*)::int from crm_core.crm_notifications n where n.subject_id = c.record_id and n.kind = 'lead.assigned') as notifications
  from crm_core.crm_commands c left join crm_core.crm_leads l on l.lead_id = c.record_id
  where c.organization_id = $1 and c.message = 'captured'`;

const owed = `
  select message as what, record_id, received_at as since, attempts, last_failure from crm_core.crm_commands where state = 'received'
  union all select kind, subject_id, claimed_at, attempts, last_failure from crm_core.crm_outbox where delivered_at is null`;

/** Waits until no command and no event of the installation is owed any more; throws with those that still are. */
export async function settle(product: Product, { seconds = 90 } = {}): Promise<void> {
  let left: object[] = [];
  const isSettled = async () => (left = await product.query(owed)).length === 0;
  await eventually('nothing is owed', isSettled, { seconds }).catch((error: unknown) => {
    throw new Error(`${left.length} commands and events are still owed: ${JSON.stringify(left.slice(0, 10))}`, {
      cause: error,
    });
  });
}

/** The tenant has these captures of strangers and no other lead: each scored, assigned, told and announced once. */
export async function expectEachOnce(product: Product, { org }: Tenant, captures: readonly Capture[]): Promise<void> {
  const rows = await product.query<{ key: string; id: string } & Record<string, unknown>>(captured, [org.id]);
  const once = { state: 'answered', stage: 'assigned', assignments: 1, scores: 1, told: 1, notifications: 1 };
  const ids = new Map(captures.map(({ key, answer }) => [key, answer.body['id']]));
  expect(
    rows.filter(
      (row) => ids.get(row.key) !== row.id || Object.entries(once).some(([name, value]) => row[name] !== value),
    ),
  ).toEqual([]);
  expect(rows).toHaveLength(captures.length);
  const [leads] = await product.query<{ count: number }>(
    'select count(*)::int from crm_core.crm_leads where organization_id = $1',
    [org.id],
  );
  expect(leads).toEqual({ count: captures.length });
}

/** `crm audit` finds nothing in the whole installation. */
export async function expectClean(product: Product): Promise<void> {
  const { checks } = await product.audit();
  expect(checks.filter(({ count }) => count > 0)).toEqual([]);
  expect(checks.length).toBeGreaterThan(10);
}
