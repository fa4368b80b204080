import { type Database, inOrganization, statementInOrganization } from '../database.ts';
import { timelineRow } from '../model/changes.ts';
import { Problem, type ProblemCode, type ProblemEntry } from '../model/problem.ts';
import { insertRows } from '../model/set-based.ts';
import { type Answer, answerStatement } from './answers.queries.ts';
import type { StoredCommand } from './ledger.queries.ts';

/** A refusal as the ledger keeps it. */
interface KeptRefusal {
  code: ProblemCode;
  detail: string;
  errors: ProblemEntry[];
}

/** Takes a refused command back: nothing happened, and its key is free for a corrected request. */
export async function withdrawCommand(database: Database, organizationId: string, commandId: string): Promise<void> {
  const sql = `delete from crm_core.crm_commands where organization_id = ? and command_id = ? and state = 'received'`;
  await statementInOrganization(database, organizationId, sql, [organizationId, commandId]);
}

/**
 * Keeps the refusal of a command whose sender has gone: as its answer, for whoever asks with the same key, and in the
 * timeline of its record. What a process owes nobody asks for again: its body is not forgotten, and `crm audit` names it.
 */
export async function keepRefused(
  database: Database,
  { organizationId, commandId, process, message, recordId, actor, receivedAt }: StoredCommand,
  { code, message: detail, errors, status }: Problem,
): Promise<void> {
  const { sql, parameters } = answerStatement(organizationId, commandId, status, { code, detail, errors });
  const change = { organizationId, actor, at: new Date(), subjectType: process, subjectId: recordId, commandId };
  const received = receivedAt.toISOString();
  const told = `${message}, accepted at ${received}, was refused: ${detail}`;
  await inOrganization(database, organizationId, async (em) => {
    const [kept]: unknown[] = await em.execute(`${sql} returning 1`, [...parameters]);
    if (kept)
      await insertRows(em, [timelineRow(change, `${process}.command_refused`, told.slice(0, 500), { message, code })]);
  });
}

/** The Problem that was kept as an answer; null when the answer is no refusal. */
export function keptRefusal({ status, body }: Omit<Answer, 'replayed'>): Problem | null {
  if (status < 400) return null;
  const { code, detail, errors } = body as unknown as KeptRefusal;
  return new Problem(code, detail, errors);
}
