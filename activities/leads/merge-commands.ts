import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import { LeadScore } from '../../db/leads/lead-score.ts';
import { type LeadRow, lockLead } from '../../db/leads/lead-state.queries.ts';
import { planNext } from '../../db/leads/ladder.queries.ts';
import { baseColumns, type Change } from '../../db/model/changes.ts';
import { Problem } from '../../db/model/problem.ts';
import { assign } from './assignment.ts';
import { mergeRow } from './intake.ts';
import { saveLead } from './lead-change.ts';
import { judgeLead } from './lead-context.ts';
import { absorb } from './merging.ts';
import { notify } from './notices.ts';

/** Merges a lead into another open one, which takes over what it did not know. Problem `rule_violation` otherwise. */
export async function mergeInto(em: EntityManager, change: Change, lead: LeadRow, { intoLeadId }: { intoLeadId: string }): Promise<LeadRow> {
  const survivor = intoLeadId === lead.id ? null : await lockLead(em, intoLeadId);
  if (!survivor || survivor.deletedAt !== null || survivor.status !== 'open') {
    const message = intoLeadId === lead.id ? 'is the lead itself' : survivor ? 'is not open any more' : 'is not a lead of this organisation';
    throw new Problem('rule_violation', 'The lead cannot be merged into that one; see errors.', [{ path: 'intoLeadId', message }]);
  }
  await absorb(em, change, survivor, { ...lead, utm: lead.utm ?? null, consent: lead.consent ?? null });
  const told = { kind: 'lead.merged', summary: 'merged into another lead', details: { intoLeadId } };
  return saveLead(em, change, lead, { stage: 'merged', mergedIntoLeadId: intoLeadId }, told, { rows: [mergeRow(change, intoLeadId, { rule: 'by command' })] });
}

/** Takes a merge back: the lead goes on with its owner if it has one, else it is scored and assigned now. */
export async function unmerge(em: EntityManager, change: Change, lead: LeadRow): Promise<LeadRow> {
  await em.execute('update crm_core.crm_merges set undone_at = ?, updated_at = ?, version = version + 1 where merged_id = ? and undone_at is null', [change.at, change.at, lead.id]);
  const open = { mergedIntoLeadId: null, status: 'open' as const };
  const told = { kind: 'lead.unmerged', summary: 'the merge was taken back', details: { fromLeadId: lead.mergedIntoLeadId } };
  if (lead.assignedUserId !== null) {
    const stage = lead.touchedAt === null ? ('assigned' as const) : ('touched' as const);
    const restarted = stage === 'touched' ? { lastActivityAt: change.at } : { assignedAt: change.at };
    const next = await planNext(em, { ...lead, stage, ...restarted });
    return saveLead(em, change, lead, { ...open, stage, ...restarted, ...next }, told);
  }
  const { context, facts, judged } = await judgeLead(em, lead, change.at);
  const { contributions, ...score } = judged;
  const assigned = await assign(em, change, { facts, context, excludeUserIds: [], round: lead.round + 1 });
  const scored = { into: LeadScore, rows: [{ id: uuidv7(), ...baseColumns(change), leadId: lead.id, ...score, contributions, cause: 'unmerged', scoredAt: change.at }] };
  return saveLead(em, change, lead, { ...open, ...score, stage: assigned ? 'assigned' : 'scored', ...assigned?.values }, told, {
    rows: [scored, ...(assigned?.rows ?? []), ...(assigned ? notify(change, assigned.values.assignedUserId, 'assigned', lead.fullName, assigned.values.nextDueAt) : [])],
    statements: assigned?.statements ?? [],
  });
}
