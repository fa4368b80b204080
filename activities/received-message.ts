import type { EntityManager } from '@mikro-orm/postgresql';
import { noteSignal } from '../db/automation/applied-signals.queries.ts';
import { findCommand } from '../db/automation/ledger.queries.ts';
import type { Change } from '../db/model/changes.ts';
import { Problem } from '../db/model/problem.ts';
import type { AppliedMessage } from '../workflows/processes/envelope.ts';
import type { Process } from '../workflows/processes/messages.ts';

/** A message as it counts: who sent it when, what it says, and whether it was applied before. */
export interface ReceivedMessage {
  change: Change;
  payload: Record<string, unknown>;
  /** Its command has an answer, or its key is noted: no second effect. */
  isRepeated: boolean;
}

/**
 * Reads a message to a record. Of a command the ledger is believed, not the envelope: whoever reaches Temporal could write
 * any sender and any time into one. Problem `not_found` for a command that the ledger does not owe to this record.
 */
export async function receivedMessage(
  em: EntityManager,
  process: Process,
  record: Pick<Change, 'organizationId' | 'subjectId'>,
  { name, key, payload, commandId, actor, receivedAt }: AppliedMessage,
): Promise<ReceivedMessage> {
  const subject = { ...record, subjectType: process.name };
  if (commandId === null) {
    const change = { ...subject, actor, at: new Date(receivedAt), commandId };
    return { change, payload, isRepeated: !(await noteSignal(em, process, change, name, key)) };
  }
  const command = await findCommand(em, commandId);
  if (command?.process !== process.name || command.recordId !== record.subjectId || command.message !== name)
    throw new Problem('not_found', `The command ledger has no ${name} ${commandId} for this ${process.name}.`);
  return {
    change: { ...subject, actor: command.actor, at: command.receivedAt, commandId },
    payload: { ...payload, ...(command.body as Record<string, unknown> | null) },
    isRepeated: command.isAnswered,
  };
}
