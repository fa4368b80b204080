import type { EntityManager } from '@mikro-orm/postgresql';
import { type Circumstances, obstacleOf, seatOf, type TeamMember } from '../../workflows/assignment/team-choice.ts';
import { type Database, inOrganization } from '../database.ts';
import { readTeams, type Work } from './teams.queries.ts';

/** What somebody could take of a queue. */
interface FreePlaces {
  /** How many more records they can be given. */
  room: number;
  /** Those they could be given, the next one first, also beyond their room. */
  ids: string[];
}

/**
 * What of a queue a user could be given at the instant `at`, at most `limit`, the next one first. None while they have no
 * room or are away.
 */
export type ReadTakers = (
  database: Database,
  organizationId: string,
  userId: string,
  at: Date,
  limit: number,
) => Promise<FreePlaces>;

/**
 * Reads one kind of work's queue by `sql`, whose parameters are the seats (a JSON array), the organisation twice, and the
 * limit; it answers with `id`s.
 */
export function readTakersBy(work: Work, sql: string): ReadTakers {
  return (database, organizationId, userId, at, limit) =>
    inOrganization(database, organizationId, async (em) => {
      const { room, seats } = await readSeats(em, work, organizationId, userId, at);
      if (seats.length === 0) return { room: 0, ids: [] };
      const parameters = [JSON.stringify(seats), organizationId, organizationId, limit];
      const rows: { id: string }[] = await em.execute(sql, parameters);
      return { room, ids: rows.map(({ id }) => id) };
    });
}

/** A place in a team that somebody holds, and what they can do in it. */
interface Seat {
  teamId: string;
  /** Whose place it is: theirs, or that of somebody they stand in for. */
  memberUserId: string;
  skills: string[];
}

/**
 * The places in teams that a user holds at the instant `at`, their own and as a delegate, and for how much more of this
 * work they have room. None while they have no room or are away. As exact as a decision itself, or a record that cannot
 * take a place would keep it from the next one.
 */
async function readSeats(
  em: EntityManager,
  work: Work,
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
  const { teams } = await readTeams(em, work, organizationId, { teamIds: [], userIds }, at);
  const places = teams.flatMap(({ id: teamId, members }) => members.map((member) => ({ teamId, member })));
  const user = places.find(({ member }) => member.userId === userId)?.member;
  const everybody = new Map<string, TeamMember>(places.map(({ member }) => [member.userId, member]));
  const circumstances: Circumstances = {
    subject: work,
    requiredSkills: [],
    at: at.toISOString(),
    excludeUserIds: [],
    everybody,
  };
  if (!user || obstacleOf(user, circumstances)) return { room: 0, seats: [] };
  const seats = places
    .filter(({ member }) => seatOf(member, circumstances).seat?.holder.userId === userId)
    .map(({ teamId, member }) => ({
      teamId,
      memberUserId: member.userId,
      // Whoever stands in for somebody gets what both have the skills for.
      skills: member.skills.filter((skill) => user.skills.includes(skill)),
    }));
  const quota = user.dailyQuota === null ? Infinity : user.dailyQuota - user.assignedToday;
  return { room: Math.min(user.capacity - user.openCount, quota), seats };
}
