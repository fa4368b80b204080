import type { Client } from '@temporalio/client';
import type { Database } from '../../db/database.ts';
import { readTicketsWaitingFor } from '../../db/tickets/routing.queries.ts';
import { ticketProcess } from '../../workflows/tickets/messages.ts';
import { tellProcess } from './tell-process.ts';

/** Most tickets that are told at once; the queue's own deadline reaches those behind them. */
const mostTold = 50;

/** Tells the oldest queued tickets that a user could take of the user's free capacity: one for each free place. */
export async function tellQueue(
  { relay, temporal }: { relay: Database; temporal: Client },
  organizationId: string,
  userId: string,
): Promise<void> {
  // A ticket that has ended meanwhile leaves its place to those who are told next.
  for (const ticketId of await readTicketsWaitingFor(relay, organizationId, userId, mostTold))
    await tellProcess(temporal, ticketProcess.workflowId(ticketId), 'capacityFreed');
}
