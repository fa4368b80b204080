import { v7 as uuidv7 } from 'uuid';
import type { Actor } from '../../db/access/actor.ts';
import { owedStatement } from '../../db/automation/ledger.queries.ts';
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
  const write = { actor, route, idempotencyKey: key, requestHash: '', receivedAt: at };
  return owedStatement(write, { commandId: uuidv7(), process: ticketProcess.name, message, recordId, body });
}
