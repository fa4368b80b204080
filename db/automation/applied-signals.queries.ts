import { createHash } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import type { Process } from '../../workflows/processes/messages.ts';
import { actorLabel } from '../access/actor.ts';
import type { Change } from '../model/changes.ts';

const longestKey = 255;

/** A key as the ledger can hold it: one that is too long by its hash, so that two never become the same. */
function keptKey(key: string): string {
  return key.length <= longestKey ? key : createHash('sha256').update(key).digest('hex');
}

const noteSql = `
  insert into crm_core.crm_commands (command_id, organization_id, principal, route, idempotency_key, request_hash, state, message, process,
    record_id, actor, received_at, attempts, answered_at, answer_status, created_at, created_by, updated_at, updated_by, version)
  select ?, ?, ?, 'signal', ?, '', 'answered', ?, ?, ?, ?::jsonb, ?, 0, ?, 204, ?, ?, ?, ?, 1
  where not exists (
    select from crm_core.crm_commands
    where organization_id = ? and record_id = ? and route = 'signal' and idempotency_key = ?)`;

/**
 * Puts a message that came without a command (a Signal, an Update from the Temporal CLI) into the ledger as applied,
 * under the key that all its repetitions share. False when it was applied before. The record has to be locked.
 */
export async function noteSignal(
  em: EntityManager,
  process: Pick<Process, 'name'>,
  { organizationId, actor, at, subjectId }: Change,
  name: string,
  key: string,
): Promise<boolean> {
  const kept = keptKey(key);
  const by = actorLabel(actor);
  const made: { affectedRows: number } = await em.execute(
    noteSql,
    [
      uuidv7(),
      organizationId,
      by,
      kept,
      name,
      process.name,
      subjectId,
      JSON.stringify(actor),
      at,
      at,
      at,
      by,
      at,
      by,
      organizationId,
      subjectId,
      kept,
    ],
    'run',
  );
  return made.affectedRows === 1;
}
