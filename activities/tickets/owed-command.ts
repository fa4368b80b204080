import { v7 as uuidv7 } from 'uuid';
import { actorLabel, type Actor } from '../../db/access/actor.ts';
import type { Change } from '../../db/model/changes.ts';
import type { Statement } from '../../db/model/set-based.ts';
import { ticketProcess } from '../../workflows/tickets/messages.ts';

/** A command of one ticket's process to another ticket's. */
interface OwedCommand {
  /** Why it is sent: with the key, what makes it this one. */
  route: string;
  key: string;
  message: string;
  recordId: string;
  body: object;
}

/** Puts a command into the ledger, which owes it from this transaction on; the relay delivers it, as of this change. */
export function owedCommand(
  { organizationId, at, subjectId }: Change,
  { route, key, message, recordId, body }: OwedCommand,
): Statement {
  const actor: Actor = { kind: 'process', organizationId, process: ticketProcess.name, recordId: subjectId };
  const by = actorLabel(actor);
  return {
    sql: `insert into crm_core.crm_commands (command_id, organization_id, principal, route, idempotency_key, request_hash, state,
        message, process, record_id, body, actor, received_at, lease_until, attempts, created_at, created_by, updated_at, updated_by, version)
      values (?, ?, ?, ?, ?, '', 'received', ?, ?, ?, ?::jsonb, ?::jsonb, ?, null, 0, ?, ?, ?, ?, 1) returning 1`,
    parameters: [
      uuidv7(),
      organizationId,
      by,
      route,
      key,
      message,
      ticketProcess.name,
      recordId,
      JSON.stringify(body),
      JSON.stringify(actor),
      at,
      at,
      by,
      at,
      by,
    ],
  };
}
