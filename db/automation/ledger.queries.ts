import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import { actorLabel, type Actor } from '../access/actor.ts';
import { type Database, inOrganization, organizationOf, statementInOrganization } from '../database.ts';
import { executePrepared } from '../model/prepared.ts';
import { Problem } from '../model/problem.ts';
import type { Statement } from '../model/set-based.ts';
import { type Answer, storeAnswer } from './answers.queries.ts';

/** A write as it came in: who, where, under which key, what. `requestHash` is SHA-256 over method, route and body. */
export interface WriteContext {
  actor: Actor;
  idempotencyKey: string;
  route: string;
  requestHash: string;
  /** Receipt at the API: the business instant of the command. */
  receivedAt: Date;
}

/** A message that the ledger owes to a process. */
export interface ProcessCommand {
  commandId: string;
  process: string;
  message: string;
  recordId: string;
  body: unknown;
}

/** A command as the relay or the API delivers it. */
export interface StoredCommand extends ProcessCommand {
  organizationId: string;
  actor: Actor;
  receivedAt: Date;
  attempts: number;
}

type Receipt =
  | {
      outcome: 'new';
      command: StoredCommand;
      /** An older command of the same record is owed still: the relay delivers both, in their order. */
      isBehind: boolean;
    }
  | { outcome: 'answered'; status: number; body: Record<string, unknown> | null }
  | { outcome: 'running'; command: StoredCommand };

interface LedgerRow {
  command_id: string;
  organization_id: string;
  request_hash: string;
  state: 'received' | 'answered';
  process: string | null;
  message: string | null;
  record_id: string | null;
  body: unknown;
  actor: Actor;
  received_at: Date | string;
  attempts: number;
  answer_status: number | null;
  answer: Record<string, unknown> | null;
}

/** For so long the API that received a command delivers it; afterwards the relay does. */
export const leaseSeconds = 30;

/** What the ledger knew under the key; else the row was made, behind an older command of its record or not. */
interface Claim {
  known: LedgerRow | null;
  /** Of the row, whoever made it. */
  commandId: string;
  isBehind: boolean;
}

/**
 * Who hears of a command's outcome: its sender `waits`, was `promised` that it is carried out (202), or there is none and
 * it is `left` to the relay. A younger command of the same record may overtake one whose sender waits, no other.
 */
export type Sender = 'waits' | 'promised' | 'left';

// Behind what is owed a command has no lease, so that the next one is behind it too, and the relay takes it at once.
const insertSql = `
  insert into crm_core.crm_commands (command_id, organization_id, principal, route, idempotency_key, request_hash, state,
    message, process, record_id, body, actor, received_at, lease_until, attempts,
    created_at, created_by, updated_at, updated_by, version)
  values (?, ?, ?, ?, ?, ?, 'received', ?, ?, ?, ?::jsonb, ?::jsonb, ?,
    case when ? = 'left' or exists (
        select from crm_core.crm_commands older
        where older.organization_id = ? and older.record_id = ? and older.state = 'received' and older.deleted_at is null
          and (older.attempts > 0 or older.lease_until is null or older.lease_until <= now()))
      then null else now() + interval '${leaseSeconds} seconds' end,
    ?, ?, ?, ?, ?, 1)
  on conflict do nothing
  returning lease_until is null as "isBehind"`;

const findSql = `
  select * from crm_core.crm_commands
  where organization_id = ? and principal = ? and route = ? and idempotency_key = ? and deleted_at is null`;

function insertStatement(
  { actor, route, idempotencyKey, requestHash, receivedAt }: WriteContext,
  { commandId, message, process, recordId, body }: { commandId: string } & Partial<ProcessCommand>,
  sender: Sender,
): Statement {
  const principal = actorLabel(actor);
  const { organizationId } = actor;
  return {
    sql: insertSql,
    parameters: [
      commandId,
      organizationId,
      principal,
      route,
      idempotencyKey,
      requestHash,
      message ?? null,
      process ?? null,
      recordId ?? null,
      body === undefined ? null : JSON.stringify(body),
      JSON.stringify(actor),
      receivedAt,
      sender,
      organizationId,
      recordId ?? null,
      attemptsOf(sender),
      receivedAt,
      principal,
      receivedAt,
      principal,
    ],
  };
}

/**
 * Writes the ledger row unless the key is known; answers the row known under the key otherwise. Problems:
 * `idempotency_key_reused`, and `conflict` for a row that was withdrawn meanwhile.
 */
