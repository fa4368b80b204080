import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import type { ModelScore } from '../../db/leads/decisions.ts';
import { LeadScore } from '../../db/leads/lead-score.ts';
import type { LeadRow } from '../../db/leads/lead-state.queries.ts';
import { baseColumns, type Change } from '../../db/model/changes.ts';
import type { Insertion } from '../../db/model/set-based.ts';
import { saveLead } from './lead-change.ts';
import { scoreAgain } from './lead-context.ts';

/** Why a lead was scored. */
export type ScoreCause = 'captured' | 'engaged' | 'rescore' | 'changed' | 'assigned' | 'unmerged';

/** The row that keeps a score of `change`'s subject with its contributions. */
export function scoreRow(change: Change, score: ModelScore, cause: ScoreCause): Insertion {
  const row = { id: uuidv7(), ...baseColumns(change), leadId: change.subjectId, ...score, cause, scoredAt: change.at };
  return { into: LeadScore, rows: [row] };
}

/**
 * Scores a lead again by the model in force, and by the account that is recognised now if none was; `cause` says why, and
 * is kept with the contributions.
 */
export async function rescore(em: EntityManager, change: Change, lead: LeadRow, cause: ScoreCause): Promise<LeadRow> {
  const { context, modelScore } = await scoreAgain(em, lead, change.at);
  const { contributions: _, ...score } = modelScore;
  const summary = `scored ${score.score}${score.band ? ` (${score.band})` : ''}, was ${lead.score}`;
  return saveLead(
    em,
    change,
    lead,
    { ...score, accountId: lead.accountId ?? context.account?.id ?? null },
    { kind: 'lead.scored', summary },
    { rows: [scoreRow(change, modelScore, cause)] },
  );
}
