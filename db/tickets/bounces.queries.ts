import { writeOnce, type WriteContext } from '../automation/ledger.queries.ts';
import { type Database, inOrganization } from '../database.ts';
import { eventRow } from '../model/changes.ts';
import { insertRows } from '../model/set-based.ts';

/** The event of a reply that came back; whoever hears it tells the author. */
export const replyBounced = 'ticket_reply.bounced';

/**
 * Puts out, once for each bounce, that a reply came back. `messageIds` are those that the bounce names, in small letters;
 * answers the reply's ticket, or null, with nothing written, when none of them is a reply of this organisation.
 */
export async function noteBounce(
  database: Database,
  write: WriteContext,
  { messageIds, reason }: { messageIds: readonly string[]; reason: string },
): Promise<{ ticketId: string } | null> {
  const { actor, receivedAt } = write;
  const { organizationId } = actor;
  const [reply]: { id: string; ticketId: string }[] = await inOrganization(database, organizationId, (em) =>
    em.execute(
      `select conversation_message_id as id, ticket_id as "ticketId" from crm_core.crm_conversation_messages
       where organization_id = ? and message_id = any(array(select jsonb_array_elements_text(?::jsonb)))
         and kind = 'reply' and deleted_at is null order by sent_at desc, conversation_message_id desc limit 1`,
      [organizationId, JSON.stringify(messageIds)],
    ),
  );
  if (!reply) return null;
  const { id: conversationMessageId, ticketId } = reply;
  await writeOnce(database, write, async (em, commandId) => {
    const change = { organizationId, actor, at: receivedAt, subjectType: 'ticket', subjectId: ticketId, commandId };
    await insertRows(em, [eventRow(change, replyBounced, { conversationMessageId, reason })]);
    return { status: 200, body: { ticketId } };
  });
  return { ticketId };
}
