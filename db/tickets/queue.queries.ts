import type { EntityManager } from '@mikro-orm/postgresql';
import { type Circumstances, obstacleOf, seatOf, type TeamMember } from '../../workflows/assignment/team-choice.ts';
import { readTeams } from '../assignment/teams.queries.ts';
import { type Database, inOrganization } from '../database.ts';

/** A place in a team that somebody holds, and what they can do in it. */
interface Seat {
  teamId: string;
  skills: string[];
}

/** What somebody could take of the queue. */
export interface FreePlaces {
  /** How many more tickets they can be given. */
  room: number;
  /** Those they could be given, oldest first, also beyond their room. */
  ticketIds: string[];
}

const none: FreePlaces = { room: 0, ticketIds: [] };

/**
 * The oldest queued tickets that a user could be given at the instant `at`, at most `limit`: of those with skills that
 * they have, the ones for a team in which they hold a place, their own or as a delegate. None while they have no room
 * or are away. As exact as routing itself, or a ticket that cannot take a place would keep it from the next one.
 */
export function readTakers(
  database: Database,
  organizationId: string,
  userId: string,
  at: Date,
  limit: number,
): Promise<FreePlaces> {
  return inOrganization(database, organizationId, async (em) => {
    const { room, seats } = await readSeats(em, organizationId, userId, at);
    if (seats.length === 0) return none;
    const rows: { id: string }[] = await em.execute(takersSql, [
      JSON.stringify(seats),
      organizationId,
      organizationId,
      limit,
    ]);
    return { room, ticketIds: rows.map(({ id }) => id) };
  });
}

async function readSeats(
  em: EntityManager,
  organizationId: string,
  userId: string,
  at: Date,
): Promise<{ room: number; seats: Seat[] }> {
  const absent: { id: string }[] = await em.execute(
    `select user_id as id from crm_core.crm_users
     where organization_id = ? and delegate_user_id = ? and out_of_office_from is not null and active and deleted_at is null`,
    [organizationId, userId],
  );
  const userIds = [userId, ...absent.map(({ id }) => id)];
  const { teams } = await readTeams(em, 'ticket', organizationId, { teamIds: [], userIds }, at);
  const places = teams.flatMap(({ id: teamId, members }) => members.map((member) => ({ teamId, member })));
  const user = places.find(({ member }) => member.userId === userId)?.member;
  const everybody = new Map<string, TeamMember>(places.map(({ member }) => [member.userId, member]));
  const circumstances: Circumstances = {
    subject: 'ticket',
    requiredSkills: [],
    at: at.toISOString(),
    excludeUserIds: [],
    everybody,
  };
  if (!user || obstacleOf(user, circumstances)) return { room: 0, seats: [] };
  const seats = places
    .filter(({ member }) => seatOf(member, circumstances).seat?.holder.userId === userId)
    // Whoever stands in for somebody gets what both have the skills for.
    .map(({ teamId, member }) => ({ teamId, skills: member.skills.filter((skill) => user.skills.includes(skill)) }));
  const quota = user.dailyQuota === null ? Infinity : user.dailyQuota - user.assignedToday;
  return { room: Math.min(user.capacity - user.openCount, quota), seats };
}

// A ticket waits for the teams of all rules that held for it when it was routed last; without a rule for the team that
// a person chose, and with neither for a change of the rules.
const takersSql = `
  with seat as materialized (
    select "teamId" as team_id, skills from jsonb_to_recordset(?::jsonb) as s("teamId" uuid, skills text[])),
  serving as materialized (
    select seat.skills, jsonb_build_array(jsonb_build_object('ruleId', r.ticket_routing_rule_id, 'matched', true)) as tried
    from crm_core.crm_ticket_routing_rules r join seat on seat.team_id = r.team_id
    where r.organization_id = ? and r.active and r.deleted_at is null)
  select t.ticket_id as id
  from crm_core.crm_tickets t
  where t.organization_id = ? and t.stage = 'queued' and t.deleted_at is null
    and case when t.routing_rule_id is null
      then exists (select from seat where seat.team_id = t.team_id and t.skills <@ seat.skills)
      else exists (
        select from crm_core.crm_ticket_assignments d join serving on d.rules_tried @> serving.tried
        where d.organization_id = t.organization_id and d.ticket_id = t.ticket_id and d.round = t.round
          and d.deleted_at is null and t.skills <@ serving.skills) end
  order by t.opened_at, t.ticket_id
  limit ?`;
