import type { Client } from '@temporalio/client';
import type { Database } from '../../db/database.ts';
import { readTakers } from '../../db/tickets/queue.queries.ts';
import { ticketProcess } from '../../workflows/tickets/messages.ts';
import { tellProcess } from './tell-process.ts';

/** Most tickets that are told at once; the queue's own deadline reaches those behind them. */
const mostTold = 50;

/**
 * Tells the oldest queued tickets that a user could take of the user's free capacity: one for each free place. A ticket
 * that does not take its place, because it has ended or got another one meanwhile, has it announced again.
 */
export async function tellQueue(
  { database, temporal }: { database: Database; temporal: Client },
  organizationId: string,
  userId: string,
): Promise<void> {
  const { room, ticketIds } = await readTakers(database, organizationId, userId, new Date(), mostTold);
  let told = 0;
  for (const ticketId of ticketIds) {
    if (told === room) return;
    const isHeard = await tellProcess(temporal, ticketProcess.workflowId(ticketId), 'capacityFreed', { userId });
    if (isHeard) told += 1;
  }
}
