import type { EntityManager } from '@mikro-orm/postgresql';
import type { Change } from '../../db/model/changes.ts';
import type { LeadRow } from '../../db/leads/lead-state.queries.ts';
import type { Insertion } from '../../db/model/set-based.ts';
import { assignTo } from './assignment.ts';

/** What a touch that arrived late, but was made in time, takes back. */
interface InTime {
  values: Partial<LeadRow>;
  rows: Insertion[];
  remark: string;
}

const nothing: InTime = { values: {}, rows: [], remark: '' };

/**
 * A touch received at or before a due instant meets the target even if the timer ran first: steps due later are marked
 * as not missed, and a lead that was taken away from the toucher by one of them comes back.
 */
export async function keepInTime(em: EntityManager, change: Change, lead: LeadRow): Promise<InTime> {
  if (lead.stage !== 'assigned') return nothing;
  const voided: { step: string; user_id: string | null }[] = await em.execute(
    `update crm_core.crm_lead_steps set outcome = 'not missed: touched before it was due', updated_at = ?, version = version + 1
     where lead_id = ? and due_at >= ? and deleted_at is null and step in ('remind_owner', 'tell_manager', 'reassign') returning step, user_id`,
    [change.at, lead.id, change.at],
  );
  if (voided.length === 0) return nothing;
  const remark = ', before the deadline that was noticed first';
  const owner = voided.find(({ step }) => step === 'reassign')?.user_id ?? null;
  if (owner === null || change.actor.kind !== 'user' || change.actor.userId !== owner || owner === lead.assignedUserId) return { ...nothing, remark };
  const { values, rows } = await assignTo(em, change, owner, lead.round + 1, lead.teamId, lead.assignmentRuleId);
  return { values, rows, remark };
}
