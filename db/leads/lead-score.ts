import { z } from 'zod';
import { scoreBands } from '../../workflows/leads/scoring.ts';
import { allow, ofOwnLead } from '../access/access-rules.ts';
import { choice, instant, integer, json, reference, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity, type EntityDefinition } from '../model/entity.ts';
import { Lead } from './lead.ts';
import { ScoringModel } from './scoring-model.ts';

const lead = (): EntityDefinition => Lead;

/** One score of a lead with each contribution, never changed afterwards. */
export const LeadScore = entity('LeadScore', 'crm_lead_scores', {
  key: 'lead_score_id',
  columns: {
    leadId: reference(lead),
    scoringModelId: reference(() => ScoringModel, { nullable: true }),
    scoringModelVersion: integer(1, 2_147_483_647, { nullable: true }),
    score: integer(0, 100),
    band: choice(scoreBands, { nullable: true }),
    contributions: json(z.array(z.record(z.string(), z.unknown()))),
    /** `captured`, `engaged`, `rescore`, `changed`, `assigned`, `unmerged`. */
    cause: text(60),
    scoredAt: instant(),
  },
  indexes: [{ name: 'lead', columns: 'lead_id, scored_at desc' }],
});

export const leadScores = resource(LeadScore, {
  path: 'lead-scores',
  title: 'lead score',
  creatable: [],
  patchable: [],
  filterable: ['leadId', 'scoringModelId', 'score', 'band', 'scoredAt'],
  sortable: ['scoredAt', 'createdAt', 'score'],
  expandable: { lead: 'leadId', scoringModel: 'scoringModelId' },
  read: allow('leads:read', { own: ofOwnLead }),
  write: () => false,
  feature: 'leads',
});
