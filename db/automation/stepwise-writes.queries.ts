import { v7 as uuidv7 } from 'uuid';
import { type Database, statementInOrganization } from '../database.ts';
import { Problem } from '../model/problem.ts';
import { type Answer, answerStatement, readAnswer } from './answers.queries.ts';
import { claimKey, leaseSeconds, type WriteContext } from './ledger.queries.ts';

const leaseSql = (until: string, when = 'true') => `
  update crm_core.crm_commands set lease_until = ${until}, updated_at = now(), version = version + 1
  where organization_id = ? and command_id = ? and state = 'received' and ${when} returning 1`;
const leased = `now() + interval '${leaseSeconds} seconds'`;

/**
 * Does once what is too long for one transaction: `work` goes through steps, each a write of its own under the same key,
 * and calls `keepLease` between them. The key is claimed before the first step, the answer kept after the last. When it
 * broke off, a repetition goes through the steps again, of which those done give their first answers. Problems:
 * `idempotency_key_reused`; `in_progress` while another request with the key is at work.
 */
export async function writeInSteps(
  database: Database,
  write: WriteContext,
  work: (keepLease: () => Promise<void>) => Promise<Omit<Answer, 'replayed'>>,
): Promise<Answer> {
  const { organizationId } = write.actor;
  const run = <Row>(sql: string, parameters: readonly unknown[]) =>
    statementInOrganization<Row>(database, organizationId, sql, parameters);
  const { known, commandId } = await claimKey(run, write, { commandId: uuidv7() });
  if (known?.state === 'answered') return { status: known.answer_status ?? 200, body: known.answer, replayed: true };
  const ids = [organizationId, commandId];
  if (known && (await run(leaseSql(leased, 'lease_until <= now()'), ids)).length === 0)
    throw new Problem('in_progress', 'The first request with this Idempotency-Key is still running.');
  try {
    const { status, body } = await work(async () => void (await run(leaseSql(leased), ids)));
    const { sql, parameters } = answerStatement(organizationId, commandId, status, body);
    await run(sql, parameters);
    // Another request may have taken over while this one stood still: what was kept first counts.
    const kept = await readAnswer(database, organizationId, commandId);
    return { status, body, ...kept, replayed: false };
  } catch (error) {
    // Whoever sends it again need not wait for the lease.
    await run(leaseSql('now()'), ids).catch(() => undefined);
    throw error;
  }
}
