import type { EntityManager } from '@mikro-orm/postgresql';
import type { LeadRow } from '../../db/leads/lead-state.queries.ts';
import type { Change } from '../../db/model/changes.ts';
import type { Insertion } from '../../db/model/set-based.ts';
import { assignTo, hindranceTo } from './assignment.ts';
import { notify } from './notifications.ts';

/** What a message that arrived late, but was sent in time, takes back. */
interface InTime {
  values: Partial<LeadRow>;
  rows: Insertion[];
  remark: string;
}

/**
 * What somebody has done with a lead by the receipt of a message meets every target due at that instant or later, even if
 * the timer ran first: such steps are marked as not missed, and a lead that one of them took away from the sender comes
 * back, unless somebody has touched it since.
 */
export async function keepInTime(
  em: EntityManager,
  change: Change,
  lead: LeadRow,
  did: 'touched' | 'qualified' | 'disqualified',
): Promise<InTime> {
  const voided: { step: string; user_id: string | null }[] = await em.execute(
    `update crm_core.crm_lead_steps
     set outcome = ?, updated_at = ?, version = version + 1
     where organization_id = ? and lead_id = ? and due_at >= ? and deleted_at is null
     returning step, user_id`,
    [`not missed: ${did} before it was due`, change.at, change.organizationId, lead.id, change.at],
  );
  const remark = voided.length === 0 ? '' : ', before the deadline that was noticed first';
  const sender = change.actor.kind === 'user' ? change.actor.userId : null;
  const wasTakenAway = voided.some(({ step, user_id }) => step === 'reassign' && user_id === sender);
  if (!wasTakenAway || sender === null || sender === lead.assignedUserId || lead.stage !== 'assigned')
    return { values: {}, rows: [], remark };
  if ((await hindranceTo(em, change.organizationId, sender)) !== null) return { values: {}, rows: [], remark };
  const { values, rows } = await assignTo(em, change, lead, sender);
  return { values, rows: [...rows, ...notify(change, lead.assignedUserId, 'reassigned_away', lead.fullName)], remark };
}
