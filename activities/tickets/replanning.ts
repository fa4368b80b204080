import { readOpenPromises } from '../../db/tickets/life.queries.ts';
import { isOpenStage } from '../../workflows/tickets/policy.ts';
import { routeIfNeeded } from './rerouting.ts';
import { save, type Saved } from './save.ts';
import { judgeAnew, rejudgeAll, type Rejudged, type TicketCase } from './ticket-case.ts';

/**
 * Judges and plans a ticket again by the configuration in force, and routes it again where it waits for nobody or for
 * somebody who is not there. After another ticket was merged into it, its unanswered messages have clocks here.
 */
export async function replan(ticketCase: TicketCase, cause: string): Promise<Saved> {
  const { ticket } = ticketCase;
  if (!isOpenStage(ticket.stage)) return save(ticketCase, { told: null });
  const judged = cause === 'absorbed' ? await absorbed(ticketCase) : await judgeAnew(ticketCase);
  const routed = await routeIfNeeded(ticketCase);
  return save(ticketCase, {
    told: null,
    ...judged,
    ...routed,
    values: { ...judged.values, ...routed.values },
  });
}

async function absorbed({ em, change, ticket, life, judgement }: TicketCase): Promise<Rejudged> {
  if (!judgement) return { clocks: life.clocks, judgement, values: {} };
  const promises = await readOpenPromises(em, ticket);
  return {
    clocks: rejudgeAll(life, judgement, change, 'a ticket was merged into this one', promises),
    judgement,
    values: {},
  };
}
