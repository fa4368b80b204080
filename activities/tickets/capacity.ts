import { type Change, eventRow } from '../../db/model/changes.ts';
import type { Insertion } from '../../db/model/set-based.ts';

/** Event that a user has one ticket less; its subscriber tells the queue. Payload: `{userId}`. */
export const capacityFreedEvent = 'ticket.capacity_freed';

/**
 * The event to write when a ticket leaves its assignee, in the transaction in which it does: resolved, closed, merged,
 * or (`routeTicket` adds it itself) given to somebody else. `ticket.removed` says as much by itself. Also when a ticket
 * was told of a place and did not take it.
 */
export function capacityFreed(change: Change, userId: string): Insertion {
  return eventRow(change, capacityFreedEvent, { userId });
}
