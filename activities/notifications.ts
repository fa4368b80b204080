import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import { isSuspended } from '../db/access/membership.queries.ts';
import { Notification } from '../db/engagement/notification.ts';
import { baseColumns, type Change, eventRow } from '../db/model/changes.ts';
import type { Insertion } from '../db/model/set-based.ts';

/** The event of a notification: its mail leaves with the batch that the event is in. */
export const notificationEvent = 'notification.created';

/** What a notification says; `kind` is `{record}.{notification}`, and a longer title is cut to 200 characters. */
export interface NotificationText {
  kind: string;
  title: string;
  body: string;
}

/** A notification to one user with its mail in the outbox; none when there is nobody to tell. */
export function notificationRows(
  change: Change,
  userId: string | null,
  { kind, title, body }: NotificationText,
): Insertion[] {
  if (userId === null) return [];
  const { subjectType, subjectId } = change;
  const id = uuidv7();
  const own = { userId, subjectType, subjectId, kind, title: title.slice(0, 200), body, readAt: null };
  return [
    { into: Notification, rows: [{ id, ...baseColumns(change), ...own }] },
    eventRow(change, notificationEvent, { notificationId: id }),
  ];
}

/** The manager of a record's team, else the organisation's fallback; null when neither works here. */
export async function managerOf(
  em: EntityManager,
  { organizationId, teamId }: { organizationId: string; teamId: string | null },
): Promise<string | null> {
  const [row]: { user_id: string | null }[] = await em.execute(
    `select coalesce(m.user_id, f.user_id) as user_id
     from crm_core.core_organizations o
     left join crm_core.crm_teams t on t.organization_id = o.organization_id and t.team_id = ? and t.deleted_at is null
     left join crm_core.crm_users m
       on m.organization_id = o.organization_id and m.user_id = t.manager_user_id and m.active and m.deleted_at is null
         and not ${isSuspended('m')}
     left join crm_core.crm_users f
       on f.organization_id = o.organization_id and f.user_id = o.fallback_user_id and f.active and f.deleted_at is null
         and not ${isSuspended('f')}
     where o.organization_id = ?`,
    [teamId, organizationId],
  );
  return row?.user_id ?? null;
}

/** Active users with the role of an administrator. */
export async function administratorsOf(em: EntityManager, organizationId: string): Promise<string[]> {
  const rows: { user_id: string }[] = await em.execute(
    `select u.user_id from crm_core.crm_users u
     where u.organization_id = ? and u.active and u.deleted_at is null and not ${isSuspended('u')} and u.user_id in (
       select a.user_id from crm_core.core_role_assignments a join crm_core.core_roles r using (organization_id, role_id)
       where a.organization_id = u.organization_id and r.name = 'admin' and a.deleted_at is null and r.deleted_at is null)
     order by u.created_at, u.user_id limit 20`,
    [organizationId],
  );
  return rows.map(({ user_id }) => user_id);
}

/** Who hears what nobody else can: the manager, or the administrators where there is none; in words, for the record. */
export async function whoWatches(
  em: EntityManager,
  record: { organizationId: string; teamId: string | null },
): Promise<{ userIds: string[]; who: string }> {
  const manager = await managerOf(em, record);
  if (manager !== null) return { userIds: [manager], who: 'manager' };
  return { userIds: await administratorsOf(em, record.organizationId), who: 'administrators' };
}
