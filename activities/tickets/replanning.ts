import { timelineRow } from '../../db/model/changes.ts';
import { insertRows } from '../../db/model/set-based.ts';
import { isOpenStage } from '../../workflows/tickets/policy.ts';
import { capacityFreed } from './capacity.ts';
import { prioritized } from './messages.ts';
import { routeIfNeeded } from './rerouting.ts';
import { save, type Saved } from './save.ts';
import { recomputeTicket, type Recomputed, type TicketCase } from './ticket-case.ts';

/**
 * Computes and plans a ticket anew by the configuration in force, and routes it again where it waits for nobody or for
 * somebody who is not there. Its policy is chosen anew when its facts have changed.
 */
export async function replan(ticketCase: TicketCase, isFactChange: boolean): Promise<Saved> {
  const { change, ticket } = ticketCase;
  if (!isOpenStage(ticket.stage)) return save(ticketCase, { told: null });
  const chosen = isFactChange ? await otherPolicy(ticketCase) : null;
  const recomputed = chosen ?? (await recomputeTicket(ticketCase));
  const routed = await routeIfNeeded(ticketCase);
  const policy = chosen?.inForce ? `policy ${chosen.inForce.terms.name}` : 'no policy holds';
  return save(ticketCase, {
    told: null,
    ...recomputed,
    ...routed,
    values: { ...recomputed.values, ...routed.values },
    rows: [
      ...(chosen ? [timelineRow(change, 'ticket.policy_chosen', `${factsChanged}: ${policy}`)] : []),
      ...(routed.rows ?? []),
    ],
  });
}

const factsChanged = 'facts changed';

/** What another policy, which holds by the facts as they are now, means; null when the ticket keeps the one that it has. */
async function otherPolicy(ticketCase: TicketCase): Promise<Recomputed | null> {
  const chosen = await prioritized(ticketCase, ticketCase.ticket.priority, factsChanged);
  return chosen.inForce?.policyId === ticketCase.inForce?.policyId ? null : chosen;
}

/**
 * Announces a place of this user again that the ticket was told of and did not take, looked at since it was in `round`:
 * it has ended, went elsewhere, or waits for others now. One that waits as before came too late; whoever has the place
 * tells when it is free.
 */
export async function passOn({ em, change, ticket }: TicketCase, round: number, userId: string): Promise<void> {
  const waits = ticket.stage === 'queued' && ticket.round === round && ticket.deletedAt === null;
  const took = ticket.assignedUserId === userId && ticket.round > round;
  if (!waits && !took) await insertRows(em, [capacityFreed(change, userId)]);
}
