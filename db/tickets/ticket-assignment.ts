import { allow, ofTicketOfOwnAccount } from '../access/access-rules.ts';
import { Team } from '../access/team.ts';
import { User } from '../access/user.ts';
import { decisionColumns } from '../assignment/decision.ts';
import { integer, reference } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { TicketRoutingRule } from './routing-rule.ts';
import { Ticket } from './ticket.ts';

/** One decision who gets a ticket, with every candidate and why they were chosen or passed over. One for each round. */
export const TicketAssignment = entity('TicketAssignment', 'crm_ticket_assignments', {
  key: 'ticket_assignment_id',
  columns: {
    ticketId: reference(() => Ticket),
    round: integer(1, 1_000_000),
    /** Null: nobody fitted, the ticket went into the queue. */
    userId: reference(() => User, { nullable: true }),
    teamId: reference(() => Team, { nullable: true }),
    routingRuleId: reference(() => TicketRoutingRule, { nullable: true }),
    routingRuleVersion: integer(1, 2_147_483_647, { nullable: true }),
    ...decisionColumns,
  },
  uniques: [['ticketId', 'round']],
  indexes: [{ name: 'user_day', columns: 'user_id, decided_at desc' }],
});

export const ticketAssignments = resource(TicketAssignment, {
  path: 'ticket-assignments',
  title: 'ticket assignment',
  creatable: [],
  patchable: [],
  filterable: ['ticketId', 'userId', 'teamId', 'routingRuleId', 'decidedAt'],
  sortable: ['decidedAt', 'createdAt'],
  expandable: { ticket: 'ticketId', user: 'userId', team: 'teamId', routingRule: 'routingRuleId' },
  read: allow('tickets:read', { own: ofTicketOfOwnAccount }),
  write: () => false,
  feature: 'tickets',
});
