import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import { findCommand } from '../../db/automation/ledger.queries.ts';
import { baseColumns, type Change, eventRow, timelineRow } from '../../db/model/changes.ts';
import { cleanHtml } from '../../db/model/html.ts';
import type { Insertion } from '../../db/model/set-based.ts';
import { Attachment } from '../../db/tickets/attachment.ts';
import { Conversation } from '../../db/tickets/conversation.ts';
import { ConversationMessage } from '../../db/tickets/conversation-message.ts';
import type { TicketRow } from '../../db/tickets/ticket-state.queries.ts';
import type { InboundMail } from '../../workflows/tickets/mail/inbound-mail.ts';
import { referencesAfter, replyMessageId } from '../../workflows/tickets/mail/threads.ts';

/** Something that was said on a ticket. A note stays in the house; a reply leaves by mail, if the requester has one. */
export interface Said {
  kind: 'customer' | 'reply' | 'note';
  /** Plain text; a customer may send none. */
  text: string | undefined;
  /** Cleaned here, whoever wrote it. */
  html?: string | undefined;
  /** Message-ID of what came in, without angle brackets. */
  messageId?: string | undefined;
}

const words = { customer: 'message of the customer', reply: 'public reply', note: 'internal note' } as const;

/**
 * The rows of a message on a locked ticket: the conversation of its channel (made on first use, counted on), the message,
 * its attachments, timeline, and for a reply the event that sends it. None for a Message-ID that the ticket knows. What a
 * mail says besides its text is read from the command that brought it.
 */
export async function messageRows(
  em: EntityManager,
  change: Change,
  ticket: Pick<TicketRow, 'id' | 'channel' | 'subject' | 'requesterPersonId'>,
  said: Said,
): Promise<Insertion[]> {
  const mail = said.kind === 'customer' ? await readMail(em, change.commandId) : null;
  const messageId = mail?.messageId ?? said.messageId ?? null;
  if (messageId !== null && (await isKnown(em, change, ticket.id, messageId))) return [];
  const id = uuidv7();
  const channel = mail ? 'email' : said.kind === 'reply' ? await channelOf(em, change, ticket) : ticket.channel;
  const conversation = await conversationFor(em, change, ticket, channel);
  const message = {
    id,
    ...baseColumns(change),
    conversationId: conversation.id,
    ticketId: ticket.id,
    kind: said.kind,
    authorPersonId: said.kind === 'customer' ? await personOf(em, change, ticket, mail) : null,
    authorUserId: await userOf(em, change),
    body: mail?.text ?? said.text ?? '(no text)',
    bodyHtml: cleanHtml(mail?.html ?? said.html ?? ''),
    messageId,
    inReplyTo: mail?.inReplyTo ?? null,
    references: mail?.references ?? [],
    sentAt: change.at,
    deliveredAt: null,
    addresses: mail && { from: mail.from, to: mail.to.map(named), cc: mail.cc.map(named) },
    ...(said.kind === 'reply' ? await threading(em, change, ticket, id) : {}),
  };
  const files = (mail?.attachments ?? []).map((attachment) => ({
    id: uuidv7(),
    ...baseColumns(change),
    ticketId: ticket.id,
    conversationMessageId: id,
    ...attachment,
  }));
  const told = said.kind === 'note' ? words.note : `${words[said.kind]} by ${channel}`;
  const unlisted = mail ? mail.attachmentCount - files.length : 0;
  return [
    ...conversation.rows,
    { into: ConversationMessage, rows: [message] },
    { into: Attachment, rows: files },
    timelineRow(change, `ticket.${said.kind}`, unlisted > 0 ? `${told}, ${unlisted} attachments not listed` : told, {
      conversationMessageId: id,
    }),
    ...(said.kind === 'reply' ? [eventRow(change, 'ticket_reply.created', { conversationMessageId: id })] : []),
  ];
}

const named = (address: string) => ({ address });

/** Whether the ticket has the message of the customer already: by the Message-ID of the mail, or the one that was given. */
export async function isKnownMessage(
  em: EntityManager,
  change: Change,
  ticketId: string,
  messageId: string | undefined,
): Promise<boolean> {
  const id = (await readMail(em, change.commandId))?.messageId ?? messageId;
  return id !== undefined && (await isKnown(em, change, ticketId, id));
}

/** The mail that a command brought, as the webhook put it into the ledger beside the command's own payload. */
export async function readMail(em: EntityManager, commandId: string | null): Promise<InboundMail | null> {
  const command = commandId === null ? null : await findCommand(em, commandId);
  return (command?.body as { mail?: InboundMail } | null | undefined)?.mail ?? null;
}

