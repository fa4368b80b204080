import type { EntityManager } from '@mikro-orm/postgresql';
import { type IntakeContext, readIntakeContext } from '../../db/leads/intake.queries.ts';
import { scoreByModel, type ModelScore } from '../../db/leads/decisions.ts';
import type { LeadRow } from '../../db/leads/lead-state.queries.ts';
import type { LeadFacts } from '../../workflows/leads/facts.ts';
import type { NormalisedIntake } from '../../workflows/leads/normalisation.ts';
import type { Engagement } from '../../workflows/leads/scoring.ts';

const mostEngagements = 1_000;

/** What is known of a stored lead now: the configuration in force, what has happened on it, and its score by that. */
export async function scoreAgain(
  em: EntityManager,
  lead: LeadRow,
  at: Date,
): Promise<{ context: IntakeContext; facts: LeadFacts; modelScore: ModelScore }> {
  const source = asIntake(lead);
  const context = await readIntakeContext(em, lead.organizationId, lead.id, source);
  const engagements = await readEngagements(em, lead);
  return {
    context,
    ...scoreByModel({
      lead: source,
      context,
      emailStatus: lead.emailStatus,
      engagements,
      engagementCount: lead.engagementCount,
      capturedAt: lead.capturedAt,
      at,
    }),
  };
}

/** A stored lead as if it were captured now, references aside. */
export function asIntake(lead: LeadRow): NormalisedIntake {
  return {
    ...lead,
    normalizedName: lead.normalizedName ?? '',
    firstName: null,
    lastName: null,
    utm: lead.utm ?? null,
    consent: lead.consent ?? null,
    externalRefs: [],
  };
}

/**
 * What the lead did: logged activities, and further captures that were merged into it (`capture`). Only the latest count
 * for the score (points fade with age), so that a lead which a broken form captures for ever does not grow dear to score.
 */
async function readEngagements(em: EntityManager, { organizationId, id }: LeadRow): Promise<Engagement[]> {
  const rows: Engagement[] = await em.execute(
    `select activity_type as "activityType", happened_at as "happenedAt" from crm_core.crm_activities
     where organization_id = ? and subject_id = ? and deleted_at is null
     union all
     select 'capture', merged_at from crm_core.crm_merges
     where organization_id = ? and survivor_id = ? and undone_at is null and deleted_at is null
     order by 2 desc limit ?`,
    [organizationId, id, organizationId, id, mostEngagements],
  );
  return rows;
}
