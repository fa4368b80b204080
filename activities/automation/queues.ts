import type { Client } from '@temporalio/client';
import type { ReadTakers } from '../../db/assignment/seats.queries.ts';
import type { Database } from '../../db/database.ts';
import { readLeadTakers } from '../../db/leads/queue.queries.ts';
import { readTicketTakers } from '../../db/tickets/queue.queries.ts';
import { leadProcess } from '../../workflows/leads/messages.ts';
import type { Process } from '../../workflows/processes/messages.ts';
import { ticketProcess } from '../../workflows/tickets/messages.ts';
import { tellProcess } from './tell-process.ts';

/** Records that wait until somebody has room for them. */
export interface Queue {
  readonly process: Process;
  readonly readTakers: ReadTakers;
}

export const leadQueue: Queue = { process: leadProcess, readTakers: readLeadTakers };

export const ticketQueue: Queue = { process: ticketProcess, readTakers: readTicketTakers };

/** Most records that are told at once; their own deadline reaches those behind them. */
const mostTold = 50;

/**
 * Tells the records that come next for a user of the user's free capacity: one for each free place. One that
 * does not take its place, because it has ended or got another one meanwhile, has it announced again.
 */
export async function tellQueue(
  { database, temporal }: { database: Database; temporal: Client },
  { process, readTakers }: Queue,
  organizationId: string,
  userId: string,
): Promise<void> {
  const { room, ids } = await readTakers(database, organizationId, userId, new Date(), mostTold);
  let told = 0;
  for (const id of ids) {
    if (told === room) return;
    if (await tellProcess(temporal, process.workflowId(id), 'capacityFreed', { userId })) told += 1;
  }
}
