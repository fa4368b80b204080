import type { EntityManager } from '@mikro-orm/postgresql';
import { type Database, organizationOf, statementInOrganization } from '../database.ts';
import type { Statement } from '../model/set-based.ts';

/** What the first request with a key was answered; `replayed` tells a later one from the first. */
export interface Answer {
  status: number;
  body: Record<string, unknown> | null;
  replayed: boolean;
}

/** Keeps the answer of a command, in the transaction of its effect. Answering twice keeps the first answer. */
export async function storeAnswer(em: EntityManager, commandId: string, status: number, body: unknown): Promise<void> {
  const { sql, parameters } = answerStatement(organizationOf(em), commandId, status, body);
  await em.execute(sql, parameters);
}

/** The same as a statement that goes along with others, where a round trip counts. */
export function answerStatement(organizationId: string, commandId: string, status: number, body: unknown): Statement {
  return {
    sql: `update crm_core.crm_commands set state = 'answered', answered_at = now(), answer_status = ?, answer = ?::jsonb, lease_until = null, updated_at = now(), version = version + 1
     where organization_id = ? and command_id = ? and state = 'received'`,
    parameters: [status, body === null ? null : JSON.stringify(body), organizationId, commandId],
  };
}

/** The answer kept for a command, or null while it has none. */
export async function readAnswer(
  database: Database,
  organizationId: string,
  commandId: string,
): Promise<Omit<Answer, 'replayed'> | null> {
  const [row] = await statementInOrganization<AnswerRow>(database, organizationId, answerSql, [
    organizationId,
    commandId,
  ]);
  return row ? { status: row.answer_status ?? 200, body: row.answer } : null;
}

interface AnswerRow {
  answer_status: number | null;
  answer: Record<string, unknown> | null;
}

const answerSql = `select answer_status, answer from crm_core.crm_commands where organization_id = ? and command_id = ? and state = 'answered'`;
