import { allow, ofOwnLead } from '../access/access-rules.ts';
import { User } from '../access/user.ts';
import { instant, integer, reference, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { Lead } from './lead.ts';

/** A deadline that passed: when it was due, when that was noticed (later after an outage), what was done. */
export const LeadStep = entity('LeadStep', 'crm_lead_steps', {
  key: 'lead_step_id',
  columns: {
    leadId: reference(() => Lead),
    round: integer(0, 1_000),
    step: text(40),
    dueAt: instant(),
    detectedAt: instant(),
    /** Whom it concerned. */
    userId: reference(() => User, { nullable: true }),
    outcome: text(300),
  },
  uniques: [['leadId', 'round', 'step', 'dueAt']],
});

export const leadSteps = resource(LeadStep, {
  path: 'lead-steps',
  title: 'lead step',
  creatable: [],
  patchable: [],
  filterable: ['leadId', 'step', 'userId', 'dueAt', 'detectedAt'],
  sortable: ['dueAt', 'createdAt'],
  expandable: { lead: 'leadId', user: 'userId' },
  read: allow('leads:read', { own: ofOwnLead }),
  write: () => false,
  feature: 'leads',
});
