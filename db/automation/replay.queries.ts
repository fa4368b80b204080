import { actorLabel } from '../access/actor.ts';
import { type Database, inOrganization } from '../database.ts';
import type { Answer } from './answers.queries.ts';
import type { WriteContext } from './ledger.queries.ts';

/** What the ledger keeps of a command that was accepted; no answer while its process owes one. */
export interface AcceptedCommand {
  recordId: string;
  answer: Omit<Answer, 'replayed'> | null;
}

/** The command that the same caller sent with the same key and content before; null when the ledger knows none. */
export async function findRepeated(
  database: Database,
  { actor, route, idempotencyKey, requestHash }: WriteContext,
): Promise<AcceptedCommand | null> {
  const { organizationId } = actor;
  const [row]: {
    recordId: string;
    state: 'received' | 'answered';
    status: number | null;
    body: Record<string, unknown> | null;
  }[] = await inOrganization(database, organizationId, (em) =>
    em.execute(
      `select record_id as "recordId", state, answer_status as status, answer as body from crm_core.crm_commands
       where organization_id = ? and principal = ? and route = ? and idempotency_key = ? and request_hash = ?
         and message is not null and deleted_at is null`,
      [organizationId, actorLabel(actor), route, idempotencyKey, requestHash],
    ),
  );
  if (!row) return null;
  const { recordId, state, status, body } = row;
  return { recordId, answer: state === 'answered' ? { status: status ?? 200, body } : null };
}
