import { slaTargets } from '../../workflows/tickets/policy.ts';
import { allow, ofTicketOfOwnAccount } from '../access/access-rules.ts';
import { User } from '../access/user.ts';
import { choice, instant, integer, reference, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { SlaClock } from './sla-clock.ts';
import { Ticket } from './ticket.ts';

/** What a ticket did by itself: a warning, a breach, a rung of the ladder, the end of a wait, closing; due when, noticed when, done what. */
export const TicketStep = entity('TicketStep', 'crm_ticket_steps', {
  key: 'ticket_step_id',
  columns: {
    ticketId: reference(() => Ticket),
    slaClockId: reference(() => SlaClock, { nullable: true }),
    target: choice(slaTargets, { nullable: true }),
    /** `warning_50`, `breach`, `rung_reassign_10`; `resolve`, `resume`, `close`. */
    step: text(40),
    /** The life of the clock; for `close` how often the ticket was reopened, for the others how often it began to wait. Each step is taken once in each. */
    life: integer(0, 1_000_000),
    dueAt: instant(),
    /** When the process noticed that it was due: later after an outage. */
    detectedAt: instant(),
    /** Whom it concerned. */
    userId: reference(() => User, { nullable: true }),
    outcome: text(300),
  },
  uniques: [['ticketId', 'slaClockId', 'step', 'life']],
  indexes: [{ name: 'due', columns: 'step, due_at desc' }],
});

export const ticketSteps = resource(TicketStep, {
  path: 'ticket-steps',
  title: 'ticket step',
  creatable: [],
  patchable: [],
  filterable: ['ticketId', 'slaClockId', 'target', 'step', 'userId', 'dueAt', 'detectedAt'],
  sortable: ['dueAt', 'createdAt'],
  expandable: { ticket: 'ticketId', slaClock: 'slaClockId', user: 'userId' },
  read: allow('tickets:read', { own: ofTicketOfOwnAccount }),
  write: () => false,
  feature: 'tickets',
});
