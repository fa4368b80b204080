import { continueAsNew, defineSignal, proxyActivities, setHandler, workflowInfo } from '@temporalio/workflow';
import type { AutomationActivities, ConfigurationChange } from '../../activities/automation.types.ts';
import { becomesTrue } from '../processes/becomes-true.ts';
import { changedSignal } from './messages.ts';

const changed = defineSignal(changedSignal);
const signalsPerSecond = 50;

const { affectedProcesses } = proxyActivities<AutomationActivities>({
  startToCloseTimeout: '30 seconds',
  retry: { maximumInterval: '1 minute' },
  summary: 'find a page of affected processes',
});
const { signalConfigurationChanged } = proxyActivities<AutomationActivities>({
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '30 seconds',
  retry: { maximumInterval: '1 minute' },
  summary: `signal a page of processes · ${signalsPerSecond} a second`,
});

/**
 * Tells every running process that depends on a changed record to plan again, page by page, at a bounded rate.
 * A change that comes while it runs makes it go round once more. `progress` is for its own continuation.
 */
export async function fanOutConfiguration(
  change: ConfigurationChange,
  progress: { cursor: string | null; changed: boolean } = { cursor: null, changed: false },
): Promise<void> {
  let { cursor, changed: isChanged } = progress;
  setHandler(changed, () => {
    isChanged = true;
  });

  if (cursor === null && !isChanged) await becomesTrue(() => isChanged, '10 seconds', 'the change itself');
  do {
    if (cursor === null) isChanged = false;
    do {
      const page = await affectedProcesses({ ...change, cursor });
      await signalConfigurationChanged({ workflowIds: page.workflowIds, perSecond: signalsPerSecond });
      cursor = page.cursor;
      if (cursor !== null && workflowInfo().continueAsNewSuggested) {
        await continueAsNew<typeof fanOutConfiguration>(change, { cursor, changed: isChanged });
      }
    } while (cursor !== null);
  } while (isChanged);
}
