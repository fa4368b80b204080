import type { EntityManager } from '@mikro-orm/postgresql';
import type { LeadRow } from '../../db/leads/lead-state.queries.ts';
import type { Change } from '../../db/model/changes.ts';
import type { Insertion } from '../../db/model/set-based.ts';
import { utcMinute } from '../../workflows/text/utc-minute.ts';
import { notificationRows, whoWatches } from '../notifications.ts';

/** What a notification about a lead says; the name is the lead's, the deadline UTC. */
const texts = {
  assigned: (name: string, due: string) => ({
    title: `New lead: ${name}`,
    body: `The lead ${name} is yours. Get in touch${due ? ` before ${due}` : ''}; then record it with the command "touch".`,
  }),
  nobody_found: (name: string) => ({
    title: `Nobody can take ${name}`,
    body: `The lead ${name} waits: nobody can be given it now, and there is no fallback. It goes to the first who can take it; or give it to somebody with the command "reassign".`,
  }),
  remind_owner: (name: string) => ({
    title: `Still untouched: ${name}`,
    body: `The lead ${name} waits for a first contact. Get in touch and record it with the command "touch".`,
  }),
  tell_manager: (name: string) => ({
    title: `Nobody has touched ${name}`,
    body: `The lead ${name} was assigned in your team and has had no contact yet. Without a contact it is given to somebody else, if there is anybody left.`,
  }),
  tell_manager_again: (name: string) => ({
    title: `Still nobody has touched ${name}`,
    body: `The lead ${name} has had no contact yet, and goes to nobody else by itself. See that somebody gets in touch, or give it away with the command "reassign"; without a contact it is closed as stale in the end.`,
  }),
  reassigned_away: (name: string) => ({
    title: `Given to somebody else: ${name}`,
    body: `The lead ${name} was given to somebody else.`,
  }),
  remind_idle: (name: string) => ({
    title: `No activity on ${name}`,
    body: `Nothing has happened on the lead ${name} for a while. Without an activity it will be closed as stale.`,
  }),
  close_stale: (name: string) => ({
    title: `Closed as stale: ${name}`,
    body: `The lead ${name} was closed, since nothing happened on it.`,
  }),
} as const;

export type LeadNotification = keyof typeof texts;

/** A notification about a lead to one user with its mail in the outbox; none when there is nobody to tell. */
export function notify(
  change: Change,
  userId: string | null,
  notification: LeadNotification,
  fullName: string,
  dueAt: Date | null = null,
): Insertion[] {
  const due = dueAt === null ? '' : utcMinute(dueAt.toISOString());
  return notificationRows(change, userId, { kind: `lead.${notification}`, ...texts[notification](fullName, due) });
}

/** Tells whom a lead was given to; the manager, else the administrators, of one that nobody can be given. */
export async function tellOfDecision(
  em: EntityManager,
  change: Change,
  lead: Pick<LeadRow, 'organizationId' | 'teamId' | 'assignedUserId' | 'fullName' | 'nextDueAt'>,
): Promise<Insertion[]> {
  const { assignedUserId, fullName, nextDueAt } = lead;
  if (assignedUserId !== null) return notify(change, assignedUserId, 'assigned', fullName, nextDueAt);
  const { userIds } = await whoWatches(em, lead);
  return userIds.flatMap((userId) => notify(change, userId, 'nobody_found', fullName));
}
