import type { EntityManager } from '@mikro-orm/postgresql';
import { type Absence, type Attendance, isAway } from '../../workflows/assignment/absence.ts';
import type { Assignment } from '../../workflows/assignment/assignment.ts';
import { type CompiledCalendar, nextOpening } from '../../workflows/calendars/business-time.ts';
import type { CalendarHours } from '../../workflows/calendars/calendar.ts';
import { isSuspended } from '../access/membership.queries.ts';
import { organizationOf } from '../database.ts';
import { compiledCalendar } from '../calendars/compiled.ts';
import { executePrepared } from '../model/prepared.ts';
import type { Statement } from '../model/set-based.ts';

/** A team with its members' load at this moment, as assignment needs it. */
export interface TeamLoad {
  id: string;
  name: string;
  /** Null, too, while they are not active, suspended or away. */
  fallbackUserId: string | null;
  members: MemberLoad[];
}

interface MemberLoad extends Attendance {
  userId: string;
  name: string;
  position: number;
  active: boolean;
  suspended: boolean;
  capacity: number;
  openCount: number;
  dailyQuota: number | null;
  assignedToday: number;
  weight: number;
  skills: string[];
  lastTurn: number | null;
  weightedTurns: number;
}

/** Work as rows have it: the columns of `crm_users` that bound and count it, and the table of its decisions. */
interface WorkColumns {
  capacity: string;
  open: string;
  assignments: string;
}

// Capacity is counted for each kind of work apart: whoever is full of leads may have room for tickets.
const works = {
  lead: { capacity: 'capacity', open: 'open_leads', assignments: 'crm_lead_assignments' },
  ticket: { capacity: 'ticket_capacity', open: 'open_tickets', assignments: 'crm_ticket_assignments' },
} as const satisfies Record<string, WorkColumns>;

/** What is shared out among users. */
export type Work = keyof typeof works;

interface TeamsRow {
  teams: (Omit<TeamLoad, 'members'> & { fallback: Hours | null })[];
  members: MemberRow[];
}

interface MemberRow extends Omit<MemberLoad, 'outOfOffice' | 'opensAt'>, Hours {
  teamId: string;
}

/** When somebody works, as the database keeps it; `hoursSql` of a user `u`, with `calendarJoin`. */
export interface Hours {
  outOfOffice: Absence | null;
  /** Null: around the clock. */
  calendar: (CalendarHours & { id: string; version: number }) | null;
}

/**
 * Serialises the assignments of one organisation until the transaction ends: whoever decides next sees the turn and the
 * load that this decision leaves. People may sit in several teams, so a lock for each team would not do.
 */
export async function lockAssignment(em: EntityManager, organizationId: string): Promise<void> {
  await executePrepared(em, `select ${assignmentLock}`, [organizationId]);
}

/** The same as an SQL expression over the organisation's identifier, for a statement that does more. */
export const assignmentLock = `pg_advisory_xact_lock(hashtextextended('assignment:' || ?::text, 7))::text`;

/**
 * The teams named with all their members, and the places of those who may come in from elsewhere: the users named, the
 * fallbacks, and the delegates of who is away. Each with load (of this kind of work) and opening times at the instant
 * `at`; and the working calendar of each, null for who works around the clock.
 */
export async function readTeams(
  em: EntityManager,
  work: Work,
  organizationId: string,
  { teamIds, userIds }: { teamIds: readonly string[]; userIds: readonly string[] },
  at: Date,
): Promise<{ teams: TeamLoad[]; calendars: ReadonlyMap<string, CompiledCalendar | null> }> {
  const [row] = await executePrepared<TeamsRow>(em, teamsSql[work], [
    organizationId,
    uuidArray(teamIds),
    uuidArray(userIds),
    organizationId,
    organizationId,
    organizationId,
    organizationId,
    organizationId,
    at,
  ]);
  const members = row?.members ?? [];
  const teams = (row?.teams ?? []).map(({ fallback, ...team }) => ({
    ...team,
    fallbackUserId: fallback && isAway(attendanceAt(fallback, at), at.toISOString()) ? null : team.fallbackUserId,
    members: members.filter(({ teamId }) => teamId === team.id).map((member) => memberLoad(member, at)),
  }));
  const calendars = new Map(members.map(({ userId: id, calendar }) => [id, calendar && compiledCalendar(calendar)]));
  return { teams, calendars };
}

/** Uses up the turn of a place in a team: it comes last now, and its weighted turns are what the decision says. */
export function turnTaken(
  organizationId: string,
  { teamId, userId, weightedTurns }: NonNullable<Assignment['turn']>,
): Statement {
  return {
    sql: `
      update crm_core.crm_team_members m
      set turns = m.turns + 1, weighted_turns = ?,
        last_turn = (
          select coalesce(max(last_turn), 0) + 1 from crm_core.crm_team_members
          where organization_id = m.organization_id and team_id = m.team_id)
      where m.organization_id = ? and m.team_id = ? and m.user_id = ? and m.deleted_at is null returning 1`,
    parameters: [weightedTurns, organizationId, teamId, userId],
  };
}

