import { allow, ofTicketOfOwnAccount } from '../access/access-rules.ts';
import { flag, integer, reference, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { ConversationMessage } from './conversation-message.ts';
import { Ticket } from './ticket.ts';

/** What came with a message: its name, kind, size and fingerprint. */
export const Attachment = entity('Attachment', 'crm_attachments', {
  key: 'attachment_id',
  columns: {
    ticketId: reference(() => Ticket),
    conversationMessageId: reference(() => ConversationMessage),
    fileName: text(255),
    mediaType: text(120),
    bytes: integer(0, 2_147_483_647),
    /** Hexadecimal. */
    sha256: text(64),
    /** Shown within the message's HTML. */
    inline: flag({ default: false }),
  },
  search: ['fileName'],
  indexes: [
    { name: 'ticket', columns: 'ticket_id', where: 'deleted_at is null' },
    { name: 'message', columns: 'conversation_message_id', where: 'deleted_at is null' },
  ],
});

export const attachments = resource(Attachment, {
  path: 'attachments',
  title: 'attachment',
  creatable: [],
  patchable: [],
  filterable: ['ticketId', 'conversationMessageId', 'fileName', 'mediaType', 'sha256', 'inline'],
  sortable: ['fileName', 'createdAt'],
  expandable: { ticket: 'ticketId', conversationMessage: 'conversationMessageId' },
  read: allow('tickets:read', { own: ofTicketOfOwnAccount }),
  write: () => false,
  feature: 'tickets',
});
