import type { Logger } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { receiveCommand, type StoredCommand, type WriteContext } from '../../db/automation/ledger.queries.ts';
import { leaveToRelay } from '../../db/automation/owed-commands.queries.ts';
import { keptRefusal } from '../../db/automation/refused-commands.queries.ts';
import { type AcceptedCommand, findRepeated } from '../../db/automation/replay.queries.ts';
import type { Database } from '../../db/database.ts';
import { Problem } from '../../db/model/problem.ts';
import { processLink } from '../../workflows/processes/link.ts';
import type { Process } from '../../workflows/processes/messages.ts';
import type { ApiMetrics } from '../metrics.ts';
import type { ApiAnswer } from '../route.ts';
import { Background } from '../background.ts';
import type { Deliver, Delivery } from './delivery.ts';

/** A message that a caller wants to send to the process of one record. */
export interface CommandRequest {
  process: Process;
  /** A declared message, or the name of the process's start. */
  message: string;
  /** Reads the request: payload, permission, the record. Throws Problems. */
  check(): Promise<CheckedRequest>;
  respondAsync: boolean;
}

/** What a request asks for, once it is found in order. */
export interface CheckedRequest {
  recordId: string;
  /** As the ledger keeps it: the whole payload. */
  body: unknown;
  /** What 202 tells: the state of the record before the message. */
  present: { status: string; stage: string };
}

/** Accepts commands for processes from HTTP callers. */
export interface Dispatcher {
  /**
   * Stores a command, then sends it (DESIGN, one rule for writes). Answers as the process did; or 202 with a link when
   * there is no outcome in time, when the caller prefers not to wait, and behind an older command that is still owed. A
   * request that came before gets its first answer, even if it would not pass `check` any more. Throws the Problems of
   * `check` and of the process, `idempotency_key_reused`, and `in_progress`.
   */
  dispatch(write: WriteContext, request: CommandRequest): Promise<ApiAnswer>;
  /** Resolves when no delivery runs in the background any more. */
  drained(): Promise<void>;
}

export interface DispatcherOptions {
  database: Database;
  deliver: Deliver;
  metrics: ApiMetrics;
  log: Logger;
}

/** Makes the dispatcher of one API. What it has not delivered when it stops is left to the relay. */
export function createDispatcher({ database, deliver, metrics, log }: DispatcherOptions): Dispatcher {
  const background = new Background({ atStop: 'left' });

  const count = ({ process, message }: CommandRequest, outcome: Delivery['outcome'] | 'replayed') =>
    metrics.commands.add(1, { process: process.name, message, outcome });

  async function deliverLater(request: CommandRequest, command: StoredCommand): Promise<void> {
    const { commandId, message } = command;
    try {
      const delivery = await deliver(command, 'has gone');
      count(request, delivery.outcome);
      if (delivery.outcome === 'refused')
        log.warn({ commandId, message, code: delivery.problem.code }, 'accepted command: refused by its process');
      if (delivery.outcome === 'pending') await leave(command, delivery.reason);
    } catch (err) {
      log.warn({ err, commandId }, 'delivery failed');
      await leave(command, err instanceof Error ? err.name : typeof err);
    }
  }

  /** The command is stored: whatever becomes of this, the relay delivers it. */
  async function leave(command: StoredCommand, reason: string): Promise<void> {
    const { commandId } = command;
    log.warn({ commandId, reason }, 'command left to the relay');
    await leaveToRelay(database, command, reason).catch((err: unknown) => log.warn({ err, commandId }, 'lease kept'));
  }

  /** The answer to a request that came before. */
  function repeated(request: CommandRequest, { recordId, answer }: AcceptedCommand): ApiAnswer {
    const { process } = request;
    if (!answer) {
      const { href } = processLink(process, recordId);
      throw new Problem(
        'in_progress',
        `The first request with this Idempotency-Key is still being carried out; see ${href}.`,
      );
    }
    count(request, 'replayed');
    const refusal = keptRefusal(answer);
    if (refusal) throw refusal;
    const replay = answered(process, recordIdOf(answer.body, recordId), answer);
    return { ...replay, headers: { ...replay.headers, 'Idempotency-Replayed': 'true' } };
  }

  return {
    async dispatch(write, request) {
      const { process, message, respondAsync } = request;
      let checked: CheckedRequest;
      try {
        checked = await request.check();
      } catch (error) {
        // A refusal that needs no database is given without one.
        const known = error instanceof Problem ? await findRepeated(database, write).catch(() => null) : null;
        if (!known) throw error;
        return repeated(request, known);
      }
      const { recordId, body } = checked;
      const command = { commandId: uuidv7(), process: process.name, message, recordId, body };
      const receipt = await receiveCommand(database, write, command, respondAsync ? 'promised' : 'waits');
      if (receipt.outcome === 'answered') return repeated(request, { recordId, answer: receipt });
      if (receipt.outcome === 'running') {
        return repeated(request, { recordId: receipt.command.recordId, answer: null });
      }
      // What the relay owes this record goes first: it delivers in order.
      if (receipt.isBehind) {
        count(request, 'pending');
        return accepted(process, checked);
      }
      if (respondAsync) {
        background.add(() => deliverLater(request, receipt.command));
        return accepted(process, checked);
      }
      const delivery = await deliver(receipt.command, 'waits');
      count(request, delivery.outcome);
      if (delivery.outcome === 'answered') return answered(process, recordIdOf(delivery.body, recordId), delivery);
      if (delivery.outcome === 'refused') throw delivery.problem;
      await leave(receipt.command, delivery.reason);
      return accepted(process, checked);
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

function accepted(process: Process, { recordId, present: { status, stage } }: CheckedRequest): ApiAnswer {
  const link = processLink(process, recordId);
  return { status: 202, body: { id: recordId, status, stage, process: link }, headers: { Location: link.href } };
}
