import { allow, ofOwnLead } from '../access/access-rules.ts';
import { Team } from '../access/team.ts';
import { User } from '../access/user.ts';
import { decisionColumns } from '../assignment/decision.ts';
import { integer, reference } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { AssignmentRule } from './assignment-rule.ts';
import { Lead } from './lead.ts';

/** One decision who gets a lead, with every candidate and why they were chosen or passed over. One for each round. */
export const LeadAssignment = entity('LeadAssignment', 'crm_lead_assignments', {
  key: 'lead_assignment_id',
  columns: {
    leadId: reference(() => Lead),
    round: integer(1, 1_000),
    userId: reference(() => User),
    teamId: reference(() => Team, { nullable: true }),
    assignmentRuleId: reference(() => AssignmentRule, { nullable: true }),
    assignmentRuleVersion: integer(1, 2_147_483_647, { nullable: true }),
    ...decisionColumns,
  },
  uniques: [['leadId', 'round']],
  indexes: [{ name: 'user_day', columns: 'user_id, decided_at desc' }],
});

export const leadAssignments = resource(LeadAssignment, {
  path: 'lead-assignments',
  title: 'lead assignment',
  creatable: [],
  patchable: [],
  filterable: ['leadId', 'userId', 'teamId', 'assignmentRuleId', 'decidedAt'],
  sortable: ['decidedAt', 'createdAt'],
  expandable: { lead: 'leadId', user: 'userId', team: 'teamId', assignmentRule: 'assignmentRuleId' },
  read: allow('leads:read', { own: ofOwnLead }),
  write: () => false,
  feature: 'leads',
});