/** The working calendar of a user, from those that `readTeams` gave where they are among them. */
export async function calendarAmong(
  em: EntityManager,
  calendars: ReadonlyMap<string, CompiledCalendar | null>,
  userId: string,
): Promise<CompiledCalendar | null> {
  const known = calendars.get(userId);
  return known === undefined ? await readCalendarOf(em, userId) : known;
}

/** The working calendar of a user: their own, else the organisation's, deleted or not; null: around the clock. */
export async function readCalendarOf(em: EntityManager, userId: string | null): Promise<CompiledCalendar | null> {
  const [row]: (CalendarHours & { id: string; version: number })[] = await em.execute(
    `select c.calendar_id as id, c.version, c.time_zone as "timeZone", c.hours, c.holidays, c.exceptions
     from crm_core.core_organizations o
     left join crm_core.crm_users u on u.organization_id = o.organization_id and u.user_id = ?
     join crm_core.crm_calendars c on c.organization_id = o.organization_id
       and c.calendar_id = coalesce(u.calendar_id, o.calendar_id)
     where o.organization_id = ?`,
    [userId, organizationOf(em)],
  );
  return row ? compiledCalendar(row) : null;
}

/** SQL of the hours of a user as the members of a JSON object. */
export const hoursSql = `
  'outOfOffice', case when u.out_of_office_from is not null then jsonb_build_object('from', u.out_of_office_from,
    'until', u.out_of_office_until, 'delegateUserId', u.delegate_user_id) end,
  'calendar', case when c.calendar_id is not null then jsonb_build_object('id', c.calendar_id, 'version', c.version,
    'timeZone', c.time_zone, 'hours', c.hours, 'holidays', c.holidays, 'exceptions', c.exceptions) end`;

/** SQL that joins the working calendar `c` of a user `u`; one that was deleted keeps its hours for whom it has. */
export const calendarJoin = `
  left join crm_core.core_organizations o on o.organization_id = u.organization_id
  left join crm_core.crm_calendars c on c.organization_id = u.organization_id
    and c.calendar_id = coalesce(u.calendar_id, o.calendar_id)`;

const sqlOf = ({ capacity, open, assignments }: WorkColumns): string => `
  with asked as materialized (
    select team_id, fallback_user_id from crm_core.crm_teams where organization_id = ? and deleted_at is null and team_id = any(?::uuid[])),
  named as materialized (
    select unnest(?::uuid[]) as user_id
    union select fallback_user_id from asked
    union select fallback_user_id from crm_core.core_organizations where organization_id = ?
    union select user_id from crm_core.crm_team_members
      where organization_id = ? and deleted_at is null and team_id in (select team_id from asked)),
  concerned as materialized (
    select user_id from named
    union select u.delegate_user_id from crm_core.crm_users u join named on named.user_id = u.user_id
      where u.organization_id = ? and u.out_of_office_from is not null),
  places as materialized (
    select m.* from crm_core.crm_team_members m
    where m.organization_id = ? and m.deleted_at is null and m.user_id in (select user_id from concerned))
  select
    (select coalesce(jsonb_agg(jsonb_build_object('id', t.team_id, 'name', t.name, 'fallbackUserId', u.user_id,
        'fallback', case when u.out_of_office_from is not null then jsonb_build_object(${hoursSql}) end)
        order by t.created_at, t.team_id), '[]')
       from crm_core.crm_teams t
       left join crm_core.crm_users u
         on u.organization_id = t.organization_id and u.user_id = t.fallback_user_id and u.active and u.deleted_at is null
           and not ${isSuspended('u')}
       ${calendarJoin}
       where t.organization_id = ? and t.deleted_at is null and t.team_id in (select team_id from places union select team_id from asked)) as teams,
    (select coalesce(jsonb_agg(jsonb_build_object(
        'teamId', m.team_id, 'userId', u.user_id, 'name', u.full_name, 'position', m.position, 'active', u.active, 'suspended', ${isSuspended('u')},
        'capacity', u.${capacity}, 'dailyQuota', u.daily_quota, 'weight', u.weight, 'skills', to_jsonb(u.skills),
        'lastTurn', m.last_turn, 'weightedTurns', m.weighted_turns,
        'openCount', u.${open},
        'assignedToday', case when u.daily_quota is null then 0 else (select count(*) from crm_core.${assignments} a
            where a.organization_id = m.organization_id and a.user_id = u.user_id
              and a.decided_at >= date_trunc('day', ?::timestamptz, coalesce(c.time_zone, 'UTC'))) end, ${hoursSql})), '[]')
     from places m
     join crm_core.crm_users u on u.organization_id = m.organization_id and u.user_id = m.user_id and u.deleted_at is null
     ${calendarJoin}) as members`;

const teamsSql = { lead: sqlOf(works.lead), ticket: sqlOf(works.ticket) };

function memberLoad({ teamId: _, calendar, outOfOffice, ...member }: MemberRow, at: Date): MemberLoad {
  return { ...member, ...attendanceAt({ calendar, outOfOffice }, at) };
}

/** Whether somebody is at work around the instant `at`, as rules judge it. */
export function attendanceAt({ calendar, outOfOffice }: Hours, at: Date): Attendance {
  return {
    outOfOffice,
    opensAt: (calendar ? nextOpening(compiledCalendar(calendar), at) : at)?.toISOString() ?? null,
  };
}

const uuidArray = (ids: readonly string[]): string => `{${ids.join(',')}}`;
