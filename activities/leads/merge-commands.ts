import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import { readIntakeContext } from '../../db/leads/intake.queries.ts';
import { findPerson, type LeadRow, lockLead } from '../../db/leads/lead-state.queries.ts';
import type { Change } from '../../db/model/changes.ts';
import { Problem } from '../../db/model/problem.ts';
import type { Insertion } from '../../db/model/set-based.ts';
import { personNameKey } from '../../workflows/leads/name-keys.ts';
import type { LeadStage } from '../../workflows/leads/policy.ts';
import { assign } from './assignment.ts';
import { saveLead } from './lead-change.ts';
import { asIntake, scoreAgain } from './lead-context.ts';
import { join, type MergeEvidence } from './merging.ts';
import { tellOfDecision } from './notifications.ts';
import { newPerson } from './people.ts';
import { takeOut } from './releasing.ts';
import { scoreRow } from './rescoring.ts';
import { backToOwner } from './restoration.ts';

/** Merges a lead into another open one, which takes over what it did not know. Problem `rule_violation` otherwise. */
export async function mergeInto(
  em: EntityManager,
  change: Change,
  lead: LeadRow,
  { intoLeadId }: { intoLeadId: string },
): Promise<LeadRow> {
  const survivor = await lockLead(em, intoLeadId);
  const hindrance = hindranceOf(lead, survivor);
  if (!survivor || hindrance !== null)
    throw new Problem('rule_violation', 'The lead cannot be merged into that one; see errors.', [
      { path: 'intoLeadId', message: hindrance ?? 'is not a lead of this organisation' },
    ]);
  const { candidates } = await readIntakeContext(em, lead.organizationId, lead.id, asIntake(lead));
  return join(em, change, lead, survivor, { rule: 'by command', others: candidates });
}

/** Why a lead cannot be merged into another one; null: it can. */
function hindranceOf({ id }: LeadRow, survivor: LeadRow | null): string | null {
  if (survivor?.id === id) return 'is the lead itself';
  return survivor && (survivor.deletedAt !== null || survivor.status !== 'open') ? 'is not open any more' : null;
}

/**
 * Takes a merge back: what survived gives back what it took over, and the lead goes on with its owner if it has one, else
 * it is scored and assigned now.
 */
export async function unmerge(em: EntityManager, change: Change, lead: LeadRow): Promise<LeadRow> {
  const { personId, stage: before, rows } = await separate(em, change, lead);
  const open = { mergedIntoLeadId: null, status: 'open' as const, personId };
  const told = {
    kind: 'lead.unmerged',
    summary: 'the merge was taken back',
    details: { fromLeadId: lead.mergedIntoLeadId },
  };
  if (lead.assignedUserId !== null) {
    const stage = before === 'touched' ? before : 'assigned';
    const back = await backToOwner(em, change, lead, stage);
    return saveLead(em, change, lead, { ...open, ...back.values }, told, { rows: [...rows, ...back.rows] });
  }
  const { context, facts, modelScore } = await scoreAgain(em, lead, change.at);
  const { contributions: _, ...score } = modelScore;
  const assigned = await assign(em, change, { facts, context, excludeUserIds: [], round: lead.round + 1 });
  const values = { ...open, ...score, ...assigned.values };
  return saveLead(em, change, lead, values, told, {
    rows: [
      ...rows,
      scoreRow(change, modelScore, 'unmerged'),
      ...assigned.rows,
      ...(await tellOfDecision(em, change, { ...lead, ...values })),
    ],
    statements: assigned.statements,
  });
}

/** Undoes the merge on the survivor's side; a lead whose name is another than its survivor's person gets one of its own. */
async function separate(
  em: EntityManager,
  change: Change,
  lead: LeadRow,
): Promise<{ personId: string; stage: LeadStage | null; rows: Insertion[] }> {
  const [merge]: { evidence: MergeEvidence }[] = await em.execute(
    `update crm_core.crm_merges set undone_at = ?, updated_at = ?, version = version + 1
     where organization_id = ? and merged_id = ? and undone_at is null and deleted_at is null returning evidence`,
    [change.at, change.at, change.organizationId, lead.id],
  );
  await takeOut(em, change, lead, merge?.evidence.filled ?? []);
  const stage = merge?.evidence.stage ?? null;
  const person = await findPerson(em, lead.personId);
  if (merge?.evidence.rule !== 'same person' || !person || personNameKey(person.fullName) === lead.normalizedName)
    return { personId: lead.personId, stage, rows: [] };
  const personId = uuidv7();
  const described = { ...lead, normalizedName: lead.normalizedName ?? '', consent: lead.consent ?? null };
  return { personId, stage, rows: [newPerson(change, personId, described, lead.emailStatus)] };
}
