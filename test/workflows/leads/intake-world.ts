import { randomUUID } from 'node:crypto';
import { WithStartWorkflowOperation, type WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { LeadRef, LeadState } from '../../../activities/leads.types.ts';
import { leadProcess } from '../../../workflows/leads/messages.ts';
import type { Envelope } from '../../../workflows/processes/envelope.ts';
import { startSearchAttributes } from '../../../workflows/processes/search-attributes.ts';
import { testWorker, type TestWorker } from '../../support/temporal.ts';
import { RecordedLeads } from './recorded-leads.ts';

export const organizationId = '01990000-0000-7000-8000-000000000001';
const actor = {
  kind: 'user',
  organizationId,
  userId: '01990000-0000-7000-8000-00000000000a',
  roles: ['manager'],
} as const;

/** A worker on the recorded double, and what a test does with leads. */
export class IntakeWorld {
  readonly leads: RecordedLeads;
  readonly worker: TestWorker;
  readonly environment: TestWorkflowEnvironment;

  private constructor(environment: TestWorkflowEnvironment, leads: RecordedLeads, worker: TestWorker) {
    this.environment = environment;
    this.leads = leads;
    this.worker = worker;
  }

  /** Opens a world; `close` it when done. */
  static async open(environment: TestWorkflowEnvironment): Promise<IntakeWorld> {
    const leads = new RecordedLeads(await environment.currentTimeMs());
    return new IntakeWorld(environment, leads, await testWorker(environment, leads.activities));
  }

  /** The same leads with a new worker on the same task queue: a worker that comes back. */
  static async resume({ environment, leads, worker }: IntakeWorld): Promise<IntakeWorld> {
    const successor = await testWorker(environment, leads.activities, { taskQueue: worker.taskQueue });
    return new IntakeWorld(environment, leads, successor);
  }

  async close(): Promise<void> {
    await this.worker.close();
  }

  /** Starts the intake of a lead and awaits its decision. */
  async start(leadId: string = randomUUID()) {
    const handle = await this.worker.client.workflow.start(leadProcess.workflowType, this.startOptions(leadId));
    const state = await handle.executeUpdate<LeadState, []>(leadProcess.startUpdate, { args: [] });
    return { leadId, state, handle };
  }

  /** Starts the intake of a lead and awaits its end. */
  async result(leadId: string): Promise<LeadState> {
    return await this.worker.client.workflow.execute(leadProcess.workflowType, this.startOptions(leadId));
  }

  async describe(leadId: string) {
    return await this.worker.client.workflow.getHandle(leadProcess.workflowId(leadId)).describe();
  }

  /** Starts a run, or joins the present one, together with an Update, as the API does (not on the time-skipping server). */
  async startWith(leadId: string, update: string, args: unknown[] = []) {
    const state: LeadState = await this.worker.client.workflow.executeUpdateWithStart(update, {
      args,
      updateId: randomUUID(),
      startWorkflowOperation: new WithStartWorkflowOperation(leadProcess.workflowType, {
        ...this.startOptions(leadId),
        workflowIdConflictPolicy: 'USE_EXISTING',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      }),
    });
    return { leadId, state, handle: this.worker.client.workflow.getHandle(leadProcess.workflowId(leadId)) };
  }

  /** Sends a message as the API does: an Update with the envelope of a stored command, received now. */
  async send(
    handle: WorkflowHandle,
    name: string,
    payload: object = {},
    envelope: Partial<Envelope> = {},
  ): Promise<LeadState> {
    const commandId = envelope.commandId ?? randomUUID();
    const receivedAt = envelope.receivedAt ?? new Date(await this.environment.currentTimeMs()).toISOString();
    return await handle.executeUpdate<LeadState, [unknown, Envelope]>(name, {
      args: [payload, { commandId, receivedAt, actor, ...envelope }],
      updateId: commandId,
    });
  }

  private startOptions(leadId: string) {
    const lead: LeadRef = { organizationId, leadId };
    return {
      workflowId: leadProcess.workflowId(leadId),
      taskQueue: this.worker.taskQueue,
      typedSearchAttributes: startSearchAttributes(organizationId, leadProcess.name, leadId),
      staticSummary: 'lead intake',
      args: [lead],
    };
  }
}

/** The types of a history's events, in order. */
export async function eventTypes(handle: WorkflowHandle): Promise<string[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).map((event) => Object.keys(event).find((key) => key.endsWith('EventAttributes')) ?? '?');
}

/** What the Temporal UI shows as the state of a running workflow (needs a worker). */
export async function currentDetails(handle: WorkflowHandle): Promise<string> {
  const metadata = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  return metadata.currentDetails ?? '';
}
