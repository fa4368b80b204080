import { randomUUID } from 'node:crypto';
import { WithStartWorkflowOperation, type WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { LeadActivities, LeadRef, LeadState } from '../../../activities/leads.types.ts';
import { leadProcess } from '../../../workflows/leads/messages.ts';
import type { Envelope } from '../../../workflows/processes/envelope.ts';
import type { Process } from '../../../workflows/processes/messages.ts';
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

/** One worker on the recorded double for a whole file of tests, and what a test does with leads. */
export class IntakeWorld {
  /** What the leads of the present test were asked. */
  leads: RecordedLeads;
  readonly environment: TestWorkflowEnvironment;
  private readonly taskQueue = `test-${randomUUID()}`;
  private worker: TestWorker | null = null;
  private handles: WorkflowHandle[] = [];

  private constructor(environment: TestWorkflowEnvironment, leads: RecordedLeads) {
    this.environment = environment;
    this.leads = leads;
  }

  /** Opens a world; `close` it when done. */
  static async open(environment: TestWorkflowEnvironment): Promise<IntakeWorld> {
    const world = new IntakeWorld(environment, new RecordedLeads(await environment.currentTimeMs()));
    await world.startWorker();
    return world;
  }

  async startWorker(): Promise<void> {
    const activities: LeadActivities = {
      decideIntake: async (input) => await this.leads.decideIntake(input),
      applyMessage: async (input) => await this.leads.applyMessage(input),
      takeStep: async (input) => await this.leads.takeStep(input),
      replan: async (input) => await this.leads.replan(input),
    };
    this.worker = await testWorker(this.environment, activities, { taskQueue: this.taskQueue });
  }

  async stopWorker(): Promise<void> {
    await this.worker?.close();
    this.worker = null;
  }

  /** Ends the intakes that a test has left running and forgets its leads. */
  async clear(): Promise<void> {
    if (!this.worker) await this.startWorker();
    for (const handle of this.handles.splice(0)) {
      const { status } = await handle.describe();
      if (status.name !== 'RUNNING') continue;
      // Answered between two workflow tasks: one that is cut off stops the time-skipping server's clock for good.
      await currentDetails(handle);
      await handle.terminate();
    }
    this.leads = new RecordedLeads(await this.environment.currentTimeMs());
  }

  async close(): Promise<void> {
    await this.stopWorker();
  }

  /** Starts the intake of a lead and awaits its decision. */
  async start(leadId: string = randomUUID()) {
    const handle = this.handle(leadId);
    await this.client.start(leadProcess.workflowType, this.startOptions(leadId));
    await handle.executeUpdate(leadProcess.startUpdate);
    return { leadId, state: this.leads.stateOf(leadId), handle };
  }

  /** Starts the intake of a lead and awaits its end. */
  async result(leadId: string): Promise<LeadState> {
    return await this.client.execute(leadProcess.workflowType, this.startOptions(leadId));
  }

  /** The process of a lead, whichever run it is in; `clear` ends it. */
  handle(leadId: string): WorkflowHandle {
    const handle = this.client.getHandle(leadProcess.workflowId(leadId));
    this.handles.push(handle);
    return handle;
  }

  /** Starts a run, or joins the present one, together with an Update, as the API does (not on the time-skipping server). */
  async startWith(leadId: string, update: string, args: unknown[] = []) {
    const handle = this.handle(leadId);
    await this.client.executeUpdateWithStart(update, {
      args,
      updateId: update === leadProcess.startUpdate ? update : randomUUID(),
      startWorkflowOperation: new WithStartWorkflowOperation(leadProcess.workflowType, {
        ...this.startOptions(leadId),
        workflowIdConflictPolicy: 'USE_EXISTING',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      }),
    });
    return { leadId, state: this.leads.stateOf(leadId), handle };
  }

  /**
   * Sends a message as the API does: an Update with the envelope of a stored command, received now. Answers with the
   * lead as it is then, the Update's own answer being the stage.
   */
  async send(
    handle: WorkflowHandle,
    name: string,
    payload: object = {},
    envelope: Partial<Envelope> = {},
  ): Promise<LeadState> {
    const commandId = envelope.commandId ?? randomUUID();
    const receivedAt = envelope.receivedAt ?? new Date(await this.environment.currentTimeMs()).toISOString();
    await handle.executeUpdate<string, [unknown, Envelope]>(name, {
      args: [payload, { commandId, receivedAt, actor, ...envelope }],
      updateId: commandId,
    });
    return this.leads.stateOf(handle.workflowId.slice(leadProcess.workflowId('').length));
  }

  private get client() {
    return this.environment.client.workflow;
  }

  private startOptions(leadId: string) {
    const lead: LeadRef = { organizationId, leadId };
    return {
      workflowId: leadProcess.workflowId(leadId),
      taskQueue: this.taskQueue,
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

/** The Signals and Updates that a running workflow says it takes, each with its words (needs a worker). */
export async function takenMessages(handle: WorkflowHandle): Promise<{ signals: object; updates: object }> {
  type Definition = { name?: string; description?: string };
  const { definition } = await handle.query<{
    definition?: { signalDefinitions?: Definition[]; updateDefinitions?: Definition[] };
  }>('__temporal_workflow_metadata');
  const inWords = (definitions: Definition[] = []) =>
    Object.fromEntries(definitions.map(({ name, description }) => [name, description]));
  return { signals: inWords(definition?.signalDefinitions), updates: inWords(definition?.updateDefinitions) };
}

/** What `takenMessages` has to answer for a process: every declared message as both. */
export function declaredMessages({ messages, signals }: Process) {
  const inWords = (declared: Readonly<Record<string, { summary: string }>>) =>
    Object.fromEntries(Object.entries(declared).map(([name, { summary }]) => [name, summary]));
  return { signals: { ...inWords(messages), ...inWords(signals) }, updates: inWords(messages) };
}
