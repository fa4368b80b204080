import type { Logger } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { receiveCommand, type StoredCommand, type WriteContext } from '../../db/automation/ledger.queries.ts';
import type { Database } from '../../db/database.ts';
import { Problem } from '../../db/model/problem.ts';
import type { Process } from '../../workflows/processes/messages.ts';
import type { ApiMetrics } from '../metrics.ts';
import type { ApiAnswer } from '../route.ts';
import { Background } from '../background.ts';
import type { Deliver, Delivery } from './delivery.ts';
import { processLink } from './processes.ts';

/** A message to be sent to the process of one record. */
export interface Order {
  process: Process;
  /** A declared message, or the name of the process's start. */
  message: string;
  recordId: string;
  /** As the ledger keeps it: the whole payload. */
  body: unknown;
  /** What 202 tells: the state of the record before the message. */
  present: { status: string; stage: string };
  respondAsync: boolean;
}

export interface Dispatcher {
  /**
   * Stores a command, then sends it (DESIGN, one rule for writes). Answers as the process did, or 202 with a link when
   * there is no outcome in time. Throws the process's refusals, `idempotency_key_reused`, and `in_progress`.
   */
  dispatch(write: WriteContext, order: Order): Promise<ApiAnswer>;
  /** Resolves when no delivery runs in the background any more. */
  drained(): Promise<void>;
}

export interface DispatcherOptions {
  database: Database;
  deliver: Deliver;
  metrics: ApiMetrics;
  log: Logger;
}

export function createDispatcher({ database, deliver, metrics, log }: DispatcherOptions): Dispatcher {
  const background = new Background();

  const count = ({ process, message }: Order, outcome: Delivery['outcome'] | 'replayed') =>
    metrics.commands.add(1, { process: process.name, message, outcome });

  async function deliverLater(order: Order, command: StoredCommand): Promise<void> {
    try {
      count(order, (await deliver(command)).outcome);
    } catch (err) {
      log.warn({ err, commandId: command.commandId }, 'command left to the relay');
    }
  }

  return {
    async dispatch(write, order) {
      const { process, message, recordId, body } = order;
      const receipt = await receiveCommand(database, write, {
        commandId: uuidv7(),
        process: process.name,
        message,
        recordId,
        body,
      });
      if (receipt.outcome === 'answered') {
        count(order, 'replayed');
        const replay = answered(process, recordIdOf(receipt.body, recordId), receipt);
        return { ...replay, headers: { ...replay.headers, 'Idempotency-Replayed': 'true' } };
      }
      if (receipt.outcome === 'running') {
        const { href } = processLink(process, receipt.command.recordId);
        throw new Problem(
          'in_progress',
          `The first request with this Idempotency-Key is still being carried out; see ${href}.`,
        );
      }
      // What the relay owes this record goes first: it delivers in order.
      if (receipt.isBehind) return accepted(order);
      if (order.respondAsync) {
        const { command } = receipt;
        background.add(() => deliverLater(order, command));
        return accepted(order);
      }
      const delivery = await deliver(receipt.command);
      count(order, delivery.outcome);
      if (delivery.outcome === 'answered') return answered(process, recordIdOf(delivery.body, recordId), delivery);
      if (delivery.outcome === 'refused') throw delivery.problem;
      log.warn({ commandId: receipt.command.commandId, reason: delivery.reason }, 'command left to the relay');
      return accepted(order);
    },
    drained: () => background.drained(),
  };
}

/** The record that was answered: a merged capture answers the one that survived. */
function recordIdOf(body: Record<string, unknown> | null, recordId: string): string {
  return typeof body?.['id'] === 'string' ? body['id'] : recordId;
}

function answered(
  process: Process,
  recordId: string,
  { status, body }: { status: number; body: Record<string, unknown> | null },
): ApiAnswer {
  if (body === null) return { status };
  const answer = { status, body: { process: processLink(process, recordId), ...body } };
  return status === 201 ? { ...answer, headers: { Location: `/crm/v1/${process.path}/${recordId}` } } : answer;
}

function accepted({ process, recordId, present: { status, stage } }: Order): ApiAnswer {
  const link = processLink(process, recordId);
  return { status: 202, body: { id: recordId, status, stage, process: link }, headers: { Location: link.href } };
}
