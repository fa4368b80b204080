import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { configurationKinds } from '../../db/automation/affected-leads.queries.ts';
import type { UndeliveredEvent } from '../../db/automation/outbox.queries.ts';
import type { Database } from '../../db/database.ts';
import { changedSignal, fanOutWorkflowId } from '../../workflows/automation/messages.ts';
import { leadProcess } from '../../workflows/leads/messages.ts';
import { startSearchAttributes } from '../../workflows/processes/search-attributes.ts';
import type { ConfigurationChange } from '../automation.types.ts';
import type { Mail } from '../ports.ts';

export interface SubscriberDeps {
  /** Sees the notices of every organisation. */
  relay: Database;
  temporal: Client;
  /** Null: this installation sends no mail, and a notice is read in the product alone. */
  mail: Mail | null;
  /** Queue of the processes, and that of long fan-outs. */
  taskQueues: { processes: string; bulk: string };
}

/** Does what follows from one event. Called again for the same event it does no more than repeat itself harmlessly. */
type Subscriber = (event: UndeliveredEvent) => Promise<void>;

/** Who is to hear of which kind of event; nobody for the kinds that have no subscriber. */
export function createSubscribers({ temporal, taskQueues }: SubscriberDeps): (kind: string) => Subscriber | undefined {
  const fanOut = async (change: ConfigurationChange) => {
    await temporal.workflow.signalWithStart('fanOutConfiguration', {
      workflowId: fanOutWorkflowId(change),
      taskQueue: taskQueues.bulk,
      args: [change],
      signal: changedSignal,
      staticSummary: `tell running processes of a changed ${change.kind.replace('_', ' ')}`,
    });
  };

  const endIntake: Subscriber = async ({ subjectId }) => {
    try {
      await temporal.workflow.getHandle(leadProcess.workflowId(subjectId)).signal('deleted', {});
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  };

  // A restored lead begins a new run by policy. The signal is for a run that is about to end and may have read the row
  // before: Temporal does not let it close over an unread signal.
  const resumeIntake: Subscriber = async ({ organizationId, subjectId }) => {
    await temporal.workflow.signalWithStart(leadProcess.workflowType, {
      workflowId: leadProcess.workflowId(subjectId),
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      taskQueue: taskQueues.processes,
      args: [{ organizationId, leadId: subjectId }],
      signal: 'configurationChanged',
      signalArgs: [{}],
      staticSummary: 'lead · restored',
      typedSearchAttributes: startSearchAttributes(organizationId, leadProcess.name, subjectId),
    });
  };

  const subscribers: Readonly<Record<string, Subscriber>> = {
    'lead.removed': endIntake,
    'lead.restored': resumeIntake,
  };
  return (eventKind) => {
    const kind = configurationKinds.find((name) => eventKind.startsWith(`${name}.`));
    return kind ? ({ organizationId, subjectId: id }) => fanOut({ organizationId, kind, id }) : subscribers[eventKind];
  };
}
