import type { EntityManager } from '@mikro-orm/postgresql';
import { processLink } from '../../workflows/processes/link.ts';
import { ticketProcess } from '../../workflows/tickets/messages.ts';
import type { Actor } from '../access/actor.ts';
import type { RecordRow, RowOf } from '../model/entity.ts';
import { findRow, lockRow } from '../model/find-row.ts';
import { recordJson, type RecordJson } from '../model/record-json.ts';
import { visibleProperties } from '../model/redaction.ts';
import { Person } from '../parties/person.ts';
import { Ticket, tickets } from './ticket.ts';

export type TicketRow = RowOf<typeof Ticket>;

/** One ticket of the transaction's organisation, deleted ones included; null when there is none. */
export function findTicket(em: EntityManager, ticketId: string): Promise<TicketRow | null> {
  return findRow(em, Ticket, ticketId);
}

/** The same, locked until the transaction ends. */
export function lockTicket(em: EntityManager, ticketId: string): Promise<TicketRow | null> {
  return lockRow(em, Ticket, ticketId);
}

/** The person behind a ticket. */
export function findRequester(em: EntityManager, personId: string): Promise<RowOf<typeof Person> | null> {
  return findRow(em, Person, personId);
}

/** A ticket as its opening and its commands answer it: the record with its requester and its process. */
export async function ticketAnswer(em: EntityManager, actor: Actor, ticket: TicketRow): Promise<RecordJson> {
  return answerJson(actor, ticket, await findRequester(em, ticket.requesterPersonId));
}

const publicProperties = ['number', 'subject', 'status', 'stage', 'priority', 'channel', 'openedAt', 'version'];

/** The same from rows at hand. Whoever may only open tickets (a website form) learns no more than where it stands. */
export function answerJson(
  actor: Actor,
  ticket: TicketRow,
  person: Pick<RowOf<typeof Person>, 'id' | 'fullName' | 'primaryEmail' | 'primaryPhone'> | null,
): RecordJson {
  const mayRead = tickets.read(actor) === true;
  return {
    ...recordJson(ticket as unknown as RecordRow, mayRead ? visibleProperties(tickets, true) : publicProperties),
    requester:
      person && mayRead
        ? {
            id: person.id,
            fullName: person.fullName,
            primaryEmail: person.primaryEmail,
            primaryPhone: person.primaryPhone,
          }
        : { id: ticket.requesterPersonId },
    process: { ...processLink(ticketProcess, ticket.id), stage: ticket.stage },
  };
}
