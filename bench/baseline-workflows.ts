import {
  condition,
  defineUpdate,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
} from '@temporalio/workflow';
import type { baselineActivities } from './baseline-worker.ts';

const local = proxyLocalActivities<typeof baselineActivities>({ startToCloseTimeout: '10 seconds' });
const regular = proxyActivities<typeof baselineActivities>({ startToCloseTimeout: '10 seconds' });

export const answerUpdate = defineUpdate<string>('answer');

/** The least that answers an update-with-start: its handler runs one local activity that does nothing. */
export async function bareUpdate(): Promise<void> {
  let answered = false;
  setHandler(answerUpdate, async () => {
    const answer = await local.nothing();
    answered = true;
    return answer;
  });
  await condition(() => answered);
}

/** A bare workflow of three regular activities that do nothing. */
export async function threeActivities(): Promise<string> {
  await regular.nothing();
  await regular.nothing();
  return await regular.nothing();
}

/** The least that waits. */
export async function bareTimer(): Promise<void> {
  await sleep('1 day');
}
