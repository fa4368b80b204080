import type { EntityManager } from '@mikro-orm/postgresql';
import { type LeadRow, lockLead } from '../../db/leads/lead-state.queries.ts';
import { type Change, eventRow } from '../../db/model/changes.ts';
import { withdrawnRefs } from './external-refs.ts';
import { saveLead } from './lead-change.ts';
import { companyKey, type MergeEvidence, takenOver } from './merging.ts';

/** Event that a lead has given back what came with a merge into it; its process scores it again, and shows it as it is. */
export const releasedEvent = 'lead.released';

/**
 * Takes a lead out of those that it went into, from merge to merge up to the one that is open: each gives back what it
 * still has of it. One that has closed keeps what it closed with. `filled`: what the first of them took over.
 */
export async function takeOut(
  em: EntityManager,
  change: Change,
  leaving: LeadRow,
  filled: readonly string[],
): Promise<void> {
  let taken = filled;
  for (let holderId = leaving.mergedIntoLeadId; holderId !== null;) {
    const holder = await lockLead(em, holderId);
    if (!holder || (holder.status !== 'open' && holder.status !== 'merged')) return;
    const given = await release(em, change, holder, leaving, taken);
    holderId = holder.mergedIntoLeadId;
    const further = holderId === null ? [] : ((await readMerge(em, holder))?.filled ?? []);
    taken = given.filter((field) => further.includes(field));
  }
}

/** Answers the fields that were given back. */
async function release(
  em: EntityManager,
  change: Change,
  holder: LeadRow,
  leaving: LeadRow,
  taken: readonly string[],
): Promise<readonly string[]> {
  const given = takenOver.filter(
    (field) => taken.includes(field) && JSON.stringify(holder[field]) === JSON.stringify(leaving[field]),
  );
  const emptied: Partial<LeadRow> = Object.fromEntries(given.map((field) => [field, null]));
  const mailStatus = given.includes('email') ? { emailStatus: 'unknown' as const } : {};
  const isDirect = holder.id === leaving.mergedIntoLeadId;
  const engagementCount = Math.max(0, holder.engagementCount - (isDirect ? 1 : 0));
  const own = { ...change, subjectId: holder.id };
  const refs = await withdrawnRefs(em, change, leaving.id, holder.id);
  await saveLead(
    em,
    own,
    holder,
    { ...emptied, ...mailStatus, ...companyKey(emptied), engagementCount },
    { kind: releasedEvent, summary: 'a merge into this lead was taken back', details: { leadId: leaving.id } },
    { rows: [...refs, ...(holder.status === 'open' ? [eventRow(own, releasedEvent)] : [])] },
  );
  return given;
}

/** What is on record of the merge of a lead that is merged now. */
async function readMerge(em: EntityManager, { organizationId, id }: LeadRow): Promise<MergeEvidence | undefined> {
  const [merge]: { evidence: MergeEvidence }[] = await em.execute(
    `select evidence from crm_core.crm_merges
     where organization_id = ? and merged_id = ? and undone_at is null and deleted_at is null`,
    [organizationId, id],
  );
  return merge?.evidence;
}
