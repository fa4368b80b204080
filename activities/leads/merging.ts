import type { EntityManager } from '@mikro-orm/postgresql';
import type { LeadRow } from '../../db/leads/lead-state.queries.ts';
import type { Change } from '../../db/model/changes.ts';
import type { FactSource } from '../../workflows/leads/facts.ts';
import { saveLead } from './lead-change.ts';

const filled = ['email', 'phone', 'company', 'country', 'source', 'budgetBand', 'urgency', 'consent', 'utm'] as const;

/**
 * What a surviving lead takes from one merged into it: one engagement more, and the fields it did not know. `change` is
 * that of the merged lead; the survivor gets its own audit and timeline.
 */
export async function absorb(em: EntityManager, change: Change, survivor: LeadRow, merged: FactSource): Promise<LeadRow> {
  const known: Partial<LeadRow> = Object.fromEntries(filled.flatMap((field) => (survivor[field] === null && merged[field] !== null ? [[field, merged[field]]] : [])));
  return saveLead(
    em,
    { ...change, subjectId: survivor.id },
    survivor,
    { ...known, engagementCount: survivor.engagementCount + 1, lastActivityAt: survivor.touchedAt === null ? survivor.lastActivityAt : change.at },
    { kind: 'lead.absorbed', summary: 'another capture of the same person was merged into this lead', details: { leadId: change.subjectId } },
  );
}
