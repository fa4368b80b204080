import {
  currentUpdateInfo,
  defineSignal,
  defineUpdate,
  setDefaultSignalHandler,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { parseEnvelope, type AppliedMessage } from './envelope.ts';
import { Inbox, refusalFailure } from './inbox.ts';
import { parsePayload, stageRefusal, travellingSchema, type Message, type Process } from './messages.ts';
import { undecodableReason } from './undecodable.ts';

/** The record that a process runs on. */
export interface ProcessRecord {
  readonly organizationId: string;
  readonly recordId: string;
}

/** What the handlers ask of the workflow that they serve. */
export interface Receiver {
  /** The present stage, or undefined while it is not known yet. */
  readonly stage: () => string | undefined;
  /** Something was refused: it should be shown. */
  readonly onRefusal: () => void;
}

/**
 * Binds every declared message as a Signal and an Update of the same name, and every internal signal, to one inbox.
 * An Update is refused synchronously (no history event) with the problem code as failure type; a bad Signal is noted
 * and ignored, never thrown.
 */
export function receiveMessages(process: Process, record: ProcessRecord, { stage, onRefusal }: Receiver): Inbox {
  const refuses = (name: string) => (name in process.messages ? stageRefusal(process, name, stage()) : null);
  const inbox = new Inbox(refuses, onRefusal);
  const signalKey = keysInOrder();
  for (const [name, message] of Object.entries(process.messages)) {
    receiveSignal(inbox, process, record, name, signalKey);
    receiveUpdate(inbox, process, record, name, message, stage);
  }
  for (const name of Object.keys(process.signals)) receiveSignal(inbox, process, record, name, signalKey);
  setDefaultSignalHandler((name) => inbox.refuse(name, `The process ${process.name} knows no such signal.`));
  return inbox;
}

/** Binds the Update that goes with the start: it awaits the decision, and answers with the stage alone as all Updates do. */
export function receiveStart({ name, startUpdate }: Process, decision: Promise<{ readonly stage: string }>): void {
  setHandler(defineUpdate<string>(startUpdate), async () => (await decision).stage, {
    description: `Answers with the stage of this ${name} once it has been decided on.`,
  });
}

// A workflow task that fails at its end (a Signal came while the run was closing) is run again, local activities and all.
// Signals keep their order then, so their number in the run tells a repetition from a second Signal.
function keysInOrder(): () => string {
  let count = 0;
  return () => `signal:${workflowInfo().originalExecutionRunId}:${++count}`;
}

function receiveSignal(
  inbox: Inbox,
  process: Process,
  record: ProcessRecord,
  name: string,
  nextKey: () => string,
): void {
  const internal = process.signals[name];
  const declared = internal ?? process.messages[name];
  if (!declared) return;
  const { organizationId, recordId } = record;
  setHandler(
    defineSignal<[unknown]>(name),
    (payload) => {
      const key = nextKey();
      const reason = undecodableReason(payload);
      if (reason) return inbox.refuse(name, `The payload could not be decoded: ${reason}`);
      const parsed = parsePayload(name, declared.payload, payload);
      if ('refusal' in parsed) return inbox.refuse(name, parsed.refusal.message);
      const message = { name, key, payload: parsed.payload, commandId: null, receivedAt: new Date().toISOString() };
      if (!internal) return inbox.put({ ...message, actor: { kind: 'temporal', organizationId } });
      inbox.putOnce({ ...message, actor: { kind: 'process', organizationId, process: process.name, recordId } });
    },
    { description: declared.summary },
  );
}

function receiveUpdate(
  inbox: Inbox,
  process: Process,
  record: ProcessRecord,
  name: string,
  message: Message,
  stage: () => string | undefined,
): void {
  setHandler(
    defineUpdate<string, [unknown, unknown]>(name),
    async (payload, envelope) => await inbox.putAndAwait(readUpdate(record, name, message, payload, envelope)),
    {
      description: message.summary,
      validator: (payload, envelope) => {
        readUpdate(record, name, message, payload, envelope);
        const refusal = stageRefusal(process, name, stage());
        if (refusal) throw refusalFailure(refusal);
      },
    },
  );
}

/** Reads the arguments of an Update; without an envelope it comes from somebody with only the Temporal CLI. */
function readUpdate(
  { organizationId }: ProcessRecord,
  name: string,
  message: Message,
  payload: unknown,
  envelope: unknown,
): AppliedMessage {
  const schema = envelope === undefined ? message.payload : travellingSchema(message);
  const parsed = parsePayload(name, schema, payload);
  if ('refusal' in parsed) throw refusalFailure(parsed.refusal);
  if (envelope !== undefined) {
    const command = parseEnvelope(name, envelope);
    if ('refusal' in command) throw refusalFailure(command.refusal);
    return { name, key: command.payload.commandId, payload: parsed.payload, ...command.payload };
  }
  return {
    name,
    key: `update:${workflowInfo().originalExecutionRunId}:${currentUpdateInfo()?.id}`,
    payload: parsed.payload,
    commandId: null,
    actor: { kind: 'temporal', organizationId },
    receivedAt: new Date().toISOString(),
  };
}
