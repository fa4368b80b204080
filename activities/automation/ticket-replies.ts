import type { UndeliveredEvent } from '../../db/automation/outbox.queries.ts';
import type { Database } from '../../db/database.ts';
import { markReplySent, readUnsentReply } from '../../db/tickets/replies.queries.ts';
import { replySubject } from '../../workflows/tickets/mail/threads.ts';
import type { Mail } from '../ports.ts';

/**
 * Mails an agent's public reply to whom it is for, and notes when it left. A repetition finds it sent; one after a crash
 * between the two sends the same Message-ID again. Throws MailRefused when the mail server refuses it for good.
 */
export async function mailReply(
  { relay, mail }: { relay: Database; mail: Mail | null },
  { organizationId, subjectId, payload }: UndeliveredEvent,
): Promise<void> {
  const id = String(payload['conversationMessageId']);
  const reply = mail && (await readUnsentReply(relay, organizationId, subjectId, id));
  if (!reply) return;
  const { to, copies, number, subject, text, html, messageId, organization, inReplyTo, references } = reply;
  await mail.send({
    to,
    copies,
    subject: replySubject(subject, number),
    text,
    html,
    messageId: `<${messageId}>`,
    answer: { organization, inReplyTo, references },
  });
  await markReplySent(relay, organizationId, id, new Date());
}
