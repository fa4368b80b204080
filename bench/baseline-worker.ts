import { NativeConnection, Worker } from '@temporalio/worker';
import { fileURLToPath } from 'node:url';

export const baselineActivities = { nothing: async (): Promise<string> => 'done' };

/** A worker of its own process for the baselines, with the same settings as the product's. */
async function main(address: string): Promise<void> {
  const connection = await NativeConnection.connect({ address });
  const worker = await Worker.create({
    connection,
    namespace: 'default',
    taskQueue: 'baseline',
    workflowsPath: fileURLToPath(new URL('baseline-workflows.ts', import.meta.url)),
    activities: baselineActivities,
    workflowTaskPollerBehavior: { type: 'autoscaling' },
    activityTaskPollerBehavior: { type: 'autoscaling' },
  });
  process.once('SIGTERM', () => worker.shutdown());
  process.send?.('ready');
  await worker.run();
  await connection.close();
  process.disconnect?.();
}

if (process.argv[2]) await main(process.argv[2]);
