import { isOpenStage } from '../../workflows/tickets/policy.ts';
import { routeIfNeeded } from './rerouting.ts';
import { save, type Saved } from './save.ts';
import { recomputeTicket, type TicketCase } from './ticket-case.ts';

/**
 * Computes and plans a ticket anew by the configuration in force, and routes it again where it waits for nobody or for
 * somebody who is not there.
 */
export async function replan(ticketCase: TicketCase): Promise<Saved> {
  const { ticket } = ticketCase;
  if (!isOpenStage(ticket.stage)) return save(ticketCase, { told: null });
  const recomputed = await recomputeTicket(ticketCase);
  const routed = await routeIfNeeded(ticketCase);
  return save(ticketCase, {
    told: null,
    ...recomputed,
    ...routed,
    values: { ...recomputed.values, ...routed.values },
  });
}
