import { type EntityManager, MikroORM } from '@mikro-orm/postgresql';
import type { Pool, PoolClient } from 'pg';
import { executePrepared } from './model/prepared.ts';
import { Problem } from './model/problem.ts';
import { entities } from './registry.ts';

/** `crm_app` sees the organisation of its session; `crm_relay` (relay, audit, batch work) sees all. */
export type DatabaseRole = 'crm_app' | 'crm_relay';

export interface Database {
  readonly orm: MikroORM;
  readonly role: DatabaseRole;
  /** The connections below the ORM, for statements that need neither its transaction nor its entities. */
  readonly pool: Pool;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** Connection string of the owner; the pool switches to `role` when it connects. */
  url: string;
  role: DatabaseRole;
  /** Connections in the pool. */
  size?: number;
}

/** Opens a pool of connections that act as `role`. Close it when done. */
export async function openDatabase({ url, role, size = 10 }: DatabaseOptions): Promise<Database> {
  let pool: Pool | undefined;
  const orm = await MikroORM.init({
    entities: [...entities],
    clientUrl: url,
    // Two ORMs in one process must not share a context: inside a transaction of the first, a fork of the second
    // would otherwise run as the first one's role.
    contextName: role,
    pool: { min: 0, max: size },
    ensureDatabase: false,
    driverOptions: {
      // Many small statements at once: helpers for one would only take the cores from the others.
      options: `-c role=${role} -c search_path=crm_core,public -c timezone=UTC -c max_parallel_workers_per_gather=0`,
      application_name: role,
      connectionTimeoutMillis: 5_000,
      statement_timeout: 20_000,
      // The same from this side, when the network is gone and no answer will ever come.
      query_timeout: 25_000,
      keepAlive: true,
      idle_in_transaction_session_timeout: 30_000,
      onPoolCreated: (created: Pool) => {
        pool = created;
        releaseLostClients(created);
      },
    },
    forceUtcTimezone: true,
    debug: false,
  });
  await orm.em.getConnection().connect({ skipOnConnect: true });
  if (!pool) throw new Error('The driver made no pool of connections');
  return { orm, role, pool, close: () => orm.close(true) };
}

/** Resolves when the database answers as this role; throws Problem `unavailable` when it is away. */
export async function pingDatabase(database: Database): Promise<void> {
  await transact(database.orm.em.fork() as EntityManager, (em) => em.execute('select 1'));
}

/**
 * A connection lost inside a transaction is never given back to the pool (the rollback on it fails first), so that
 * a restart of PostgreSQL would use the pool up. Give such clients back by hand.
 */
function releaseLostClients(pool: Pool): void {
  const acquired = new Set<PoolClient>();
  pool.on('acquire', (client) => acquired.add(client));
  pool.on('release', (_error, client) => acquired.delete(client as PoolClient));
  pool.on('connect', (client) => {
    client.on('error', () => undefined);
    client.on('end', () => {
      setTimeout(() => {
        if (acquired.delete(client)) client.release(true);
      }, 1_000).unref();
    });
  });
  pool.on('error', () => undefined);
}

/**
 * Runs `work` in one transaction that sees and writes one organisation only: the ORM's filters and the session
 * variable behind row-level security are both set. Rolled back when `work` throws.
 */
export async function inOrganization<T>(
  database: Database,
  organizationId: string,
  work: (em: EntityManager) => Promise<T>,
): Promise<T> {
  return transact(scopedTo(database, organizationId), work);
}

/** A unit of work whose statements, and whose transactions, are those of one organisation. */
export function scopedTo(database: Database, organizationId: string): EntityManager {
  const em = database.orm.em.fork() as EntityManager;
  em.setFilterParams('organization', { organizationId });
  em.setSessionContext({ variables: { 'crm.organization_id': organizationId } });
  return em;
}

/** The organisation of a transaction of `inOrganization`: statements written by hand name it, beside row-level security. */
export function organizationOf(em: EntityManager): string {
  const parameters: unknown = em.getFilterParams('organization');
  if (!parameters) throw new Error('This transaction is not that of one organisation');
  return (parameters as { organizationId: string }).organizationId;
}

