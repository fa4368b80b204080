import { ticketConditions } from '../../workflows/tickets/facts.ts';
import {
  defaultTerms,
  escalationSchema,
  pausedTargetsSchema,
  pauseStatusesSchema,
  slaPolicyRules,
  slaTermsSchema,
  targetsSchema,
  warnAtSchema,
} from '../../workflows/tickets/terms.ts';
import { ruleWarningsOf } from '../assignment/rule-warnings.ts';
import { allow } from '../access/access-rules.ts';
import { Calendar } from '../calendars/calendar.ts';
import { flag, integer, json, longText, reference, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';

/** What is promised to which tickets: ordered, the first whose condition holds is chosen. Each change is a version. */
export const SlaPolicy = entity('SlaPolicy', 'crm_sla_policies', {
  key: 'sla_policy_id',
  columns: {
    name: text(120),
    active: flag({ default: true }),
    /** Ascending: the lowest is asked first. */
    position: integer(0, 1_000_000),
    /** CEL over the ticket's facts; `true` matches every ticket. */
    when: { ...longText(2_000, { column: 'condition' }), schema: ticketConditions.text },
    /** Business hours of its targets; null: around the clock. */
    calendarId: reference(() => Calendar, { nullable: true }),
    /** Business minutes by priority and target. */
    targets: json(targetsSchema),
    pauseStatuses: json(pauseStatusesSchema, { default: defaultTerms.pauseStatuses }),
    pausedTargets: json(pausedTargetsSchema, { default: defaultTerms.pausedTargets }),
    warnAt: json(warnAtSchema, { default: defaultTerms.warnAt }),
    escalation: json(escalationSchema, { default: defaultTerms.escalation }),
    closeAfterMinutes: integer(0, 525_600, { default: defaultTerms.closeAfterMinutes }),
    reopenWithinMinutes: integer(0, 525_600, { default: defaultTerms.reopenWithinMinutes }),
    resolveAfterMinutes: integer(1, 525_600, { default: defaultTerms.resolveAfterMinutes }),
    resumeAfterMinutes: integer(1, 525_600, { default: defaultTerms.resumeAfterMinutes }),
    /** The latest version that was applied to open tickets as well, and its terms; tickets with an older one follow. */
    appliedVersion: integer(0, 2_147_483_647, { default: 0, internal: true }),
    appliedTerms: json(slaTermsSchema, { nullable: true, internal: true }),
  },
  search: ['name'],
  uniques: [['name']],
  indexes: [{ name: 'order', columns: 'position', where: 'active and deleted_at is null' }],
});

const properties = [
  'name',
  'active',
  'position',
  'when',
  'calendarId',
  'targets',
  'pauseStatuses',
  'pausedTargets',
  'warnAt',
  'escalation',
  'closeAfterMinutes',
  'reopenWithinMinutes',
  'resolveAfterMinutes',
  'resumeAfterMinutes',
] as const;

export const slaPolicies = resource(SlaPolicy, {
  path: 'sla-policies',
  title: 'SLA policy',
  creatable: properties,
  patchable: properties,
  filterable: ['name', 'active', 'calendarId'],
  sortable: ['position', 'name', 'createdAt'],
  expandable: { calendar: 'calendarId' },
  read: allow('configuration:read'),
  write: allow('configuration:write'),
  rules: slaPolicyRules,
  example: { targets: { P1: { first_response: 30, resolution: 240 } } },
  warn: (policy, others) => ruleWarningsOf(ticketConditions, policy, others),
  feature: 'tickets',
  emits: 'sla_policy',
});
