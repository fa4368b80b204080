import { v7 as uuidv7 } from 'uuid';
import { Notification } from '../../db/engagement/notification.ts';
import { baseColumns, type Change, eventRow } from '../../db/model/changes.ts';
import type { Insertion } from '../../db/model/set-based.ts';

/** What a notice about a lead says; the name is the lead's, the deadline UTC. */
const texts = {
  assigned: (name: string, due: string) => ({
    title: `New lead: ${name}`,
    body: `The lead ${name} is yours. Get in touch${due ? ` before ${due}` : ''}; then record it with the command "touch".`,
  }),
  remind_owner: (name: string) => ({
    title: `Still untouched: ${name}`,
    body: `The lead ${name} waits for a first contact. Get in touch and record it with the command "touch".`,
  }),
  tell_manager: (name: string) => ({
    title: `Nobody has touched ${name}`,
    body: `The lead ${name} was assigned in your team and has had no contact yet. It goes to somebody else unless that changes.`,
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

export type Notice = keyof typeof texts;

/** A notice to one user with its mail in the outbox; none when there is nobody to tell. */
export function notify(
  change: Change,
  userId: string | null,
  notice: Notice,
  fullName: string,
  dueAt: Date | null = null,
): Insertion[] {
  if (userId === null) return [];
  const due = dueAt === null ? '' : `${dueAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const { title, body } = texts[notice](fullName, due);
  const { subjectType, subjectId } = change;
  const id = uuidv7();
  const kind = `lead.${notice}`;
  return [
    {
      into: Notification,
      rows: [
        {
          id,
          ...baseColumns(change),
          userId,
          subjectType,
          subjectId,
          kind,
          title: title.slice(0, 200),
          body,
          readAt: null,
        },
      ],
    },
    eventRow(change, 'notification.created', { notificationId: id }),
  ];
}

/** Puts the rows of several insertions into the same table together: one statement names each table once. */
export function gather(insertions: readonly Insertion[]): Insertion[] {
  const byTable = new Map<string, Insertion>();
  for (const insertion of insertions) {
    const { into, rows } = insertion;
    byTable.set(into.table, { ...insertion, rows: [...(byTable.get(into.table)?.rows ?? []), ...rows] });
  }
  return [...byTable.values()];
}
