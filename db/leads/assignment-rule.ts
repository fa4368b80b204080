import { assignmentStrategies } from '../../workflows/assignment/rules.ts';
import { leadConditions } from '../../workflows/leads/conditions.ts';
import { touchLadderSchema } from '../../workflows/leads/touch-ladder.ts';
import { allow } from '../access/access-rules.ts';
import { Team } from '../access/team.ts';
import { assignmentWarningsOf } from '../assignment/rule-warnings.ts';
import { choice, flag, integer, json, longText, reference, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';

/** Which team gets which leads: ordered, the first whose condition holds and whose team has room decides. */
export const AssignmentRule = entity('AssignmentRule', 'crm_assignment_rules', {
  key: 'assignment_rule_id',
  columns: {
    name: text(120),
    active: flag({ default: true }),
    /** Ascending: the lowest is asked first. */
    position: integer(0, 1_000_000),
    /** CEL over the lead's facts; `true` matches every lead. */
    when: { ...longText(2_000, { column: 'condition' }), schema: leadConditions.text },
    teamId: reference(() => Team),
    strategy: choice(assignmentStrategies),
    /** Overrides the standard no-touch ladder; null: the standard one. */
    ladder: json(touchLadderSchema, { nullable: true }),
  },
  search: ['name'],
  uniques: [['name']],
  indexes: [{ name: 'order', columns: 'position', where: 'active and deleted_at is null' }],
});

const unmatched =
  "a lead that none matches goes to the owner of its account, else to the organisation's fallback, else it waits.";

export const assignmentRules = resource(AssignmentRule, {
  path: 'assignment-rules',
  title: 'assignment rule',
  creatable: ['name', 'active', 'position', 'when', 'teamId', 'strategy', 'ladder'],
  patchable: ['name', 'active', 'position', 'when', 'teamId', 'strategy', 'ladder'],
  filterable: ['name', 'active', 'teamId', 'strategy'],
  sortable: ['position', 'name', 'createdAt'],
  expandable: { team: 'teamId' },
  read: allow('configuration:read'),
  write: allow('configuration:write'),
  warn: (rule, others, before) => assignmentWarningsOf(leadConditions, { rule, others, before }, unmatched),
  feature: 'leads',
  emits: 'assignment_rule',
});
