import type { Client } from '@temporalio/client';
import { configurationKinds } from '../../db/automation/affected-processes.queries.ts';
import type { UndeliveredEvent } from '../../db/automation/outbox.queries.ts';
import type { Database } from '../../db/database.ts';
import { replyBounced } from '../../db/tickets/bounces.queries.ts';
import { readOwnerOfDeleted } from '../../db/leads/queue.queries.ts';
import { readAgentOfDeleted } from '../../db/tickets/routing.queries.ts';
import { changedSignal, fanOutWorkflowId } from '../../workflows/automation/messages.ts';
import { leadProcess } from '../../workflows/leads/messages.ts';
import type { Process } from '../../workflows/processes/messages.ts';
import { startSearchAttributes } from '../../workflows/processes/search-attributes.ts';
import { isFactChange } from '../../workflows/tickets/facts.ts';
import { ticketProcess } from '../../workflows/tickets/messages.ts';
import type { ConfigurationChange } from '../automation.types.ts';
import { leadCapacityFreed } from '../leads/lead-change.ts';
import type { Mail } from '../ports.ts';
import { releasedEvent } from '../leads/releasing.ts';
import { takeUpRestored } from '../leads/restoration.ts';
import { capacityFreedEvent } from '../tickets/capacity.ts';
import { leadQueue, type Queue, tellQueue, ticketQueue } from './queues.ts';
import { callPatienceMilliseconds, tellProcess } from './tell-process.ts';
import { mailReply, noteUndelivered } from './ticket-replies.ts';

export interface SubscriberDeps {
  /** Sees the notifications of every organisation. */
  relay: Database;
  /** Acts for one organisation at a time. */
  database: Database;
  temporal: Client;
  /** Null: this installation sends no mail, and a notification is read in the product alone. */
  mail: Mail | null;
  /** Queue of the processes, and that of long fan-outs. */
  taskQueues: { processes: string; bulk: string };
}

/** Does what follows from one event. Called again for the same event it does no more than repeat itself harmlessly. */
type Subscriber = (event: UndeliveredEvent) => Promise<void>;

/** Who is to hear of which kind of event; nobody for the kinds that have no subscriber. */
export function createSubscribers({
  relay,
  database,
  temporal,
  mail,
  taskQueues,
}: SubscriberDeps): (kind: string) => Subscriber | undefined {
  // One call that hangs must not hold up the batch that its event is in.
  const inTime = <T>(call: () => Promise<T>) => temporal.withDeadline(Date.now() + callPatienceMilliseconds, call);

  const fanOut = async (change: ConfigurationChange) => {
    await inTime(() =>
      temporal.workflow.signalWithStart('fanOutConfiguration', {
        workflowId: fanOutWorkflowId(change),
        taskQueue: taskQueues.bulk,
        args: [change],
        signal: changedSignal,
        staticSummary: `tell running processes of a changed ${change.kind.replaceAll('_', ' ')}`,
      }),
    );
  };

  const tell =
    (process: Process, signal: string): Subscriber =>
    async ({ subjectId }) => {
      await tellProcess(temporal, process.workflowId(subjectId), signal);
    };

  // The process of a restored record begins a new run by policy. The signal is for a run that is about to end and may have
  // read the row before: Temporal does not let it close over an unread signal.
  const resume =
    (process: Process): Subscriber =>
    async ({ organizationId, subjectId }) => {
      await inTime(() =>
        temporal.workflow.signalWithStart(process.workflowType, {
          workflowId: process.workflowId(subjectId),
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          taskQueue: taskQueues.processes,
          args: [{ organizationId, [`${process.name}Id`]: subjectId }],
          signal: 'configurationChanged',
          signalArgs: [{}],
          staticSummary: `${process.name} · restored`,
          typedSearchAttributes: startSearchAttributes(organizationId, process.name, subjectId),
        }),
      );
    };

  const capacityFreed =
    (queue: Queue): Subscriber =>
    ({ organizationId, payload }) =>
      tellQueue({ database, temporal }, queue, organizationId, String(payload['userId']));

  // At once, and whether or not its process still runs: whoever had the deleted record has room for another.
  const removed =
    (
      queue: Queue,
      readOwner: (relay: Database, organizationId: string, id: string) => Promise<string | null>,
    ): Subscriber =>
    async (event) => {
      await tell(queue.process, 'deleted')(event);
      const owner = await readOwner(relay, event.organizationId, event.subjectId);
      if (owner !== null) await tellQueue({ database, temporal }, queue, event.organizationId, owner);
    };

  // More capacity, another skill, back from an absence, let in again: what waits for such a user hears of it at once.
  const userChanged: Subscriber = async ({ organizationId, subjectId: id }) => {
    await fanOut({ organizationId, kind: 'user', id });
    for (const queue of [leadQueue, ticketQueue]) await tellQueue({ database, temporal }, queue, organizationId, id);
  };

  const subscribers: Readonly<Record<string, Subscriber>> = {
    // An identity has the key of its user. Its name and mail are nothing that work depends on.
    'identity.updated': async (event) => {
      const { fields } = event.payload;
      if (Array.isArray(fields) && fields.includes('status')) await userChanged(event);
    },
    'identity.removed': userChanged,
    'identity.restored': userChanged,
    // People change what routes a ticket and chooses its policy, or scores a lead, by a plain PATCH, beside the process.
    'ticket.updated': (event) =>
      tell(ticketProcess, isFactChange(event.payload['fields']) ? 'factsChanged' : 'configurationChanged')(event),
    'lead.updated': tell(leadProcess, 'changed'),
    'ticket_reply.created': (event) => mailReply({ relay, database, mail }, event),
    [replyBounced]: (event) => noteUndelivered(database, event, { reason: String(event.payload['reason']) }),
    [releasedEvent]: tell(leadProcess, 'engaged'),
    [capacityFreedEvent]: capacityFreed(ticketQueue),
    [leadCapacityFreed]: capacityFreed(leadQueue),
    'ticket.removed': removed(ticketQueue, readAgentOfDeleted),
    'lead.removed': removed(leadQueue, readOwnerOfDeleted),
    'ticket.restored': resume(ticketProcess),
    // Its deadlines are those of before it was deleted: its process begins only once it has new ones.
    'lead.restored': async (event) => {
      const { organizationId, subjectId: leadId, occurredAt } = event;
      await takeUpRestored(database, { organizationId, leadId, at: new Date(occurredAt) });
      await resume(leadProcess)(event);
    },
  };
  return (eventKind) => {
    const kind = configurationKinds.find((name) => eventKind.startsWith(`${name}.`));
    if (!kind) return subscribers[eventKind];
    if (kind === 'user') return userChanged;
    return ({ organizationId, subjectId: id }) => fanOut({ organizationId, kind, id });
  };
}
