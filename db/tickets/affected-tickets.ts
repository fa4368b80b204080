import { ticketProcess } from '../../workflows/tickets/messages.ts';
import type { Dependents } from '../automation/dependents.ts';
import { Ticket } from './ticket.ts';

/** Tickets at work, through their clocks or their place. One in the queue depends on whatever could find it an agent. */
export const affectedTickets = {
  process: ticketProcess,
  definition: Ticket,
  isRunning: `stage in ('queued', 'assigned')`,
  dependsOn: {
    organization: `assigned_user_id is null or assigned_user_id in (
      select user_id from crm_core.crm_users
      where organization_id = changed.id and calendar_id is null and out_of_office_from is not null)`,
    // The calendar of its clocks; a queued one also depends on when agents work, and so does that of an agent who is away.
    calendar: `sla_terms ->> 'calendarId' = changed.id::text or assigned_user_id is null or assigned_user_id in (
      select u.user_id from crm_core.crm_users u join crm_core.core_organizations o on o.organization_id = u.organization_id
      where coalesce(u.calendar_id, o.calendar_id) = changed.id and u.out_of_office_from is not null)`,
    user: 'assigned_user_id = changed.id or assigned_user_id is null',
    team: 'team_id = changed.id or assigned_user_id is null',
    // A newcomer may take what is queued; what somebody got through a team goes back when they are removed.
    team_member: `assigned_user_id is null or (team_id, assigned_user_id) in (
      select m.team_id, m.user_id from crm_core.crm_team_members m
      where m.organization_id = crm_tickets.organization_id and m.team_member_id = changed.id)`,
    ticket_routing_rule: 'assigned_user_id is null',
    sla_policy: 'sla_policy_id = changed.id',
  },
} as const satisfies Dependents;
