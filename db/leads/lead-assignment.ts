import { z } from 'zod';
import { allow, ofOwnLead } from '../access/access-rules.ts';
import { Team } from '../access/team.ts';
import { User } from '../access/user.ts';
import { flag, instant, integer, json, reference, text } from '../model/columns.ts';
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
    reason: text(300),
    /** Nobody had room: a fallback got it all the same. */
    overCapacity: flag({ default: false }),
    /** Whether it used up a turn in the team's order. */
    tookTurn: flag({ default: false }),
    candidates: json(z.array(z.record(z.string(), z.unknown()))),
    rulesTried: json(z.array(z.record(z.string(), z.unknown()))),
    decidedAt: instant(),
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
