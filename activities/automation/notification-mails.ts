import {
  type AddressedNotification,
  readNotifications,
  type UndeliveredEvent,
} from '../../db/automation/outbox.queries.ts';
import type { Database } from '../../db/database.ts';
import type { Mail, OutgoingMail } from '../ports.ts';

/** A mail, and the events that are settled with it. */
interface NotificationMail {
  eventIds: string[];
  send: () => Promise<void>;
}

/**
 * The mails of the notifications in one batch: what one person is told in the same moment is one mail, so that a storm of
 * leads is no storm of mails. A notification that is gone, or whose addressee has left, needs none.
 */
export async function notificationMails(
  relay: Database,
  mail: Mail | null,
  events: readonly UndeliveredEvent[],
): Promise<{ mails: NotificationMail[]; needless: string[] }> {
  if (!mail || events.length === 0) return { mails: [], needless: events.map(({ id }) => id) };
  const notifications = await readNotifications(
    relay,
    events.map(({ id, organizationId, payload }) => ({
      eventId: id,
      organizationId,
      notificationId: String(payload['notificationId']),
    })),
  );
  const addressed = new Set(notifications.map(({ eventId }) => eventId));
  const byAddress = Map.groupBy(notifications, ({ organizationId, email }) => `${organizationId} ${email}`);
  return {
    mails: [...byAddress.values()].map((together) => ({
      eventIds: together.map(({ eventId }) => eventId),
      send: () => mail.send(composed(together)),
    })),
    needless: events.map(({ id }) => id).filter((id) => !addressed.has(id)),
  };
}

const subjectLength = 200;

/** One notification as it is; several with all their titles in the subject, as far as it goes, and one below the other. */
function composed(notifications: readonly AddressedNotification[]): OutgoingMail {
  const [first] = notifications;
  if (!first) throw new Error('A mail needs a notification');
  const titles = notifications.map(({ title }) => title).join('; ');
  const subject = notifications.length === 1 ? first.title : `${notifications.length} notifications: ${titles}`;
  const text =
    notifications.length === 1
      ? first.body
      : notifications.map(({ title, body }) => `${title}\n\n${body}`).join('\n\n---\n\n');
  return {
    to: first.email,
    subject: subject.length > subjectLength ? `${subject.slice(0, subjectLength - 1)}…` : subject,
    text,
    messageId: messageIdOf(first.eventId),
  };
}

/** The Message-ID of an event's mail (RFC 5322 §3.6.4): the same at every attempt, so that mail servers see one mail. */
function messageIdOf(eventId: string): string {
  return `<${eventId}@crm.durable-crm>`;
}
