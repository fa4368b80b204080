import type { EntityManager } from '@mikro-orm/postgresql';
import type { Actor } from '../access/actor.ts';
import { acrossOrganizations, type Database, organizationOf, statementInOrganization } from '../database.ts';
import type { StoredCommand } from './ledger.queries.ts';

/** For so long nobody else delivers a claimed command: as long as the API has that received it. */
const leaseSeconds = 30;
/** Longest pause between two attempts. */
const longestPauseSeconds = 30;

/**
 * Claims commands that the ledger still owes to processes: their lease has run out, since the API that received them
 * died or had no answer. Oldest first and in order for each record: one waits for every older one. Never the same
 * command to two relays.
 */
export async function claimOwedCommands(relay: Database, limit: number): Promise<StoredCommand[]> {
  const rows = await acrossOrganizations(relay, (em) =>
    em.execute<(Omit<StoredCommand, 'receivedAt' | 'actor'> & { receivedAt: string; actor: Actor })[]>(
      `with due as (
         select c.command_id from crm_core.crm_commands c
         where c.state = 'received' and c.message is not null and (c.lease_until is null or c.lease_until < now())
           and not exists (
             select 1 from crm_core.crm_commands older
             where older.organization_id = c.organization_id and older.record_id = c.record_id
               and older.state = 'received' and older.message is not null
               and (older.received_at, older.command_id) < (c.received_at, c.command_id))
         order by c.received_at, c.command_id limit ? for update skip locked)
       update crm_core.crm_commands c
       set lease_until = now() + make_interval(secs => ?), attempts = attempts + 1, updated_at = now(), version = version + 1
       from due where c.command_id = due.command_id
       returning c.command_id as "commandId", c.organization_id as "organizationId", c.process, c.message,
         c.record_id as "recordId", c.body, c.actor, c.received_at as "receivedAt", c.attempts`,
      [limit, leaseSeconds],
    ),
  );
  return rows.map((row) => ({ ...row, receivedAt: new Date(row.receivedAt) }));
}

/**
 * Leaves a command that got no outcome to the relay, at once: while its API still had it, a younger one of the same record
 * would overtake it.
 */
export async function leaveToRelay(
  database: Database,
  { organizationId, commandId, attempts }: Pick<StoredCommand, 'organizationId' | 'commandId' | 'attempts'>,
  failure: string,
): Promise<void> {
  await statementInOrganization(
    database,
    organizationId,
    `update crm_core.crm_commands
     set lease_until = now(), last_failure = ?, updated_at = now(), version = version + 1
     where organization_id = ? and command_id = ? and state = 'received' and attempts = ?`,
    [failure.slice(0, 500), organizationId, commandId, attempts],
  );
}

/** Notes why a claimed command was not carried out; it is tried again after 2, 4, 8 … 30 seconds. */
export async function postponeCommand(
  relay: Database,
  { commandId, attempts }: StoredCommand,
  failure: string,
): Promise<void> {
  const pauseSeconds = Math.min(2 ** attempts, longestPauseSeconds);
  await acrossOrganizations(relay, (em) =>
    em.execute(
      `update crm_core.crm_commands
       set lease_until = now() + make_interval(secs => ?), last_failure = ?, updated_at = now(), version = version + 1
       where command_id = ? and state = 'received'`,
      [pauseSeconds, failure.slice(0, 500), commandId],
    ),
  );
}

/** How long what falls due waits at a time for a message that was received before. */
export const forestalledMilliseconds = 60_000;

/**
 * Whether the ledger still owes a record's process one of these messages, received at or before `dueAt`, so that it
 * forestalls what falls due then.
 */
export async function isForestalled(
  em: EntityManager,
  recordId: string,
  messages: readonly string[],
  dueAt: Date,
): Promise<boolean> {
  const owed: unknown[] = await em.execute(
    `select 1 from crm_core.crm_commands
     where organization_id = ? and record_id = ? and received_at <= ? and state = 'received'
       and message = any(?::text[]) limit 1`,
    [organizationOf(em), recordId, dueAt, `{${messages.join(',')}}`],
  );
  return owed.length > 0;
}
