import type { UndeliveredEvent } from '../../db/automation/outbox.queries.ts';
import { actorLabel, type Actor } from '../../db/access/actor.ts';
import { type Database, inOrganization } from '../../db/database.ts';
import { timelineRow } from '../../db/model/changes.ts';
import { insertRows } from '../../db/model/set-based.ts';
import { markReplySent, markReplyUndelivered, readUnsentReply } from '../../db/tickets/replies.queries.ts';
import { replySubject } from '../../workflows/tickets/mail/threads.ts';
import { ticketProcess } from '../../workflows/tickets/messages.ts';
import { managerOf, notificationRows } from '../notifications.ts';
import { type Mail, MailRefused } from '../ports.ts';

/**
 * Mails an agent's public reply to whom it is for, and notes when it left. A repetition finds it sent; one after a crash
 * between the two sends the same Message-ID again. Throws MailRefused when the mail server refuses it for good, which the
 * author is told then.
 */
export async function mailReply(
  { relay, database, mail }: { relay: Database; database: Database; mail: Mail | null },
  event: UndeliveredEvent,
): Promise<void> {
  const { organizationId, subjectId, payload } = event;
  const id = String(payload['conversationMessageId']);
  const reply = mail && (await readUnsentReply(relay, organizationId, subjectId, id));
  if (!reply) return;
  const { to, copies, number, subject, text, html, messageId, organization, inReplyTo, references } = reply;
  try {
    await mail.send({
      to,
      copies,
      subject: replySubject(subject, number),
      text,
      html,
      messageId: `<${messageId}>`,
      answer: { organization, inReplyTo, references },
    });
  } catch (error) {
    if (error instanceof MailRefused) await noteUndelivered(database, event, error.message);
    throw error;
  }
  await markReplySent(relay, organizationId, id, new Date());
}

/**
 * Puts on record that a reply did not reach its recipient, and tells its author: with a notification and in the ticket's
 * timeline, once, however often it is refused or comes back.
 */
export async function noteUndelivered(
  database: Database,
  { organizationId, subjectId, payload }: UndeliveredEvent,
  reason: string,
): Promise<void> {
  const conversationMessageId = String(payload['conversationMessageId']);
  const actor: Actor = { kind: 'process', organizationId, process: ticketProcess.name, recordId: subjectId };
  const at = new Date();
  await inOrganization(database, organizationId, async (em) => {
    const marked = { at, by: actorLabel(actor), reason };
    const reply = await markReplyUndelivered(em, organizationId, conversationMessageId, marked);
    if (!reply) return;
    const { ticketId, number, subject, teamId } = reply;
    const change = { organizationId, actor, at, subjectType: 'ticket', subjectId: ticketId, commandId: null };
    const userId = reply.userId ?? (await managerOf(em, { organizationId, teamId }));
    const ticket = `#${number}, ${subject}`;
    await insertRows(em, [
      timelineRow(change, 'ticket.reply_undelivered', 'public reply not delivered', { conversationMessageId }),
      ...notificationRows(change, userId, {
        kind: 'ticket.reply_undelivered',
        title: `Not delivered: your reply on ${ticket}`,
        body: `The public reply on the ticket ${ticket} did not reach its recipient. The mail server says: ${reason}`,
      }),
    ]);
  });
}
