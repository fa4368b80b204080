import type { EntityManager } from '@mikro-orm/postgresql';
import type { AssignmentRule } from '../../workflows/assignment/rules.ts';
import { assignmentLock } from '../assignment/teams.queries.ts';
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

/** A user as somebody who is given a ticket by name; instants ISO 8601. */
export interface Agent {
  active: boolean;
  skills: string[];
  capacity: number;
  openCount: number;
  outOfOfficeFrom: string | null;
  outOfOfficeUntil: string | null;
  /** The teams they sit in, the earliest membership first. */
  teamIds: string[];
}

/** The user named; null when the organisation has none such. */
export async function findAgent(em: EntityManager, userId: string): Promise<Agent | null> {
  const [agent]: Agent[] = await em.execute(
    `select u.active, u.skills, u.ticket_capacity as capacity, u.open_tickets as "openCount",
       to_json(u.out_of_office_from) #>> '{}' as "outOfOfficeFrom", to_json(u.out_of_office_until) #>> '{}' as "outOfOfficeUntil",
       (select coalesce(jsonb_agg(m.team_id order by m.created_at, m.team_id), '[]') from crm_core.crm_team_members m
         where m.organization_id = u.organization_id and m.user_id = u.user_id and m.deleted_at is null) as "teamIds"
     from crm_core.crm_users u where u.organization_id = ? and u.user_id = ? and u.deleted_at is null`,
    [organizationOf(em), userId],
  );
  return agent ?? null;
}

const waitingSql = `
  with agent as materialized (
    select organization_id, user_id, skills, ticket_capacity - open_tickets as room from crm_core.crm_users
    where organization_id = ? and user_id = ? and active and deleted_at is null
      and not (coalesce(out_of_office_from <= now(), false) and coalesce(now() < out_of_office_until, true)))
  select t.ticket_id
  from agent
  join crm_core.crm_tickets t on t.organization_id = agent.organization_id and t.stage = 'queued' and t.deleted_at is null and t.skills <@ agent.skills
  left join lateral (
    select d.candidates from crm_core.crm_ticket_assignments d
    where d.organization_id = t.organization_id and d.ticket_id = t.ticket_id order by d.round desc limit 1) latest on true
  where agent.room > 0
    and (t.team_id is null
      or t.team_id in (select team_id from crm_core.crm_team_members m
        where m.organization_id = agent.organization_id and m.user_id = agent.user_id and m.deleted_at is null)
      or latest.candidates @> jsonb_build_array(jsonb_build_object('userId', agent.user_id)))
  order by t.opened_at, t.ticket_id
  limit (select least(greatest(room, 0), ?) from agent)`;

/**
 * The oldest queued tickets that a user could now take: those of their teams, and those for which they were thought of
 * before, with skills that they have; as many as they have room for, at most `limit`. None while they are away.
 */
export async function readTicketsWaitingFor(
  relay: Database,
  organizationId: string,
  userId: string,
  limit: number,
): Promise<string[]> {
  const rows = await statementAcrossOrganizations<{ ticket_id: string }>(relay, waitingSql, [
    organizationId,
    userId,
    limit,
  ]);
  return rows.map(({ ticket_id }) => ticket_id);
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
