import { scoringModelColumns, scoringModelRules } from '../../workflows/leads/scoring.ts';
import { allow } from '../access/access-rules.ts';
import { flag, json, ratio, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';

/** How leads are scored: fit and engagement with weights, decaying with age. The newest active one counts. */
export const ScoringModel = entity('ScoringModel', 'crm_scoring_models', {
  key: 'scoring_model_id',
  columns: {
    name: text(120),
    active: flag({ default: true }),
    fitWeight: ratio(0, 1),
    engagementWeight: ratio(0, 1),
    fit: json(scoringModelColumns.fit),
    engagement: json(scoringModelColumns.engagement),
    bands: json(scoringModelColumns.bands),
  },
  search: ['name'],
  uniques: [['name']],
});

export const scoringModels = resource(ScoringModel, {
  path: 'scoring-models',
  title: 'scoring model',
  creatable: ['name', 'active', 'fitWeight', 'engagementWeight', 'fit', 'engagement', 'bands'],
  patchable: ['name', 'active', 'fitWeight', 'engagementWeight', 'fit', 'engagement', 'bands'],
  filterable: ['name', 'active'],
  sortable: ['name', 'createdAt'],
  read: allow('configuration:read'),
  write: allow('configuration:write'),
  rules: scoringModelRules,
  example: {
    fitWeight: 0.7,
    engagementWeight: 0.3,
    fit: [{ label: 'Can be called', when: 'hasPhone', points: 40 }],
    engagement: [{ activityType: 'call', points: 30, halfLifeDays: 14 }],
    bands: { warm: 25, hot: 50 },
  },
  feature: 'leads',
});