export async function claimKey(
  run: <Row>(sql: string, parameters: readonly unknown[]) => Promise<Row[]>,
  write: WriteContext,
  command: { commandId: string } & Partial<ProcessCommand>,
  sender: Sender = 'waits',
): Promise<Claim> {
  const { actor, route, idempotencyKey, requestHash } = write;
  const { sql, parameters } = insertStatement(write, command, sender);
  const [made] = await run<{ isBehind: boolean }>(sql, parameters);
  if (made) return { known: null, commandId: command.commandId, ...made };
  const [known] = await run<LedgerRow>(findSql, [actor.organizationId, actorLabel(actor), route, idempotencyKey]);
  if (!known) throw new Problem('conflict', 'The first request with this Idempotency-Key was just refused. Try again.');
  if (known.request_hash !== requestHash) {
    throw new Problem(
      'idempotency_key_reused',
      'This Idempotency-Key was used for another request. Use a new key for a new request.',
    );
  }
  return { known, commandId: known.command_id, isBehind: false };
}

/**
 * Does a plain write once: claims the key, runs `work`, keeps its answer, all in one transaction. A key known already
 * gives the first answer again. A refusal (a thrown Problem) rolls the claim back, so the key is free again.
 */
export async function writeOnce(
  database: Database,
  write: WriteContext,
  work: (em: EntityManager, commandId: string) => Promise<Omit<Answer, 'replayed'>>,
): Promise<Answer> {
  const commandId = uuidv7();
  return inOrganization(database, write.actor.organizationId, async (em) => {
    const { known } = await claimKey((sql, parameters) => em.execute(sql, [...parameters]), write, { commandId });
    if (known) {
      if (known.state !== 'answered')
        throw new Problem('in_progress', 'The first request with this Idempotency-Key is still running.');
      return { status: known.answer_status ?? 200, body: known.answer, replayed: true };
    }
    const answer = await work(em, commandId);
    await storeAnswer(em, commandId, answer.status, answer.body);
    return { ...answer, replayed: false };
  });
}

/** What the sender was promised counts as tried, as what a relay has taken: it keeps its place. */
const attemptsOf = (sender: Sender): number => (sender === 'promised' ? 1 : 0);

/** Accepts a command for a process: stored before anything else happens. */
export async function receiveCommand(
  database: Database,
  write: WriteContext,
  command: ProcessCommand,
  sender: Exclude<Sender, 'left'> = 'waits',
): Promise<Receipt> {
  const { organizationId } = write.actor;
  const { known, isBehind } = await claimKey(
    (sql, parameters) => statementInOrganization(database, organizationId, sql, parameters),
    write,
    command,
    sender,
  );
  if (!known) {
    const { actor, receivedAt } = write;
    const attempts = attemptsOf(sender);
    return { outcome: 'new', command: { ...command, organizationId, actor, receivedAt, attempts }, isBehind };
  }
  if (known.state === 'answered')
    return { outcome: 'answered', status: known.answer_status ?? 200, body: known.answer };
  return { outcome: 'running', command: storedCommand(known) };
}

/**
 * The same as a statement that goes along with what it depends on, for a command that nobody waits for: the relay delivers
 * it. A key that is known changes nothing.
 */
export function owedStatement(write: WriteContext, command: ProcessCommand): Statement {
  return insertStatement(write, command, 'left');
}

function storedCommand(row: LedgerRow): StoredCommand {
  if (!row.process || !row.message || !row.record_id)
    throw new Error(`Command ${row.command_id} is not one for a process`);
  return {
    commandId: row.command_id,
    organizationId: row.organization_id,
    process: row.process,
    message: row.message,
    recordId: row.record_id,
    body: row.body,
    actor: row.actor,
    receivedAt: new Date(row.received_at),
    attempts: row.attempts,
  };
}

/** The stored command of an activity: body and receipt; null when the ledger does not know it (a signal from the CLI). */
export async function findCommand(
  em: EntityManager,
  commandId: string,
): Promise<(StoredCommand & { isAnswered: boolean }) | null> {
  const [row] = await executePrepared<LedgerRow>(
    em,
    'select * from crm_core.crm_commands where organization_id = ? and command_id = ?',
    [organizationOf(em), commandId],
  );
  return row ? { ...storedCommand(row), isAnswered: row.state === 'answered' } : null;
}

/** The command that started a record's process of this name: its oldest. */
export async function findStartCommand(
  em: EntityManager,
  process: string,
  recordId: string,
): Promise<StoredCommand | null> {
  const [row]: LedgerRow[] = await em.execute(
    `select * from crm_core.crm_commands where organization_id = ? and process = ? and record_id = ? and message is not null
     order by received_at, command_id limit 1`,
    [organizationOf(em), process, recordId],
  );
  return row ? storedCommand(row) : null;
}
