import type { EntityManager } from '@mikro-orm/postgresql';
import { leadProcess } from '../../workflows/leads/messages.ts';
import type { Actor } from '../access/actor.ts';
import { isUndecided } from '../automation/undecided.queries.ts';
import { type Database, inOrganization } from '../database.ts';
import { findVisible } from '../model/row-access.ts';
import { type LeadRow, plannedStep, showsContactData } from './lead-state.queries.ts';
import { leads } from './lead.ts';

/** What the rows tell of a lead's process, also after Temporal has forgotten it. */
export interface LeadProcess {
  stage: string;
  status: string;
  waitsFor: { step: string; dueAt: string; userId: string | null } | null;
  explanation: Record<string, unknown>;
}

/** The state of a lead's process and how it came about. Problem `not_found` for a lead that the caller may not see. */
export async function readLeadProcess(database: Database, actor: Actor, id: string): Promise<LeadProcess> {
  return inOrganization(database, actor.organizationId, async (em) => {
    if (await isUndecided(em, actor, { resource: leads, process: leadProcess.name }, id))
      return { stage: 'captured', status: 'open', waitsFor: null, explanation: {} };
    const lead = (await findVisible(em, actor, leads, id)) as unknown as LeadRow;
    const next = plannedStep(lead);
    return {
      stage: lead.stage,
      status: lead.status,
      waitsFor: next && { step: next.step, dueAt: next.dueAt, userId: next.waitsFor },
      explanation: await explain(em, lead, !showsContactData(actor, lead)),
    };
  });
}

const explanationSql = `
  select
    (select coalesce(jsonb_agg(jsonb_build_object('score', score, 'band', band, 'cause', cause, 'scoredAt', scored_at,
        'model', jsonb_build_object('id', scoring_model_id, 'version', scoring_model_version), 'contributions', contributions)
        order by scored_at desc), '[]')
      from (select * from crm_core.crm_lead_scores where organization_id = ? and lead_id = ? order by scored_at desc limit 20) s) as scores,
    (select coalesce(jsonb_agg(jsonb_build_object('round', round, 'userId', user_id, 'teamId', team_id, 'reason', reason,
        'overCapacity', over_capacity, 'rule', jsonb_build_object('id', assignment_rule_id, 'version', assignment_rule_version),
        'decidedAt', decided_at, 'candidates', candidates, 'rulesTried', rules_tried) order by round desc, decided_at desc), '[]')
      from (select * from crm_core.crm_lead_assignments where organization_id = ? and lead_id = ? order by round desc, decided_at desc limit 20) a) as assignments,
    (select coalesce(jsonb_agg(jsonb_build_object('round', round, 'step', step, 'dueAt', due_at, 'detectedAt', detected_at,
        'userId', user_id, 'outcome', outcome) order by due_at), '[]')
      from (select * from crm_core.crm_lead_steps where organization_id = ? and lead_id = ? order by due_at desc limit 50) t) as steps,
    (select coalesce(jsonb_agg(jsonb_build_object('survivorId', survivor_id, 'mergedId', merged_id, 'evidence', evidence,
        'mergedAt', merged_at, 'undoneAt', undone_at, 'captured', case when undone_at is null then jsonb_build_object(
          'capturedAt', l.captured_at, 'source', l.source_system, 'sourceRef', l.source_ref, 'message', l.message) end) order by merged_at), '[]')
      from (select * from crm_core.crm_merges where organization_id = ? and ? in (survivor_id, merged_id) order by merged_at desc limit 50) m
      left join crm_core.crm_leads l on l.organization_id = m.organization_id and l.lead_id = m.merged_id) as merges,
    (select coalesce(jsonb_agg(jsonb_build_object('criterion', criterion, 'statement', statement, 'reference', reference) order by criterion), '[]')
      from crm_core.crm_qualification_evidence where organization_id = ? and lead_id = ?) as evidence`;

interface Stored {
  scores: Record<string, unknown>[];
  assignments: Record<string, unknown>[];
  steps: Record<string, unknown>[];
  merges: Record<string, unknown>[];
  evidence: Record<string, unknown>[];
}

/**
 * Newest score first. What was captured with a lead that was merged into this one is told here, since its owner need not be
 * able to read that one. What normalisation saw, and what people wrote, is kept from those who may not read contact data.
 */
async function explain(em: EntityManager, lead: LeadRow, redacted: boolean): Promise<Record<string, unknown>> {
  const [stored]: Stored[] = await em.execute(explanationSql, Array(5).fill([lead.organizationId, lead.id]).flat());
  const [score, ...earlierScores] = stored?.scores ?? [];
  const assignments = stored?.assignments ?? [];
  // The decision in force: one that found nobody else leaves the lead with its owner.
  const assignment = assignments.find(({ userId }) => userId === lead.assignedUserId);
  return {
    normalization: redacted ? [] : (lead.normalization ?? []),
    duplicates: lead.duplicates ?? [],
    score: score ?? null,
    earlierScores,
    assignment: assignment ?? null,
    earlierAssignments: assignments.filter((other) => other !== assignment),
    steps: stored?.steps ?? [],
    merges: (stored?.merges ?? []).map(({ captured, ...merge }) => (redacted ? merge : { ...merge, captured })),
    evidence: redacted ? [] : (stored?.evidence ?? []),
  };
}
