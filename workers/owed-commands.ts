import type { Logger } from 'pino';
import type { Deliver } from '../api/processes/delivery.ts';
import type { StoredCommand } from '../db/automation/ledger.queries.ts';
import { claimOwedCommands, postponeCommand } from '../db/automation/owed-commands.queries.ts';
import type { Database } from '../db/database.ts';
import { meter } from '../runtime/telemetry.ts';
import type { Found } from './poll.ts';

const claimedAtOnce = 20;
const deliveries = meter.createCounter('crm.relay.commands', {
  description: 'Commands delivered for the API, by outcome.',
});

/**
 * Makes one round of the relay: delivers commands that the ledger still owes, under the same update ID as the API did.
 * A refusal is kept, since nobody waits for it; without an outcome it is tried again later.
 */
export function createOwedCommandsRound({
  relay,
  deliver,
  log,
}: {
  relay: Database;
  deliver: Deliver;
  log: Logger;
}): () => Promise<Found> {
  async function deliverOwed(command: StoredCommand): Promise<void> {
    const { commandId, process, message, attempts, actor } = command;
    const delivery = await deliver(command, 'has gone').catch((err: unknown) => {
      log.warn({ err, commandId }, 'owed command: delivery failed');
      return { outcome: 'pending' as const, reason: err instanceof Error ? err.name : typeof err };
    });
    deliveries.add(1, { process, message, outcome: delivery.outcome });
    if (delivery.outcome === 'pending') await postponeCommand(relay, command, delivery.reason);
    if (delivery.outcome === 'refused') {
      const refused = { commandId, message, code: delivery.problem.code };
      if (actor.kind === 'process') log.error(refused, 'owed by a process: refused, and kept for somebody to mend');
      else log.warn(refused, 'owed command: refused by its process');
    }
    if (delivery.outcome === 'answered') log.info({ commandId, message, attempts }, 'owed command: delivered');
  }

  return async () => {
    const commands = await claimOwedCommands(relay, claimedAtOnce);
    await Promise.all(commands.map(deliverOwed));
    if (commands.length === claimedAtOnce) return 'more';
    return commands.length > 0 ? 'some' : 'none';
  };
}
