import type { Insertion, Statement } from '../../db/model/set-based.ts';
import { hasLeftTeam, readFacts, readPresence } from '../../db/tickets/facts.queries.ts';
import type { TicketRow } from '../../db/tickets/ticket-state.queries.ts';
import { notify } from './notifications.ts';
import { routeTicket, type Wish } from './routing.ts';
import type { Move } from './save.ts';
import type { TicketCase } from './ticket-case.ts';

/** Where a routing decision puts a ticket: what to write, whom to tell, and when to look again. */
export interface Route {
  values: Partial<TicketRow>;
  rows: Insertion[];
  statements: Statement[];
  told: Move['told'];
  userId: string | null;
}

/**
 * Routes a ticket (again) by the rules, or to the user or team that a person chose, now or before. The notifications to who
 * gets it and who had it go along. Problem `rule_violation` for a choice that cannot be.
 */
export async function route({ em, change, ticket }: TicketCase, why: string, wish: Partial<Wish> = {}): Promise<Route> {
  const facts = await readFacts(em, ticket);
  const routed = await routeTicket(em, change, ticket, facts, { excludeUserIds: [], ...wish });
  const awayFrom = routed.userId === null ? null : (await readPresence(em, routed.userId, change.at)).awayFrom;
  const before = ticket.assignedUserId;
  const isMoved = Object.keys(routed.values).length > 0;
  const isGiven = routed.userId !== null && routed.userId !== before;
  return {
    values: { ...routed.values, routeAgainAt: routed.userId === null ? routed.retryAt : awayFrom },
    rows: [
      ...routed.rows,
      ...(isGiven ? notify(change, routed.userId, 'assigned', ticket) : []),
      ...(isMoved && before !== routed.userId ? notify(change, before, 'taken_away', ticket) : []),
    ],
    statements: routed.statements,
    told: isMoved
      ? {
          kind: routed.userId === null ? 'ticket.queued' : 'ticket.assigned',
          summary: `${why}: ${routed.reason}`,
          details: { userId: routed.userId, round: routed.values.round ?? ticket.round },
        }
      : null,
    userId: routed.userId,
  };
}

/**
 * Sees whether a ticket at work still is where it can be worked on: one in the queue is routed again, so is one whose
 * agent is not there any more, or not in the team through which they got it; else only the instant of the next look is
 * noted.
 */
export async function routeIfNeeded(ticketCase: TicketCase): Promise<Partial<Route>> {
  const { em, change, ticket } = ticketCase;
  if (ticket.assignedUserId === null) return route(ticketCase, 'routed again');
  const { isThere, awayFrom } = await readPresence(em, ticket.assignedUserId, change.at);
  // By the same rule as here routing passes over whoever is not there, and asks their delegate.
  if (!isThere) return route(ticketCase, 'the agent is not there');
  if (await hasLeftTeam(em, ticket)) return route(ticketCase, 'the agent is not in the team any more');
  return { values: { routeAgainAt: awayFrom } };
}
