import { companyNameKey } from '../../workflows/leads/name-keys.ts';
import { z } from 'zod';
import { captureBody, consentSchema, urgencies, utmSchema } from '../../workflows/leads/capture.ts';
import { emailStatuses } from '../../workflows/leads/facts.ts';
import { leadStages, leadStatuses } from '../../workflows/leads/policy.ts';
import { scoreBands } from '../../workflows/leads/scoring.ts';
import { allow, ownLead, teamLead } from '../access/access-rules.ts';
import { Team } from '../access/team.ts';
import { User } from '../access/user.ts';
import { choice, identifier, instant, integer, json, longText, reference, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { country, email, phone } from '../model/formats.ts';
import { openCounter } from '../model/open-counter.ts';
import { Account } from '../parties/account.ts';
import { Person } from '../parties/person.ts';
import { AssignmentRule } from './assignment-rule.ts';
import { ScoringModel } from './scoring-model.ts';

const companyKeyOf = (company: unknown) => (typeof company === 'string' ? companyNameKey(company) : null);

/** One person's commercial interest, as captured and as scored (spec/5 `crm_leads`): distinct from the person. */
export const Lead = entity('Lead', 'crm_leads', {
  key: 'lead_id',
  columns: {
    personId: reference(() => Person),
    accountId: reference(() => Account, { nullable: true }),
    fullName: text(200),
    email: email({ nullable: true }),
    /** What the MX record of its own mail says, which need not be the one that its person is known by: scores go by this. */
    emailStatus: choice(emailStatuses, { default: 'unknown' }),
    phone: phone({ nullable: true }),
    company: text(200, { nullable: true }),
    country: country({ nullable: true }),
    source: text(100, { nullable: true, column: 'source_system' }),
    sourceRef: text(200, { nullable: true }),
    budgetBand: text(60, { nullable: true }),
    urgency: choice(urgencies, { nullable: true }),
    message: longText(5_000, { nullable: true }),
    consent: json(consentSchema, { nullable: true }),
    utm: json(utmSchema, { nullable: true }),
    status: choice(leadStatuses),
    stage: choice(leadStages),
    score: integer(0, 100, { default: 0 }),
    band: choice(scoreBands, { nullable: true }),
    scoringModelId: reference(() => ScoringModel, { nullable: true }),
    scoringModelVersion: integer(1, 2_147_483_647, { nullable: true }),
    assignmentRuleId: reference(() => AssignmentRule, { nullable: true }),
    assignmentRuleVersion: integer(1, 2_147_483_647, { nullable: true }),
    teamId: reference(() => Team, { nullable: true }),
    assignedUserId: reference(() => User, { nullable: true }),
    assignedAt: instant({ nullable: true }),
    /** How often the lead was given to somebody; 0: never. */
    round: integer(0, 1_000, { default: 0 }),
    /** What the process waits for next, and until when. */
    nextStep: text(40, { nullable: true }),
    nextDueAt: instant({ nullable: true }),
    capturedAt: instant(),
    touchedAt: instant({ nullable: true }),
    lastActivityAt: instant({ nullable: true }),
    engagementCount: integer(0, 1_000_000, { default: 0 }),
    closedAt: instant({ nullable: true }),
    disqualifyReason: text(60, { nullable: true }),
    mergedIntoLeadId: identifier({ nullable: true }),
    /** Open leads that were likely about the same person when it was captured; for a person to look at. */
    likelyDuplicates: integer(0, 1_000, { default: 0 }),
    /** Comparison keys of duplicate detection. */
    normalizedName: text(200, { nullable: true, internal: true }),
    normalizedCompany: text(200, { nullable: true, internal: true }),
    /** What the intake did to the input, and the duplicates it looked at; told by `/process`. */
    normalization: json(z.unknown(), { nullable: true, internal: true }),
    duplicates: json(z.unknown(), { nullable: true, internal: true }),
  },
  search: ['fullName', 'email', 'phone', 'company'],
  indexes: [
    { name: 'assignee', columns: 'assigned_user_id, created_at desc, lead_id desc', where: 'deleted_at is null' },
    { name: 'stage', columns: 'stage, created_at desc, lead_id desc', where: 'deleted_at is null' },
    { name: 'status', columns: 'status, created_at desc, lead_id desc', where: 'deleted_at is null' },
    { name: 'source', columns: 'source_system, created_at desc, lead_id desc', where: 'deleted_at is null' },
    { name: 'score', columns: 'score desc, lead_id desc', where: 'deleted_at is null' },
    { name: 'open_email', columns: 'email', where: "status = 'open' and deleted_at is null" },
    { name: 'open_phone', columns: 'phone', where: "status = 'open' and deleted_at is null" },
    { name: 'open_company', columns: 'normalized_company', where: "status = 'open' and deleted_at is null" },
    { name: 'merged_email', columns: 'email, created_at desc', where: "status = 'merged' and deleted_at is null" },
    {
      name: 'merged_phone',
      columns: 'phone, normalized_name, created_at desc',
      where: "status = 'merged' and deleted_at is null",
    },
    { name: 'person', columns: 'person_id', where: 'deleted_at is null' },
    { name: 'captured', columns: 'captured_at desc, lead_id desc', where: 'deleted_at is null' },
    {
      name: 'waiting',
      columns: 'captured_at, lead_id',
      where: "status = 'open' and assigned_user_id is null and deleted_at is null",
    },
  ],
  triggers: [openCounter({ name: 'open_leads', counter: 'open_leads', isOpen: "status = 'open'" })],
});

export const leads = resource(Lead, {
  path: 'leads',
  title: 'lead',
  creatable: [],
  patchable: ['sourceRef', 'budgetBand', 'urgency', 'message', 'company', 'country'],
  removable: true,
  filterable: [
    'status',
    'stage',
    'score',
    'band',
    'source',
    'assignedUserId',
    'teamId',
    'personId',
    'accountId',
    'country',
    'budgetBand',
    'urgency',
    'email',
    'emailStatus',
    'phone',
    'company',
    'capturedAt',
    'nextDueAt',
    'likelyDuplicates',
  ],
  sortable: ['createdAt', 'updatedAt', 'capturedAt', 'score'],
  expandable: { person: 'personId', account: 'accountId', assignedUser: 'assignedUserId', team: 'teamId' },
  derived: {
    normalizedCompany: ({ company }) => companyKeyOf(company),
    // Another company is another account: the process looks for it. A closed lead keeps the one that it closed with.
    accountId: ({ status, company, normalizedCompany, accountId }) =>
      status === 'open' && companyKeyOf(company) !== normalizedCompany ? null : accountId,
  },
  read: allow('leads:read', { own: ownLead }),
  write: allow('leads:update', { own: ownLead, team: teamLead }),
  remove: allow('leads:delete', { team: teamLead }),
  processOwned: {
    status: 'qualify, disqualify or merge',
    stage: 'touch, qualify, disqualify or merge',
    score: 'rescore',
    band: 'rescore',
    teamId: 'reassign',
    assignedUserId: 'reassign',
    assignedAt: 'reassign',
    round: 'reassign',
    nextStep: 'touch',
    nextDueAt: 'touch',
    touchedAt: 'touch',
    lastActivityAt: 'touch',
    engagementCount: 'rescore',
    closedAt: 'disqualify',
    disqualifyReason: 'disqualify',
    mergedIntoLeadId: 'merge',
    likelyDuplicates: 'merge',
    scoringModelId: 'rescore',
    scoringModelVersion: 'rescore',
    assignmentRuleId: 'reassign',
    assignmentRuleVersion: 'reassign',
    personId: 'merge',
    accountId: 'qualify',
    fullName: 'capture',
    email: 'capture',
    emailStatus: 'capture',
    phone: 'capture',
    capturedAt: 'capture',
  },
  process: { name: 'lead', create: { route: 'leads/capture', body: captureBody } },
  redact: {
    properties: ['fullName', 'email', 'phone', 'message', 'personId', 'consent'],
    unless: allow('leads:read_contact_data', { own: ownLead }),
  },
  feature: 'leads',
  emits: 'lead',
});
