import type { Duration } from '@temporalio/common';
import { CancellationScope, condition, sleep } from '@temporalio/workflow';

/**
 * Waits until `isTrue` holds: true; or until the time is up: false. `summary` names the timer. Rejects when the workflow
 * is cancelled.
 *
 * What `condition` with a timeout does with more promises; and each promise of a workflow costs the worker a stack
 * trace, for the call stack that Temporal's UI shows.
 */
export async function becomesTrue(isTrue: () => boolean, within: Duration, summary: string): Promise<boolean> {
  const timer = new CancellationScope();
  let isTimeUp = false;
  const end = () => {
    isTimeUp = true;
  };
  void timer.run(() => sleep(within, { summary })).then(end, end);
  await condition(() => isTimeUp || isTrue());
  if (isTimeUp) return false;
  timer.cancel();
  return true;
}
