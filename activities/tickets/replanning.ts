import { isOpenStage } from '../../workflows/tickets/policy.ts';
import { routeIfNeeded } from './rerouting.ts';
import { save, type Saved } from './save.ts';
import { judgeAnew, type TicketCase } from './ticket-case.ts';

/**
 * Judges and plans a ticket again by the configuration in force, and routes it again where it waits for nobody or for
 * somebody who is not there.
 */
export async function replan(ticketCase: TicketCase): Promise<Saved> {
  const { ticket } = ticketCase;
  if (!isOpenStage(ticket.stage)) return save(ticketCase, { told: null });
  const judged = await judgeAnew(ticketCase);
  const routed = await routeIfNeeded(ticketCase);
  return save(ticketCase, {
    told: null,
    ...judged,
    ...routed,
    values: { ...judged.values, ...routed.values },
  });
}
