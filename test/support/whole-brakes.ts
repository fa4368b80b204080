import pg from 'pg';
import type { Product } from './product.ts';

/** Something that holds the product at a known point until it is released. */
export interface Brake {
  release(): Promise<void>;
}

/** Holds the assignment locks of organisations: their intakes stand inside their transaction, before the commit. */
export async function holdAssignments(product: Product, organizationIds: readonly string[]): Promise<Brake> {
  const client = new pg.Client({ connectionString: product.databaseUrl });
  // When a test fails half-way, the server goes before this connection does.
  client.on('error', () => undefined);
  await client.connect();
  for (const id of organizationIds)
    await client.query(`select pg_advisory_lock(hashtextextended('assignment:' || $1, 7))`, [id]);
  return { release: () => client.end() };
}

/**
 * Holds every commit behind its durable end, by waiting for a standby that there is none of: the transaction has
 * happened, and its client never hears of it when it is killed now.
 */
export async function holdCommits(product: Product): Promise<Brake> {
  const setStandby = async (statement: string) => {
    await product.query(statement);
    await product.query('select pg_reload_conf()');
  };
  await setStandby(`alter system set synchronous_standby_names = 'nobody'`);
  return { release: () => setStandby('alter system reset synchronous_standby_names') };
}

/** How many sessions of the application wait for this event: `advisory` (a lock) or `SyncRep` (a held commit). */
export async function waitingFor(product: Product, event: 'advisory' | 'SyncRep'): Promise<number> {
  const [row] = await product.query<{ sessions: number }>(
    `select count(*)::int as sessions from pg_stat_activity where wait_event = $1 and application_name = 'crm_app'`,
    [event],
  );
  return row?.sessions ?? 0;
}

/** The state of each command of an organisation. */
export async function ledgerRows(product: Product, organizationId: string): Promise<{ state: string }[]> {
  return product.query('select state from crm_core.crm_commands where organization_id = $1 and message is not null', [
    organizationId,
  ]);
}
