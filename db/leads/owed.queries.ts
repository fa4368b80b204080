import type { EntityManager } from '@mikro-orm/postgresql';
import { forestalling } from '../../workflows/leads/messages.ts';
import { organizationOf } from '../database.ts';

/**
 * Whether the ledger still owes a lead's process a message that was received at or before `dueAt` and forestalls what
 * falls due then.
 */
export async function isForestalled(em: EntityManager, leadId: string, dueAt: Date): Promise<boolean> {
  const owed: unknown[] = await em.execute(
    `select 1 from crm_core.crm_commands
     where organization_id = ? and record_id = ? and received_at <= ? and state = 'received'
       and message = any(?::text[]) limit 1`,
    [organizationOf(em), leadId, dueAt, `{${forestalling.join(',')}}`],
  );
  return owed.length > 0;
}
