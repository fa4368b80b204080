import { allow, ofOwnLead } from '../access/access-rules.ts';
import { Team } from '../access/team.ts';
import { User } from '../access/user.ts';
import { decisionColumns } from '../assignment/decision.ts';
import { integer, reference } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { AssignmentRule } from './assignment-rule.ts';
import { Lead } from './lead.ts';

/**
 * One decision who gets a lead, with every candidate and why they were chosen or passed over. One for each round, and
 * before it those that found nobody.
 */
export const LeadAssignment = entity('LeadAssignment', 'crm_lead_assignments', {
  key: 'lead_assignment_id',
  columns: {
    leadId: reference(() => Lead),
    round: integer(1, 1_000),
    /** Null: nobody could be given it, and it waits. */
    userId: reference(() => User, { nullable: true }),
    teamId: reference(() => Team, { nullable: true }),
    assignmentRuleId: reference(() => AssignmentRule, { nullable: true }),
    assignmentRuleVersion: integer(1, 2_147_483_647, { nullable: true }),
    ...decisionColumns,
  },
  indexes: [
    {
      name: 'lead_id_round_unique',
      columns: 'lead_id, round',
      where: 'user_id is not null and deleted_at is null',
      unique: true,
    },
    { name: 'lead', columns: 'lead_id, decided_at desc' },
    { name: 'user_day', columns: 'user_id, decided_at desc' },
  ],
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
