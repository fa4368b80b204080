import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import { Merge } from '../../db/governance/merge.ts';
import type { DuplicateCandidate } from '../../db/leads/duplicates.queries.ts';
import type { LeadRow } from '../../db/leads/lead-state.queries.ts';
import { baseColumns, type Change } from '../../db/model/changes.ts';
import type { Insertion } from '../../db/model/set-based.ts';
import type { FactSource } from '../../workflows/leads/facts.ts';
import { companyNameKey } from '../../workflows/leads/name-keys.ts';
import type { LeadStage } from '../../workflows/leads/policy.ts';
import { carriedRefs } from './external-refs.ts';
import { saveLead } from './lead-change.ts';
import { asIntake } from './lead-context.ts';

/** The fields that a survivor takes over when it does not know them. */
export const takenOver = [
  'email',
  'phone',
  'company',
  'country',
  'source',
  'budgetBand',
  'urgency',
  'consent',
  'utm',
] as const;

/** What a merged lead knows and the survivor does not. */
export function missing(survivor: LeadRow, merged: FactSource): Partial<LeadRow> {
  return Object.fromEntries(
    takenOver.flatMap((field) => (survivor[field] === null && merged[field] !== null ? [[field, merged[field]]] : [])),
  );
}

/** What is known of a merged lead, without the mail or phone that other open leads have: no survivor becomes their duplicate. */
export function withoutClaimed<Known extends Pick<FactSource, 'email' | 'phone'>>(
  known: Known,
  others: readonly Pick<DuplicateCandidate, 'email' | 'phone'>[],
): Known {
  return {
    ...known,
    email: others.some(({ email }) => email === known.email) ? null : known.email,
    phone: others.some(({ phone }) => phone === known.phone) ? null : known.phone,
  };
}

/** What is known of a survivor's mail once it has taken over these fields: of the same mail, the later look-up holds. */
function mailStatus(survivor: LeadRow, merged: LeadRow, filled: Partial<LeadRow>): Partial<LeadRow> {
  const { emailStatus } = merged;
  if (filled.email !== undefined) return { emailStatus };
  const isSaid = merged.email === survivor.email && emailStatus !== 'unknown';
  const isNews = survivor.emailStatus === 'unknown' || merged.capturedAt >= survivor.capturedAt;
  return isSaid && isNews ? { emailStatus } : {};
}

/**
 * A survivor takes over the fields of a lead merged into it, and counts one engagement more. `change` is that of the
 * merged lead, whose rows go along; the survivor gets its own audit and timeline.
 */
export async function absorb(
  em: EntityManager,
  change: Change,
  survivor: LeadRow,
  merged: LeadRow,
  filled: Partial<LeadRow>,
  rows: Insertion[],
): Promise<LeadRow> {
  const activity = survivor.stage === 'touched' ? { lastActivityAt: change.at } : {};
  const followed = { ...mailStatus(survivor, merged, filled), ...companyKey(filled) };
  return saveLead(
    em,
    { ...change, subjectId: survivor.id },
    survivor,
    { ...filled, ...followed, ...activity, engagementCount: survivor.engagementCount + 1 },
    {
      kind: 'lead.absorbed',
      summary: 'another capture of the same person was merged into this lead',
      details: { leadId: merged.id },
    },
    { rows },
  );
}

/** Why a lead is part of another one, and the open leads that are like it. */
interface Reason extends Pick<MergeEvidence, 'rule' | 'duplicate'> {
  others: readonly DuplicateCandidate[];
}

/**
 * Closes a lead as part of an open one, which takes over what it did not know and no third lead has, references too. Both
 * are locked, with their mails and phones.
 */
export async function join(
  em: EntityManager,
  change: Change,
  lead: LeadRow,
  survivor: LeadRow,
  { rule, duplicate, others }: Reason,
): Promise<LeadRow> {
  const intoLeadId = survivor.id;
  const unclaimed = withoutClaimed(
    asIntake(lead),
    others.filter(({ id }) => id !== intoLeadId),
  );
  const filled = missing(survivor, unclaimed);
  const refs = await carriedRefs(em, change, lead.id, { subjectType: 'lead', subjectId: intoLeadId });
  await absorb(em, change, survivor, lead, filled, refs);
  const evidence = { rule, stage: lead.stage as LeadStage, duplicate, filled: Object.keys(filled) };
  const told = { kind: 'lead.merged', summary: 'merged into another lead', details: { intoLeadId } };
  const values = { stage: 'merged', mergedIntoLeadId: intoLeadId } as const;
  return saveLead(em, change, lead, values, told, { rows: [mergeRow(change, intoLeadId, evidence)] });
}

/** The record of a merge of `change`'s subject into a survivor. */
export function mergeRow(change: Change, survivorId: string, evidence: MergeEvidence): Insertion {
  return {
    into: Merge,
    rows: [
      {
        id: uuidv7(),
        ...baseColumns(change),
        subjectType: 'lead',
        survivorId,
        mergedId: change.subjectId,
        evidence,
        mergedAt: change.at,
        undoneAt: null,
      },
    ],
  };
}

/** Why two leads became one, where the merged one stood, and what the survivor took over: enough to take it back. */
export interface MergeEvidence {
  rule: 'same person' | 'by command';
  stage: LeadStage;
  filled: string[];
  duplicate?: unknown;
}

/** The comparison key that goes along when a company is written. */
export function companyKey({ company }: Partial<LeadRow>): Partial<LeadRow> {
  if (company === undefined) return {};
  return { normalizedCompany: company === null ? null : companyNameKey(company) };
}
