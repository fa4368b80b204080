import type { EntityManager } from '@mikro-orm/postgresql';
import type { Attendance } from '../../workflows/assignment/absence.ts';
import type { AssignmentRule } from '../../workflows/assignment/rules.ts';
import { isSuspended } from '../access/membership.queries.ts';
import { assignmentLock, attendanceAt, calendarJoin, type Hours, hoursSql } from '../assignment/teams.queries.ts';
import { type Database, organizationOf, statementAcrossOrganizations } from '../database.ts';

const rulesSql = `
  select ${assignmentLock} as locked, (
    select coalesce(jsonb_agg(jsonb_build_object('id', ticket_routing_rule_id, 'version', version, 'name', name, 'position', position,
      'when', condition, 'teamId', team_id, 'strategy', strategy) order by position, ticket_routing_rule_id), '[]')
    from crm_core.crm_ticket_routing_rules where organization_id = ? and active and deleted_at is null) as rules`;

/**
 * Takes the organisation's assignment lock, and answers its active routing rules in the order in which they are asked:
 * one round trip. The load that the lock protects is read after it.
 */
export async function lockRouting(em: EntityManager, organizationId: string): Promise<AssignmentRule[]> {
  const [row]: { rules: AssignmentRule[] }[] = await em.execute(rulesSql, [organizationId, organizationId]);
  return row?.rules ?? [];
}

/** A user as somebody who is given a ticket by name, or has it. */
export interface Agent extends Attendance {
  active: boolean;
  /** The API does not let them in. */
  suspended: boolean;
  skills: string[];
  capacity: number;
  openCount: number;
  /** The teams they sit in, the earliest membership first. */
  teamIds: string[];
}

/** The user named as they stand at the instant `at`; null when the organisation has none such. */
export async function findAgent(em: EntityManager, userId: string, at: Date): Promise<Agent | null> {
  const [row]: (Omit<Agent, keyof Attendance> & { hours: Hours })[] = await em.execute(
    `select u.active, ${isSuspended('u')} as suspended, u.skills, u.ticket_capacity as capacity, u.open_tickets as "openCount", jsonb_build_object(${hoursSql}) as hours,
       (select coalesce(jsonb_agg(m.team_id order by m.created_at, m.team_id), '[]') from crm_core.crm_team_members m
         where m.organization_id = u.organization_id and m.user_id = u.user_id and m.deleted_at is null) as "teamIds"
     from crm_core.crm_users u ${calendarJoin}
     where u.organization_id = ? and u.user_id = ? and u.deleted_at is null`,
    [organizationOf(em), userId],
  );
  if (!row) return null;
  const { hours, ...agent } = row;
  return { ...agent, ...attendanceAt(hours, at) };
}

/** The rules that held when a ticket was routed in this round. */
export async function readMatchedRules(em: EntityManager, ticketId: string, round: number): Promise<string[]> {
  const rows: { id: string }[] = await em.execute(
    `select tried ->> 'ruleId' as id from crm_core.crm_ticket_assignments, jsonb_array_elements(rules_tried) as tried
     where organization_id = ? and ticket_id = ? and round = ? and deleted_at is null and (tried ->> 'matched')::boolean`,
    [organizationOf(em), ticketId, round],
  );
  return rows.map(({ id }) => id);
}

/** Who would have a deleted ticket at work, and so has a place free; null when nobody has, or when it is back. */
export async function readAgentOfDeleted(
  relay: Database,
  organizationId: string,
  ticketId: string,
): Promise<string | null> {
  const [row] = await statementAcrossOrganizations<{ user_id: string }>(
    relay,
    `select assigned_user_id as user_id from crm_core.crm_tickets
     where organization_id = ? and ticket_id = ? and stage = 'assigned' and assigned_user_id is not null and deleted_at is not null`,
    [organizationId, ticketId],
  );
  return row?.user_id ?? null;
}
