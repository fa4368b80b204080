import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import { baseColumns, type Change } from '../../db/model/changes.ts';
import type { Insertion, Statement } from '../../db/model/set-based.ts';
import { Conversation } from '../../db/tickets/conversation.ts';

/** Messages of one conversation that stay where they are, since the other ticket has the same mails. */
interface Staying {
  conversationId: string;
  channel: string;
  subject: string;
  messageIds: string[];
  lastMessageAt: string;
  /** The rest of the conversation moves. */
  isSplit: boolean;
}

/**
 * What moves all that was said on a ticket to another one, with its conversations and attachments: rows and statements for
 * one write. A mail that both have been sent stays where it was first; apart from what moves it is a conversation of its
 * own. Both tickets have to be locked.
 */
export async function conversationMoved(
  em: EntityManager,
  change: Change,
  from: string,
  into: string,
): Promise<{ rows: Insertion[]; statements: Statement[] }> {
  const staying = await readStaying(em, change, from, into);
  const apart = staying.filter(({ isSplit }) => isSplit).map((each) => ({ ...each, id: uuidv7() }));
  const { organizationId, at } = change;
  const kept = uuidArray(staying.flatMap(({ messageIds }) => messageIds));
  const moved = (table: string): Statement => ({
    sql: `update crm_core.${table} m set ticket_id = ?, updated_at = ?, version = m.version + 1
      where m.organization_id = ? and m.ticket_id = ? and m.deleted_at is null and m.conversation_message_id <> all(?::uuid[]) returning 1`,
    parameters: [into, at, organizationId, from, kept],
  });
  return {
    rows: apart.map(({ id, channel, subject, messageIds, lastMessageAt }) => {
      const own = { ticketId: from, channel, subject, messageCount: messageIds.length, lastMessageAt };
      return { into: Conversation, rows: [{ id, ...baseColumns(change), ...own }] };
    }),
    statements: [
      ...apart.map(({ id, messageIds }) => ({
        sql: `update crm_core.crm_conversation_messages set conversation_id = ?, updated_at = ?, version = version + 1
          where organization_id = ? and conversation_message_id = any(?::uuid[]) returning 1`,
        parameters: [id, at, organizationId, uuidArray(messageIds)],
      })),
      {
        sql: `update crm_core.crm_conversations c
          set ticket_id = ?, message_count = n.count, last_message_at = n.last, updated_at = ?, version = c.version + 1
          from (
            select organization_id, conversation_id, count(*) as count, max(sent_at) as last from crm_core.crm_conversation_messages
            where organization_id = ? and ticket_id = ? and deleted_at is null and conversation_message_id <> all(?::uuid[])
            group by organization_id, conversation_id) n
          where c.organization_id = n.organization_id and c.conversation_id = n.conversation_id and c.deleted_at is null returning 1`,
        parameters: [into, at, organizationId, from, kept],
      },
      moved('crm_conversation_messages'),
      moved('crm_attachments'),
    ],
  };
}

const uuidArray = (ids: readonly string[]): string => `{${ids.join(',')}}`;

async function readStaying(
  em: EntityManager,
  { organizationId }: Change,
  from: string,
  into: string,
): Promise<Staying[]> {
  return em.execute(
    `with said as (
       select m.*, exists (
         select from crm_core.crm_conversation_messages o
         where o.organization_id = m.organization_id and o.ticket_id = ? and o.message_id = m.message_id and o.deleted_at is null) as stays
       from crm_core.crm_conversation_messages m
       where m.organization_id = ? and m.ticket_id = ? and m.deleted_at is null)
     select conversation_id as "conversationId", c.channel, c.subject,
       array_agg(conversation_message_id) filter (where stays) as "messageIds",
       max(sent_at) filter (where stays) as "lastMessageAt", not bool_and(stays) as "isSplit"
     from said join crm_core.crm_conversations c using (organization_id, conversation_id)
     group by conversation_id, c.channel, c.subject having bool_or(stays)`,
    [into, organizationId, from],
  );
}
