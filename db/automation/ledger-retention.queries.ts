import { acrossOrganizations, type Database } from '../database.ts';

/**
 * Forgets what the ledger need not know a day after it answered: body and answer are erased, and the key is free for
 * another request (a unique index spares deleted rows). So are writes of many steps that broke off a day ago and were
 * not repeated. The row itself stays, for the audit; so does a refusal of what a process owes, whole, until somebody has
 * mended it. At most `limit` rows of each organisation; answers how many.
 */
export async function forgetOldAnswers(relay: Database, limit: number): Promise<number> {
  const forgotten = await acrossOrganizations(relay, (em) =>
    em.execute<unknown[]>(
      `with old as (
         select c.command_id from crm_core.core_organizations o
         cross join lateral (
           select command_id from crm_core.crm_commands
           where organization_id = o.organization_id and deleted_at is null and created_at < now() - interval '24 hours'
             and (case state
               when 'answered' then answered_at < now() - interval '24 hours' and (answer_status < 400 or actor ->> 'kind' <> 'process')
               else message is null end)
           order by created_at limit ? for update skip locked) c)
       update crm_core.crm_commands c
       set body = null, answer = null, deleted_at = now(), updated_at = now(), version = version + 1
       from old where c.command_id = old.command_id and c.deleted_at is null returning 1`,
      [limit],
    ),
  );
  return forgotten.length;
}