async function isKnown(
  em: EntityManager,
  { organizationId }: Change,
  ticketId: string,
  messageId: string,
): Promise<boolean> {
  const known: unknown[] = await em.execute(
    `select 1 from crm_core.crm_conversation_messages
     where organization_id = ? and ticket_id = ? and message_id = ? and deleted_at is null`,
    [organizationId, ticketId, messageId],
  );
  return known.length > 0;
}

/** A reply goes by mail to whoever has an address, whichever way the ticket came in. */
async function channelOf(
  em: EntityManager,
  { organizationId }: Change,
  ticket: Pick<TicketRow, 'channel' | 'requesterPersonId'>,
): Promise<string> {
  const reachable: unknown[] = await em.execute(
    'select 1 from crm_core.crm_people where organization_id = ? and person_id = ? and primary_email is not null',
    [organizationId, ticket.requesterPersonId],
  );
  return reachable.length > 0 ? 'email' : ticket.channel;
}

/** The oldest conversation of a channel, with one message more; a new one when there is none. The ticket is locked. */
async function conversationFor(
  em: EntityManager,
  change: Change,
  ticket: Pick<TicketRow, 'id' | 'subject'>,
  channel: string,
): Promise<{ id: string; rows: Insertion[] }> {
  const [known]: { id: string }[] = await em.execute(
    `update crm_core.crm_conversations set message_count = message_count + 1,
       last_message_at = greatest(last_message_at, ?::timestamptz), updated_at = ?, version = version + 1
     where organization_id = ? and conversation_id = (
       select conversation_id from crm_core.crm_conversations
       where organization_id = ? and ticket_id = ? and channel = ? and deleted_at is null order by created_at, conversation_id limit 1)
     returning conversation_id as id`,
    [change.at, change.at, change.organizationId, change.organizationId, ticket.id, channel],
  );
  if (known) return { id: known.id, rows: [] };
  const id = uuidv7();
  const own = { ticketId: ticket.id, channel, subject: ticket.subject, messageCount: 1, lastMessageAt: change.at };
  return { id, rows: [{ into: Conversation, rows: [{ id, ...baseColumns(change), ...own }] }] };
}

/** Who wrote a mail, when they are on record: a colleague of the requester may answer, too. */
async function personOf(
  em: EntityManager,
  { organizationId }: Change,
  { requesterPersonId }: Pick<TicketRow, 'requesterPersonId'>,
  mail: InboundMail | null,
): Promise<string | null> {
  if (!mail) return requesterPersonId;
  const [known]: { sender: string | null; isRequesterKnown: boolean }[] = await em.execute(
    `select (
       select person_id from crm_core.crm_people where organization_id = ? and primary_email = ? and (deleted_at is null or person_id = ?)
       order by person_id = ? desc, created_at limit 1) as sender,
     exists (select from crm_core.crm_people where organization_id = ? and person_id = ?) as "isRequesterKnown"`,
    [organizationId, mail.from.address, requesterPersonId, requesterPersonId, organizationId, requesterPersonId],
  );
  // A requester who is not there yet is made by this very change, and wrote the mail.
  return known?.sender ?? (known?.isRequesterKnown ? null : requesterPersonId);
}

/** An administrator may come from the SSO without being somebody at work here. */
async function userOf(em: EntityManager, { actor, organizationId }: Change): Promise<string | null> {
  if (actor.kind !== 'user') return null;
  const [user]: { user_id: string }[] = await em.execute(
    'select user_id from crm_core.crm_users where organization_id = ? and user_id = ?',
    [organizationId, actor.userId],
  );
  return user?.user_id ?? null;
}

/** The reply's own Message-ID, and what it answers: the newest message of the thread that has one (RFC 5322 §3.6.4). */
async function threading(
  em: EntityManager,
  { organizationId }: Change,
  { id: ticketId }: Pick<TicketRow, 'id'>,
  id: string,
): Promise<{ messageId: string; inReplyTo: string | null; references: string[] }> {
  const [parent]: { message_id: string; mail_references: string[] }[] = await em.execute(
    `select message_id, mail_references from crm_core.crm_conversation_messages
     where organization_id = ? and ticket_id = ? and message_id is not null and kind <> 'note' and deleted_at is null
     order by sent_at desc, conversation_message_id desc limit 1`,
    [organizationId, ticketId],
  );
  return {
    messageId: replyMessageId(organizationId, id),
    inReplyTo: parent?.message_id ?? null,
    references: parent ? referencesAfter(parent.mail_references, parent.message_id) : [],
  };
}