/**
 * Runs one statement that sees and writes one organisation only, in one round trip where `inOrganization` takes four:
 * PostgreSQL carries out the statements of one message as one transaction.
 */
export async function statementInOrganization<Row>(
  { orm, pool }: Database,
  organizationId: string,
  sql: string,
  parameters: readonly unknown[],
): Promise<Row[]> {
  const session = `select set_config('crm.organization_id', ?, true);`;
  const text = orm.em.getPlatform().formatQuery(`${session} ${sql}`, [organizationId, ...parameters]);
  try {
    const results = (await pool.query(text)) as unknown as { rows: Row[] }[];
    return results.at(-1)?.rows ?? [];
  } catch (error) {
    throw databaseProblem(error);
  }
}

/** Runs `work` in one transaction over all organisations; only the relay's role may. */
export async function acrossOrganizations<T>(database: Database, work: (em: EntityManager) => Promise<T>): Promise<T> {
  if (database.role !== 'crm_relay') throw new Error('acrossOrganizations needs the role crm_relay');
  const em = database.orm.em.fork() as EntityManager;
  // In place of the entities' own filter of this name, which wants an organisation.
  em.addFilter({ name: 'organization', cond: {} });
  return transact(em, work);
}

/** Runs one statement over all organisations, in a transaction of its own and one round trip; only the relay's role may. */
export async function statementAcrossOrganizations<Row>(
  database: Database,
  sql: string,
  parameters: readonly unknown[],
): Promise<Row[]> {
  if (database.role !== 'crm_relay') throw new Error('statementAcrossOrganizations needs the role crm_relay');
  try {
    return await executePrepared<Row>(database.orm.em.fork() as EntityManager, sql, parameters);
  } catch (error) {
    throw databaseProblem(error);
  }
}

async function transact<T>(em: EntityManager, work: (em: EntityManager) => Promise<T>): Promise<T> {
  try {
    return await em.transactional((inner) => work(inner as EntityManager));
  } catch (error) {
    throw databaseProblem(error);
  }
}

const unavailable = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  // A stopped service of Compose no longer has an address.
  'ENOTFOUND',
  'EAI_AGAIN',
  // A statement that took longer than it may.
  '57014',
  '57P01',
  '57P02',
  '57P03',
  '53300',
  '08006',
  '08003',
  '08000',
  '08001',
]);
const raced = new Set(['40001', '40P01', '55P03']);

/** PostgreSQL's failures in the product's words; row values in the driver's message stay in `cause`. */
export function databaseProblem(error: unknown): unknown {
  if (error instanceof Problem) return error;
  const { code, constraint, message = '' } = driverFailure(error);
  if (code && raced.has(code))
    return new Problem('conflict', 'Another write to the same record was faster. Try again.', [], { cause: error });
  if (code === '23505')
    return new Problem(
      'duplicate',
      `A record with the same values exists already (${constraint ?? 'unique rule'}).`,
      [],
      { cause: error },
    );
  if (code === '23503')
    return new Problem(
      'reference_not_found',
      `A referenced record does not exist (${constraint ?? 'foreign key'}).`,
      [],
      { cause: error },
    );
  if (code === '23514')
    return new Problem('rule_violation', `A value is outside what the table allows (${constraint ?? 'check'}).`, [], {
      cause: error,
    });
  // Class 22, data exceptions: a text that JSON cannot hold, a number or date beyond its type.
  if (code?.startsWith('22'))
    return new Problem('invalid', 'The database cannot store or compare one of the values.', [], { cause: error });
  if (
    (code && unavailable.has(code)) ||
    /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/.test(
      message,
    )
  ) {
    return new Problem('unavailable', 'The database is away. Try again shortly.', [], { cause: error });
  }
  return error;
}

interface DriverFailure {
  code?: string;
  constraint?: string;
  message?: string;
  /** One for each address that was tried. */
  errors?: unknown[];
}

function driverFailure(error: unknown): DriverFailure {
  if (typeof error !== 'object' || error === null) return {};
  const failure = error as DriverFailure;
  return failure.errors?.[0] ? driverFailure(failure.errors[0]) : failure;
}
