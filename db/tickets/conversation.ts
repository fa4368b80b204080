import { ticketChannels } from '../../workflows/tickets/policy.ts';
import { allow, ofTicketOfOwnAccount } from '../access/access-rules.ts';
import { choice, instant, integer, reference, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { Ticket } from './ticket.ts';

/** What was said about one request; a merged ticket's moves to the one it went into. */
export const Conversation = entity('Conversation', 'crm_conversations', {
  key: 'conversation_id',
  columns: {
    ticketId: reference(() => Ticket),
    channel: choice(ticketChannels),
    subject: text(300),
    messageCount: integer(0, 2_147_483_647, { default: 0 }),
    lastMessageAt: instant({ nullable: true }),
  },
  search: ['subject'],
  indexes: [{ name: 'ticket', columns: 'ticket_id', where: 'deleted_at is null' }],
});

export const conversations = resource(Conversation, {
  path: 'conversations',
  title: 'conversation',
  creatable: [],
  patchable: [],
  filterable: ['ticketId', 'channel', 'lastMessageAt'],
  sortable: ['createdAt'],
  expandable: { ticket: 'ticketId' },
  read: allow('tickets:read', { own: ofTicketOfOwnAccount }),
  write: () => false,
  feature: 'tickets',
});
