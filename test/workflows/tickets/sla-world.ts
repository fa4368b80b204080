import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkerOptions } from '@temporalio/worker';
import type { TicketState } from '../../../activities/tickets.types.ts';
import { receiveCommand } from '../../../db/automation/ledger.queries.ts';
import type { Database } from '../../../db/database.ts';
import { startSearchAttributes } from '../../../workflows/processes/search-attributes.ts';
import { type Message, splitPayload } from '../../../workflows/processes/messages.ts';
import { ticketProcess } from '../../../workflows/tickets/messages.ts';
import { makeTicketHouse, type TicketHouse, type TicketHousePlan } from '../../activities/tickets/ticket-house.ts';
import { writeAs } from '../../support/factories.ts';
import { testWorker, type TestWorker, untilAccepted } from '../../support/temporal.ts';

/** A ticket whose process runs. */
export interface LivingTicket {
  ticketId: string;
  handle: WorkflowHandle;
  openedAt: Date;
  state: TicketState;
}

/** A house with a worker: tickets live in Temporal, and their rows in PostgreSQL. */
export class SlaWorld {
  readonly environment: TestWorkflowEnvironment;
  readonly house: TicketHouse;
  readonly taskQueue = `test-${randomUUID()}`;
  private worker: TestWorker | null = null;

  private readonly options: Partial<WorkerOptions>;

  private constructor(environment: TestWorkflowEnvironment, house: TicketHouse, options: Partial<WorkerOptions>) {
    this.environment = environment;
    this.house = house;
    this.options = options;
  }

  /** Opens a world in an organisation of its own; `close` it when done. */
  static async open(
    environment: TestWorkflowEnvironment,
    database: Database,
    plan: TicketHousePlan = {},
    options: Partial<WorkerOptions> = {},
  ): Promise<SlaWorld> {
    const world = new SlaWorld(environment, await makeTicketHouse(database, plan), options);
    await world.startWorker();
    return world;
  }

  async startWorker(): Promise<void> {
    this.worker = await testWorker(this.environment, this.house.activities, {
      ...this.options,
      taskQueue: this.taskQueue,
    });
  }

  async stopWorker(): Promise<void> {
    await this.worker?.close();
    this.worker = null;
  }

  async close(): Promise<void> {
    await this.stopWorker();
  }

  async now(): Promise<Date> {
    return new Date(await this.environment.currentTimeMs());
  }

  /** Opens a ticket as the API does, and awaits the decision on it. */
  async start(body: Record<string, unknown> = {}): Promise<LivingTicket> {
    const ticket = await this.begin(body, await this.now());
    await ticket.handle.executeUpdate(ticketProcess.startUpdate);
    return { ...ticket, state: await this.house.stateOf(ticket.ticketId) };
  }

  /** Starts the process of a ticket that was received at `openedAt`, whether or not a worker is there. */
  async begin(body: Record<string, unknown>, openedAt: Date): Promise<Omit<LivingTicket, 'state'>> {
    const organizationId = this.house.org.id;
    const ticketId = await this.house.receive(body, { receivedAt: openedAt });
    const handle = await this.environment.client.workflow.start(ticketProcess.workflowType, {
      workflowId: ticketProcess.workflowId(ticketId),
      taskQueue: this.taskQueue,
      args: [{ organizationId, ticketId }],
      staticSummary: 'ticket',
      typedSearchAttributes: startSearchAttributes(organizationId, ticketProcess.name, ticketId),
    });
    // Of the latest run, so that a continuation is followed.
    return { ticketId, openedAt, handle: this.environment.client.workflow.getHandle(handle.workflowId) };
  }

  /**
   * Sends a message as the API does: stored in the ledger first, then an Update with its envelope. One whose command is
   * in the ledger already is only delivered again. Answers with the ticket as it is then, the Update's own answer being
   * the stage.
   */
  async send(
    { ticketId, handle }: Pick<LivingTicket, 'ticketId' | 'handle'>,
    name: string,
    payload: Record<string, unknown> = {},
    receivedAt?: Date,
    commandId: string = randomUUID(),
  ): Promise<TicketState> {
    const at = receivedAt ?? (await this.now());
    const { admin: actor, database } = this.house;
    await receiveCommand(database, writeAs(actor, { receivedAt: at, idempotencyKey: commandId }, payload), {
      commandId,
      process: ticketProcess.name,
      message: name,
      recordId: ticketId,
      body: payload,
    });
    const declared = (ticketProcess.messages as Readonly<Record<string, Message>>)[name] as Message;
    const args: [unknown, unknown] = [
      splitPayload(declared, payload).travels,
      { commandId, receivedAt: at.toISOString(), actor },
    ];
    await untilAccepted(() => handle.executeUpdate<string, typeof args>(name, { args, updateId: commandId }));
    return await this.house.stateOf(ticketId);
  }
}
