import { z } from 'zod';
import { clockChangeSchema, clockIntervalSchema } from '../../workflows/tickets/clock-records.ts';
import { clockStates, slaTargets, ticketPriorities } from '../../workflows/tickets/policy.ts';
import { allow, ofTicketOfOwnAccount } from '../access/access-rules.ts';
import { Calendar } from '../calendars/calendar.ts';
import { choice, flag, instant, integer, json, ratio, reference } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { SlaPolicy } from './sla-policy.ts';
import { Ticket } from './ticket.ts';

/** One promise on one ticket: its due instant, and every stretch in which it ran or stood still, with the cause. */
export const SlaClock = entity('SlaClock', 'crm_sla_clocks', {
  key: 'sla_clock_id',
  columns: {
    ticketId: reference(() => Ticket),
    target: choice(slaTargets),
    /** 1 for the first of its target; each unanswered message, and each reopening, begins another. */
    ordinal: integer(1, 1_000_000),
    state: choice(clockStates),
    /** The due instant passed before it was done; stays when the clock is cancelled. */
    breached: flag({ default: false }),
    priority: choice(ticketPriorities),
    /** Business minutes of its calendar. */
    targetMinutes: integer(1, 525_600),
    slaPolicyId: reference(() => SlaPolicy),
    slaPolicyVersion: integer(1, 2_147_483_647),
    calendarId: reference(() => Calendar, { nullable: true }),
    startedAt: instant(),
    /** Null while it is paused, and when it is cancelled. */
    dueAt: instant({ nullable: true }),
    intervals: json(z.array(clockIntervalSchema)),
    changes: json(z.array(clockChangeSchema), { default: [] }),
    /** When what was promised was done, in time or late. */
    metAt: instant({ nullable: true }),
    /** The due instant that passed, and when that was noticed (later after an outage). */
    breachedAt: instant({ nullable: true }),
    breachDetectedAt: instant({ nullable: true }),
    endedAt: instant({ nullable: true }),
    /** Business minutes, without pauses, from its start to its end. */
    elapsedMinutes: ratio(0, 1_000_000_000, { nullable: true }),
    /** How often a breach was taken back by a change of priority, policy or calendar: what follows counts anew. */
    life: integer(0, 1_000_000, { default: 0 }),
  },
  uniques: [['ticketId', 'target', 'ordinal']],
  indexes: [
    { name: 'due', columns: 'due_at', where: "state = 'running' and deleted_at is null" },
    { name: 'started', columns: 'started_at', where: 'deleted_at is null' },
    { name: 'policy', columns: 'sla_policy_id', where: 'ended_at is null and deleted_at is null' },
    { name: 'calendar', columns: 'calendar_id', where: 'ended_at is null and deleted_at is null' },
  ],
});

export const slaClocks = resource(SlaClock, {
  path: 'sla-clocks',
  title: 'SLA clock',
  creatable: [],
  patchable: [],
  filterable: [
    'ticketId',
    'target',
    'state',
    'breached',
    'priority',
    'slaPolicyId',
    'calendarId',
    'startedAt',
    'dueAt',
    'breachedAt',
    'endedAt',
  ],
  sortable: ['startedAt', 'createdAt'],
  expandable: { ticket: 'ticketId', slaPolicy: 'slaPolicyId' },
  read: allow('tickets:read', { own: ofTicketOfOwnAccount }),
  write: () => false,
  feature: 'tickets',
});
