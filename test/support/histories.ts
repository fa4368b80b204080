import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import proto from '@temporalio/proto';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import type { ReplayHistoriesIterable } from '@temporalio/worker';
import { coverageSinks } from './coverage.ts';
import { addressOf } from './servers.ts';

const folder = join(import.meta.dirname, '..', 'histories');

/** Longest payload of a Signal that is kept; what `outgrowRun` sends is ballast. */
const longestPayload = 10_000;

/**
 * Keeps the history of a finished run (the latest unless another is given) as test/histories/{name}.json, once: delete
 * the file to record it anew.
 */
export async function keepHistory(name: string, handle: WorkflowHandle, runId?: string): Promise<void> {
  const file = join(folder, `${name}.json`);
  if (existsSync(file)) return;
  const events = await eventsOf(handle, runId ?? (await handle.describe()).runId);
  for (const { workflowExecutionSignaledEventAttributes: signal } of events)
    for (const payload of signal?.input?.payloads ?? [])
      if ((payload.data?.length ?? 0) > longestPayload) payload.data = new Uint8Array();
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${historyToJSON(proto.temporal.api.history.v1.History.create({ events }))}\n`);
}

/** The events of a run, a few at a time: a client refuses more than 4 MB at once. */
async function eventsOf({ client, workflowId }: WorkflowHandle, runId: string) {
  const execution = { workflowId, runId };
  const { workflowService, options } = client;
  const events: proto.temporal.api.history.v1.IHistoryEvent[] = [];
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await workflowService.getWorkflowExecutionHistory({
      namespace: options.namespace,
      execution,
      maximumPageSize: 2,
      ...(nextPageToken ? { nextPageToken } : {}),
    });
    events.push(...(page.history?.events ?? []));
    nextPageToken = page.nextPageToken;
  } while (nextPageToken?.length);
  return events;
}

/** Every recorded history, by name. */
export function recordedHistories(): { name: string; history: unknown }[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => ({
      name: file.slice(0, -'.json'.length),
      history: JSON.parse(readFileSync(join(folder, file), 'utf8')),
    }));
}

/** Replays histories against a bundle (the run's own unless another is given); answers the error of each that broke. */
export async function replayFailures(
  histories: { name: string; history: unknown }[],
  codePath?: string,
): Promise<{ name: string; error: Error }[]> {
  const bundle = codePath ?? (await addressOf('bundle'));
  const failures: { name: string; error: Error }[] = [];
  const replay = Worker.runReplayHistories(
    { workflowBundle: { codePath: bundle }, sinks: coverageSinks },
    histories.map(({ name, history }) => ({ workflowId: name, history })) as unknown as ReplayHistoriesIterable,
  );
  for await (const { workflowId, error } of replay) if (error) failures.push({ name: workflowId, error });
  return failures;
}
