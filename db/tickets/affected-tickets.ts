import { ticketProcess } from '../../workflows/tickets/messages.ts';
import type { Dependents } from '../automation/dependents.ts';
import { Ticket } from './ticket.ts';

/** Tickets at work, through their clocks or their place. One in the queue depends on whatever could find it an agent. */
export const affectedTickets = {
  process: ticketProcess,
  definition: Ticket,
  isRunning: `stage in ('queued', 'assigned')`,
  dependsOn: {
    organization: 'assigned_user_id is null',
    // The calendar of its clocks; a queued one also depends on when agents work.
    calendar: `sla_terms ->> 'calendarId' = changed.id::text or assigned_user_id is null`,
    user: 'assigned_user_id = changed.id or assigned_user_id is null',
    team: 'team_id = changed.id or assigned_user_id is null',
    ticket_routing_rule: 'assigned_user_id is null',
    sla_policy: 'sla_policy_id = changed.id',
  },
} as const satisfies Dependents;
