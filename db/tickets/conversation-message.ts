import { z } from 'zod';
import { allow, ofTicketOfOwnAccount } from '../access/access-rules.ts';
import { User } from '../access/user.ts';
import { choice, instant, json, longText, reference, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { Person } from '../parties/person.ts';
import { Conversation } from './conversation.ts';
import { Ticket } from './ticket.ts';

const address = z.strictObject({ address: z.string().max(320), name: z.string().max(200).optional() });
const received = z.strictObject({ from: address, to: z.array(address), cc: z.array(address) });
const sent = z.strictObject({ to: z.array(address), refused: z.array(address) });

/** One message of a conversation: of the customer, a public reply, or a note that stays in the house. */
export const ConversationMessage = entity('ConversationMessage', 'crm_conversation_messages', {
  key: 'conversation_message_id',
  columns: {
    conversationId: reference(() => Conversation),
    ticketId: reference(() => Ticket),
    kind: choice(['customer', 'reply', 'note']),
    authorPersonId: reference(() => Person, { nullable: true }),
    authorUserId: reference(() => User, { nullable: true }),
    /** Plain text. */
    body: longText(200_000),
    /** Sanitised HTML, where the message came as such. */
    bodyHtml: longText(500_000, { nullable: true }),
    /** RFC 5322 Message-ID without angle brackets: unique on a ticket, so that mail delivered twice is stored once. */
    messageId: text(500, { nullable: true }),
    inReplyTo: text(500, { nullable: true }),
    references: json(z.array(z.string().max(500)).max(100), { default: [], column: 'mail_references' }),
    sentAt: instant(),
    /** When the reply left as mail, for the first of its recipients. */
    deliveredAt: instant({ nullable: true }),
    /** When it turned out that the reply does not reach a recipient, refused at once or sent back later; and why. */
    undeliveredAt: instant({ nullable: true }),
    undeliveredReason: text(500, { nullable: true }),
    /** Of a mail that came in as it says; of a reply who has it, and for whom a mail server refused it for good. */
    addresses: json(z.union([received, sent]), { nullable: true, internal: true }),
  },
  search: ['body'],
  uniques: [['ticketId', 'messageId']],
  indexes: [
    { name: 'conversation', columns: 'conversation_id, sent_at, conversation_message_id', where: 'deleted_at is null' },
    { name: 'ticket', columns: 'ticket_id, sent_at, conversation_message_id', where: 'deleted_at is null' },
    { name: 'mail', columns: 'message_id', where: 'message_id is not null and deleted_at is null' },
  ],
});

export const conversationMessages = resource(ConversationMessage, {
  path: 'conversation-messages',
  title: 'conversation message',
  creatable: [],
  patchable: [],
  filterable: ['ticketId', 'conversationId', 'kind', 'authorPersonId', 'authorUserId', 'messageId', 'sentAt'],
  sortable: ['sentAt', 'createdAt'],
  expandable: {
    ticket: 'ticketId',
    conversation: 'conversationId',
    authorPerson: 'authorPersonId',
    authorUser: 'authorUserId',
  },
  read: allow('tickets:read', { own: ofTicketOfOwnAccount }),
  write: () => false,
  feature: 'tickets',
});
