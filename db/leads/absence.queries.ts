import type { EntityManager } from '@mikro-orm/postgresql';
import { isAway } from '../../workflows/assignment/absence.ts';
import { attendanceAt, calendarJoin, type Hours, hoursSql } from '../assignment/teams.queries.ts';
import { isSuspended } from '../access/membership.queries.ts';
import { organizationOf } from '../database.ts';

/** How the owner of a lead can be reached. */
export interface Absence {
  isAway: boolean;
  /** Their delegate, if that one works here and is not away as well; null while they are not away themselves. */
  standInUserId: string | null;
}

/** Whether a user is away at the instant `at`, by the rule of assignment, and who stands in for them. */
export async function readAbsence(em: EntityManager, userId: string, at: Date): Promise<Absence> {
  const rows: { id: string; delegateUserId: string | null; hours: Hours }[] = await em.execute(
    `select u.user_id as id, u.delegate_user_id as "delegateUserId", jsonb_build_object(${hoursSql}) as hours
     from crm_core.crm_users u ${calendarJoin}
     where u.organization_id = ? and u.active and u.deleted_at is null and not ${isSuspended('u')}
       and (u.user_id = ? or u.user_id = (
         select delegate_user_id from crm_core.crm_users where organization_id = ? and user_id = ?))`,
    [organizationOf(em), userId, organizationOf(em), userId],
  );
  const away = (hours: Hours) => isAway(attendanceAt(hours, at), at.toISOString());
  const user = rows.find(({ id }) => id === userId);
  if (!user || !away(user.hours)) return { isAway: false, standInUserId: null };
  const delegate = rows.find(({ id }) => id === user.delegateUserId);
  return { isAway: true, standInUserId: delegate && !away(delegate.hours) ? delegate.id : null };
}
