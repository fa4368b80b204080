import type { LocalActivityOptions } from '@temporalio/workflow';

/**
 * How a process calls what changes its rows. A database that is away is waited for, however long: short pauses in the
 * worker, longer ones as timers on the server.
 */
export const rowActivities: LocalActivityOptions = {
  startToCloseTimeout: '10 seconds',
  localRetryThreshold: '5 seconds',
  retry: { initialInterval: '200 milliseconds', backoffCoefficient: 2, maximumInterval: '30 seconds' },
};
