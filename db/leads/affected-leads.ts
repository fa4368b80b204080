import { leadProcess } from '../../workflows/leads/messages.ts';
import type { Dependents } from '../automation/dependents.ts';
import { Lead } from './lead.ts';

/** Open leads, through their assignee, their team or their rule. One that nobody could be given depends on all of it. */
export const affectedLeads = {
  process: leadProcess,
  definition: Lead,
  isRunning: `status = 'open'`,
  dependsOn: {
    organization: `assigned_user_id is null or assigned_user_id in (
      select user_id from crm_core.crm_users where organization_id = changed.id and calendar_id is null)`,
    calendar: `assigned_user_id is null or assigned_user_id in (
      select u.user_id from crm_core.crm_users u join crm_core.core_organizations o on o.organization_id = u.organization_id
      where coalesce(u.calendar_id, o.calendar_id) = changed.id)`,
    user: 'assigned_user_id is null or assigned_user_id = changed.id',
    team: 'assigned_user_id is null or team_id = changed.id',
    team_member: 'assigned_user_id is null',
    assignment_rule: 'assigned_user_id is null or assignment_rule_id = changed.id',
  },
} as const satisfies Dependents;
