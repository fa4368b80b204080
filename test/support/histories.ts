import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import type { ReplayHistoriesIterable } from '@temporalio/worker';
import { coverageSinks } from './coverage.ts';
import { addressOf } from './servers.ts';

const folder = join(import.meta.dirname, '..', 'histories');

/** Keeps the history of a finished workflow as test/histories/{name}.json, once: delete the file to record it anew. */
export async function keepHistory(name: string, handle: WorkflowHandle): Promise<void> {
  const file = join(folder, `${name}.json`);
  if (existsSync(file)) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${historyToJSON(await handle.fetchHistory())}\n`);
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
