import { z } from 'zod';
import { slaStates } from '../../workflows/processes/search-attributes.ts';
import { createTicketBody } from '../../workflows/tickets/create.ts';
import { ticketChannels, ticketPriorities, ticketStages, ticketStatuses } from '../../workflows/tickets/policy.ts';
import { slaTermsSchema } from '../../workflows/tickets/terms.ts';
import { allow, onOwnAccount } from '../access/access-rules.ts';
import { Team } from '../access/team.ts';
import { User } from '../access/user.ts';
import { choice, identifier, instant, integer, json, list, longText, reference, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { openCounter } from '../model/open-counter.ts';
import { Account } from '../parties/account.ts';
import { Person } from '../parties/person.ts';
import { TicketRoutingRule } from './routing-rule.ts';
import { SlaPolicy } from './sla-policy.ts';

/** One request for help, from its opening until it is closed or merged (DOMAIN, process 6). */
export const Ticket = entity('Ticket', 'crm_tickets', {
  key: 'ticket_id',
  columns: {
    /** 1, 2, 3 … in each organisation. */
    number: integer(1, 2_147_483_647),
    subject: text(300),
    description: longText(20_000, { nullable: true }),
    requesterPersonId: reference(() => Person),
    accountId: reference(() => Account, { nullable: true }),
    channel: choice(ticketChannels),
    category: text(100, { nullable: true }),
    priority: choice(ticketPriorities),
    skills: list(20, { default: [] }),
    status: choice(ticketStatuses),
    stage: choice(ticketStages),
    /** The worst of its clocks; null without one that is open, met or breached. */
    sla: choice(slaStates, { nullable: true }),
    slaPolicyId: reference(() => SlaPolicy, { nullable: true }),
    slaPolicyVersion: integer(1, 2_147_483_647, { nullable: true }),
    /** What the policy promised when it was chosen for the ticket. */
    slaTerms: json(slaTermsSchema, { nullable: true, internal: true }),
    routingRuleId: reference(() => TicketRoutingRule, { nullable: true }),
    routingRuleVersion: integer(1, 2_147_483_647, { nullable: true }),
    teamId: reference(() => Team, { nullable: true }),
    assignedUserId: reference(() => User, { nullable: true }),
    assignedAt: instant({ nullable: true }),
    /** How often it was routed; 0: never. */
    round: integer(0, 1_000_000, { default: 0 }),
    /** What the process waits for next, and until when. */
    nextStep: text(80, { nullable: true }),
    nextDueAt: instant({ nullable: true }),
    /** When it is routed again: it waits in the queue, or its agent goes out of office then. */
    routeAgainAt: instant({ nullable: true, internal: true }),
    openedAt: instant(),
    firstRepliedAt: instant({ nullable: true }),
    lastCustomerMessageAt: instant({ nullable: true }),
    /** Since when it waits for the customer, or on hold; of the customer since the last reply. Null while it does not. */
    waitingSince: instant({ nullable: true }),
    /** How often it began to. */
    waitCount: integer(0, 1_000_000, { default: 0 }),
    resolvedAt: instant({ nullable: true }),
    closedAt: instant({ nullable: true }),
    reopenCount: integer(0, 1_000_000, { default: 0 }),
    mergedIntoTicketId: identifier({ nullable: true }),
    followUpOfTicketId: identifier({ nullable: true }),
    /** How the policy was chosen; told by `/process`. */
    policiesTried: json(z.array(z.record(z.string(), z.unknown())), { nullable: true, internal: true }),
  },
  search: ['subject', 'description'],
  uniques: [['number']],
  indexes: [
    { name: 'assignee', columns: 'assigned_user_id, created_at desc, ticket_id desc', where: 'deleted_at is null' },
    { name: 'team', columns: 'team_id, created_at desc, ticket_id desc', where: 'deleted_at is null' },
    { name: 'stage', columns: 'stage, created_at desc, ticket_id desc', where: 'deleted_at is null' },
    { name: 'status', columns: 'status, created_at desc, ticket_id desc', where: 'deleted_at is null' },
    { name: 'account', columns: 'account_id, created_at desc, ticket_id desc', where: 'deleted_at is null' },
    { name: 'requester', columns: 'requester_person_id, created_at desc, ticket_id desc', where: 'deleted_at is null' },
    { name: 'sla', columns: 'sla, next_due_at', where: "stage in ('queued', 'assigned') and deleted_at is null" },
    { name: 'policy', columns: 'sla_policy_id', where: "stage in ('queued', 'assigned') and deleted_at is null" },
    { name: 'queued', columns: 'team_id, priority, opened_at', where: "stage = 'queued' and deleted_at is null" },
    { name: 'follow_ups', columns: 'follow_up_of_ticket_id', where: 'follow_up_of_ticket_id is not null' },
    { name: 'due', columns: 'next_due_at', where: 'next_due_at is not null and deleted_at is null' },
    { name: 'opened', columns: 'opened_at desc, ticket_id desc', where: 'deleted_at is null' },
  ],
  triggers: [openCounter({ name: 'open_tickets', counter: 'open_tickets', isOpen: "stage in ('queued', 'assigned')" })],
});

export const tickets = resource(Ticket, {
  path: 'tickets',
  title: 'ticket',
  creatable: [],
  patchable: ['subject', 'description', 'accountId', 'category', 'skills'],
  removable: true,
  filterable: [
    'number',
    'status',
    'stage',
    'priority',
    'channel',
    'category',
    'skills',
    'sla',
    'slaPolicyId',
    'teamId',
    'assignedUserId',
    'requesterPersonId',
    'accountId',
    'openedAt',
    'nextDueAt',
    'waitingSince',
    'resolvedAt',
    'closedAt',
    'mergedIntoTicketId',
    'followUpOfTicketId',
  ],
  sortable: ['createdAt', 'updatedAt', 'openedAt', 'number', 'priority'],
  expandable: {
    requester: 'requesterPersonId',
    account: 'accountId',
    assignedUser: 'assignedUserId',
    team: 'teamId',
    slaPolicy: 'slaPolicyId',
  },
  read: allow('tickets:read', { own: onOwnAccount }),
  write: allow('tickets:work'),
  processOwned: {
    number: 'create',
    requesterPersonId: 'create',
    channel: 'create',
    openedAt: 'create',
    followUpOfTicketId: 'create',
    priority: 'setPriority',
    status: 'setStatus, resolve, reopen or close',
    stage: 'assign, resolve, reopen, merge or close',
    sla: 'reply or resolve',
    slaPolicyId: 'setPriority',
    slaPolicyVersion: 'setPriority',
    routingRuleId: 'assign',
    routingRuleVersion: 'assign',
    teamId: 'assign',
    assignedUserId: 'assign',
    assignedAt: 'assign',
    round: 'assign',
    nextStep: 'reply or resolve',
    nextDueAt: 'reply or resolve',
    firstRepliedAt: 'reply',
    lastCustomerMessageAt: 'customerReply',
    waitingSince: 'setStatus or reply',
    waitCount: 'setStatus',
    resolvedAt: 'resolve',
    closedAt: 'close',
    reopenCount: 'reopen',
    mergedIntoTicketId: 'merge',
  },
  process: { name: 'ticket', create: { route: 'tickets', body: createTicketBody } },
  feature: 'tickets',
  emits: 'ticket',
});
