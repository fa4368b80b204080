import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
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

/** The manager of a record's team, else the organisation's fallback; null when neither is set. */
export async function managerOf(
  em: EntityManager,
  { organizationId, teamId }: { organizationId: string; teamId: string | null },
): Promise<string | null> {
  const [row]: { user_id: string | null }[] = await em.execute(
    `select coalesce(t.manager_user_id, o.fallback_user_id) as user_id
     from crm_core.core_organizations o
     left join crm_core.crm_teams t on t.organization_id = o.organization_id and t.team_id = ? and t.deleted_at is null
     where o.organization_id = ?`,
    [teamId, organizationId],
  );
  return row?.user_id ?? null;
}
