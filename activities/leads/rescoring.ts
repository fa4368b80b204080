import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import { LeadScore } from '../../db/leads/lead-score.ts';
import type { LeadRow } from '../../db/leads/lead-state.queries.ts';
import { baseColumns, type Change } from '../../db/model/changes.ts';
import { saveLead } from './lead-change.ts';
import { scoreAgain } from './lead-context.ts';

/** Scores a lead again by the model in force; `cause` says why, and is kept with the contributions. */
export async function rescore(
  em: EntityManager,
  change: Change,
  lead: LeadRow,
  cause: 'rescore' | 'engaged',
): Promise<LeadRow> {
  const { modelScore } = await scoreAgain(em, lead, change.at);
  const { contributions, ...score } = modelScore;
  const row = {
    id: uuidv7(),
    ...baseColumns(change),
    leadId: lead.id,
    ...score,
    contributions,
    cause,
    scoredAt: change.at,
  };
  const summary = `scored ${score.score}${score.band ? ` (${score.band})` : ''}, was ${lead.score}`;
  return saveLead(
    em,
    change,
    lead,
    score,
    { kind: 'lead.scored', summary },
    { rows: [{ into: LeadScore, rows: [row] }] },
  );
}
