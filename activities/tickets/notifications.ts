import type { EntityManager } from '@mikro-orm/postgresql';
import type { Change } from '../../db/model/changes.ts';
import type { Insertion } from '../../db/model/set-based.ts';
import type { TicketRow } from '../../db/tickets/ticket-state.queries.ts';
import type { Clock } from '../../workflows/tickets/clocks.ts';
import { targetNames } from '../../workflows/tickets/policy.ts';
import { utcMinute } from '../../workflows/text/utc-minute.ts';
import { notificationRows, whoWatches } from '../notifications.ts';

/** A notification in words: of which ticket, and what is due when. */
interface Matter {
  ticket: string;
  target: string;
  due: string;
}

const texts = {
  assigned: ({ ticket }: Matter) => ({
    title: `New ticket ${ticket}`,
    body: `The ticket ${ticket} is yours. Answer the customer with the command "reply".`,
  }),
  taken_away: ({ ticket }: Matter) => ({
    title: `Given away: ticket ${ticket}`,
    body: `The ticket ${ticket} is not yours any more.`,
  }),
  warning: ({ ticket, target, due }: Matter) => ({
    title: `Due soon: ${target} of ${ticket}`,
    body: `The ${target} of the ticket ${ticket} is due ${due}.`,
  }),
  breach: ({ ticket, target, due }: Matter) => ({
    title: `Breached: ${target} of ${ticket}`,
    body: `The ${target} of the ticket ${ticket} was due ${due}.`,
  }),
  escalation: ({ ticket, target, due }: Matter) => ({
    title: `Escalated: ${target} of ${ticket}`,
    body: `The ${target} of the ticket ${ticket} was due ${due}, and is not done yet.`,
  }),
  unattended: ({ ticket }: Matter) => ({
    title: `Nobody can take it: ticket ${ticket}`,
    body: `The ticket ${ticket} waits in the queue. No promise to its customer is still to fall due, so nothing will say when it has waited for long. Give it to somebody with the command "assign".`,
  }),
  customer_replied: ({ ticket }: Matter) => ({
    title: `The customer wrote: ${ticket}`,
    body: `There is a new message of the customer on the ticket ${ticket}.`,
  }),
  resolved: ({ ticket }: Matter) => ({
    title: `Resolved by itself: ticket ${ticket}`,
    body: `The customer of the ticket ${ticket} has not written for as long as the policy waits, so it was resolved. An answer opens it again.`,
  }),
  resumed: ({ ticket }: Matter) => ({
    title: `Open again: ticket ${ticket}`,
    body: `The ticket ${ticket} has waited for as long as the policy lets it, and waits for you now.`,
  }),
  reopened: ({ ticket }: Matter) => ({
    title: `Reopened: ticket ${ticket}`,
    body: `The ticket ${ticket} is open again, and yours.`,
  }),
  absorbed: ({ ticket }: Matter) => ({
    title: `Another customer waits: ${ticket}`,
    body: `Another ticket was merged into the ticket ${ticket}; its customer waits for an answer.`,
  }),
} as const;

export type TicketNotification = keyof typeof texts;

type Named = Pick<TicketRow, 'number' | 'subject'>;

/** A notification about a ticket to one user with its mail in the outbox; none when there is nobody to tell. */
export function notify(
  change: Change,
  userId: string | null,
  notification: TicketNotification,
  { number, subject }: Named,
  clock: Pick<Clock, 'target' | 'dueAt' | 'breachedAt'> | null = null,
): Insertion[] {
  const due = clock?.breachedAt ?? clock?.dueAt;
  const text = texts[notification]({
    ticket: `#${number}, ${subject}`,
    target: clock ? targetNames[clock.target] : '',
    due: due ? utcMinute(due.toISOString()) : '',
  });
  return notificationRows(change, userId, { kind: `ticket.${notification}`, ...text });
}

/** Who hears that a ticket is late, or soon will be: its agent; of one in the queue the manager, or the administrators. */
export async function watchersOf(
  em: EntityManager,
  ticket: Pick<TicketRow, 'organizationId' | 'teamId' | 'assignedUserId'>,
): Promise<string[]> {
  return ticket.assignedUserId === null ? (await whoWatches(em, ticket)).userIds : [ticket.assignedUserId];
}

/** A user who is to hear of a change, unless it is their own. */
export function otherThanActor({ actor }: Change, userId: string | null): string | null {
  return actor.kind === 'user' && actor.userId === userId ? null : userId;
}

/** Tells who watches the queue of a ticket in it of which no clock will speak. */
export async function unattended(
  em: EntityManager,
  change: Change,
  ticket: Pick<TicketRow, 'organizationId' | 'teamId'> & Named,
): Promise<Insertion[]> {
  const { userIds } = await whoWatches(em, ticket);
  return userIds.flatMap((userId) => notify(change, userId, 'unattended', ticket));
}
