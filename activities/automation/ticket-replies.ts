import type { UndeliveredEvent } from '../../db/automation/outbox.queries.ts';
import { actorLabel, type Actor } from '../../db/access/actor.ts';
import { type Database, inOrganization } from '../../db/database.ts';
import { timelineRow } from '../../db/model/changes.ts';
import { insertRows } from '../../db/model/set-based.ts';
import {
  markReplySent,
  markReplyUndelivered,
  readUnsentReply,
  type StoredReply,
} from '../../db/tickets/replies.queries.ts';
import { replySubject } from '../../workflows/tickets/mail/threads.ts';
import { ticketProcess } from '../../workflows/tickets/messages.ts';
import { managerOf, notificationRows } from '../notifications.ts';
import { type Mail, MailRefused, type OutgoingMail } from '../ports.ts';

/** What is left is sent with the next attempt: an attempt at a batch has two minutes. */
const longestSendingMilliseconds = 30_000;

/**
 * Mails an agent's public reply to each of those whom it is for, and notes to whom it left. A repetition sends it to the
 * others alone; one after a crash between the two sends the same Message-ID again. Throws MailRefused when a mail server
 * refuses it for good for some of them, which the author is told then, and anything else when it is to be tried again.
 */
export async function mailReply(
  { relay, database, mail }: { relay: Database; database: Database; mail: Mail | null },
  event: UndeliveredEvent,
): Promise<void> {
  const { organizationId, subjectId, payload } = event;
  const id = String(payload['conversationMessageId']);
  const reply = mail && (await readUnsentReply(relay, organizationId, subjectId, id));
  if (!reply) return;
  const endsAt = performance.now() + longestSendingMilliseconds;
  const refused: { address: string; refusal: MailRefused }[] = [];
  const failures: unknown[] = [];
  for (const address of reply.waiting) {
    if (performance.now() > endsAt) {
      failures.push(new Error('There was no time left for all recipients'));
      break;
    }
    try {
      await mail.send({ ...letterOf(reply), to: address });
      await markReplySent(relay, organizationId, id, { at: new Date(), address });
    } catch (error) {
      if (error instanceof MailRefused) refused.push({ address, refusal: error });
      else failures.push(error);
    }
  }
  const [first] = refused;
  const reason = first && refusalOf(reply, first.refusal, refused.length, failures.length > 0);
  if (reason) await noteUndelivered(database, event, { reason, refused: refused.map(({ address }) => address) });
  if (failures.length > 0) throw failures[0];
  if (reason) throw new MailRefused(reason);
}

function letterOf({
  subject,
  number,
  text,
  html,
  messageId,
  organization,
  inReplyTo,
  references,
}: StoredReply): Omit<OutgoingMail, 'to'> {
  return {
    subject: replySubject(subject, number),
    text,
    html,
    messageId: `<${messageId}>`,
    answer: { organization, inReplyTo, references },
  };
}

/** Why a reply is undelivered, in words without an address; of several recipients it says how many, and what of the others. */
function refusalOf(
  { recipientCount, refusedCount }: StoredReply,
  refusal: MailRefused,
  refusedNow: number,
  isTriedAgain: boolean,
): string {
  if (recipientCount === 1) return refusal.message;
  const count = refusedCount + refusedNow;
  const others = isTriedAgain ? '; the others have it, or it is tried again for them' : '; the others have it';
  return `The mail server refused ${count} of ${recipientCount} recipients${count < recipientCount ? others : ''}`;
}

/**
 * Puts on record that a reply did not reach a recipient, and tells its author: with a notification and in the ticket's
 * timeline, once however often it comes back, and once for each that is refused.
 */
export async function noteUndelivered(
  database: Database,
  { organizationId, subjectId, payload }: UndeliveredEvent,
  { reason, refused = [] }: { reason: string; refused?: readonly string[] },
): Promise<void> {
  const conversationMessageId = String(payload['conversationMessageId']);
  const actor: Actor = { kind: 'process', organizationId, process: ticketProcess.name, recordId: subjectId };
  const at = new Date();
  await inOrganization(database, organizationId, async (em) => {
    const marked = { at, by: actorLabel(actor), reason, refused };
    const reply = await markReplyUndelivered(em, organizationId, conversationMessageId, marked);
    if (!reply) return;
    const { ticketId, number, subject, teamId } = reply;
    const change = { organizationId, actor, at, subjectType: 'ticket', subjectId: ticketId, commandId: null };
    const userId = reply.userId ?? (await managerOf(em, { organizationId, teamId }));
    const ticket = `#${number}, ${subject}`;
    await insertRows(em, [
      timelineRow(change, 'ticket.reply_undelivered', 'public reply did not reach a recipient', {
        conversationMessageId,
      }),
      ...notificationRows(change, userId, {
        kind: 'ticket.reply_undelivered',
        title: `Not delivered: your reply on ${ticket}`,
        body: `The public reply on the ticket ${ticket} did not reach a recipient. The mail server says: ${reason}`,
      }),
    ]);
  });
}
