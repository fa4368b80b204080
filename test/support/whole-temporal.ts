import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { Client, Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { exitOf } from '../../runtime/processes.ts';
import { channelArgsFor } from '../../runtime/temporal-channel.ts';
import type { Product } from './product.ts';

const { TaskQueueType } = proto.temporal.api.enums.v1;

/** A client of the product's Temporal, as somebody has who watches it from outside. */
export interface TemporalClient {
  client: Client;
  close(): Promise<void>;
}

export async function connectTemporal({ temporalAddress: address }: Product): Promise<TemporalClient> {
  const connection = await Connection.connect({ address, channelArgs: channelArgsFor(address) });
  return { client: new Client({ connection }), close: () => connection.close() };
}

/** How many timers of a workflow's latest run wait to fire. */
export async function pendingTimers({ client }: TemporalClient, workflowId: string): Promise<number> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  const started = new Set<string>();
  for (const {
    timerStartedEventAttributes: start,
    timerFiredEventAttributes: fired,
    timerCanceledEventAttributes: cancelled,
  } of events ?? []) {
    if (start?.timerId) started.add(start.timerId);
    const ended = fired?.timerId ?? cancelled?.timerId;
    if (ended) started.delete(ended);
  }
  return started.size;
}

/** Runs `temporal …` against the product; throws when it fails. */
export async function temporalCli({ temporalCli: cli, temporalAddress }: Product, ...args: string[]): Promise<string> {
  const command = spawn(cli, [...args, '--address', temporalAddress], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [output, { code }] = await Promise.all([text(command.stdout), exitOf(command)]);
  if (code !== 0) throw new Error(`temporal ${args.join(' ')} has failed: ${output}`);
  return output;
}

/** The processes that have worked on a workflow's latest run. */
export async function workersOf({ client }: TemporalClient, workflowId: string): Promise<Set<string>> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  return new Set(
    (events ?? []).flatMap(({ workflowTaskCompletedEventAttributes: completed }) => completed?.identity ?? []),
  );
}

/** How many workers have polled for the tasks of processes. */
export async function pollersOf({ client }: TemporalClient): Promise<number> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: 'default',
    taskQueue: { name: 'crm' },
    taskQueueType: TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
  });
  return new Set(pollers?.map(({ identity }) => identity)).size;
}
