import type { EntityManager } from '@mikro-orm/postgresql';
import type { LeadRow } from '../../db/leads/lead-state.queries.ts';
import type { Change } from '../../db/model/changes.ts';
import type { Insertion } from '../../db/model/set-based.ts';
import { assignTo, readUser } from './assignment.ts';
import { notify } from './notifications.ts';

/** What a touch that arrived late, but was made in time, takes back. */
interface InTime {
  values: Partial<LeadRow>;
  rows: Insertion[];
  remark: string;
}

/**
 * A touch received at or before a due instant meets the target even if the timer ran first: steps due later are marked
 * as not missed, and a lead that one of them took away from the toucher comes back, unless somebody has touched it since.
 */
export async function keepInTime(em: EntityManager, change: Change, lead: LeadRow): Promise<InTime> {
  const voided: { step: string; user_id: string | null }[] = await em.execute(
    `update crm_core.crm_lead_steps
     set outcome = 'not missed: touched before it was due', updated_at = ?, version = version + 1
     where organization_id = ? and lead_id = ? and due_at >= ? and deleted_at is null
       and step in ('remind_owner', 'tell_manager', 'reassign', 'tell_manager_again')
     returning step, user_id`,
    [change.at, change.organizationId, lead.id, change.at],
  );
  const remark = voided.length === 0 ? '' : ', before the deadline that was noticed first';
  const toucher = change.actor.kind === 'user' ? change.actor.userId : null;
  const wasTakenAway = voided.some(({ step, user_id }) => step === 'reassign' && user_id === toucher);
  if (!wasTakenAway || toucher === null || toucher === lead.assignedUserId || lead.stage !== 'assigned')
    return { values: {}, rows: [], remark };
  if (!(await readUser(em, change.organizationId, toucher))?.active) return { values: {}, rows: [], remark };
  const { values, rows } = await assignTo(em, change, lead, toucher);
  return { values, rows: [...rows, ...notify(change, lead.assignedUserId, 'reassigned_away', lead.fullName)], remark };
}
