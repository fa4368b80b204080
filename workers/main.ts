import {
  databaseUrl,
  deploymentVersion,
  type Env,
  InvalidEnvironment,
  loadEnv,
  temporalConnectConfig,
} from '../runtime/env.ts';
import { onShutdown } from '../runtime/lifecycle.ts';
import { createLogger } from '../runtime/logger.ts';
import { startWorkerTelemetry } from '../runtime/worker-telemetry.ts';
import { startWorker, type WorkerSettings } from './worker.ts';

/** Composes a worker from the environment, serves its metrics on METRICS_PORT, and drains when asked to stop. */
async function main(): Promise<void> {
  const env = loadEnv();
  const settings = settingsFrom(env);
  const log = createLogger('worker', env.LOG_LEVEL);
  const stopping = new AbortController();
  const telemetry = await startWorkerTelemetry({ logger: log, host: env.HOST, metricsPort: env.METRICS_PORT });
  const starting = startWorker(settings, log, stopping.signal);

  onShutdown(async () => {
    log.info('draining');
    stopping.abort();
    const worker = await starting.catch(() => null);
    await worker?.stop();
    await telemetry.close();
    log.info('stopped');
  });

  try {
    const { finished } = await starting;
    await finished;
  } catch (err) {
    if (stopping.signal.aborted) return;
    log.fatal({ err }, 'the worker has failed');
    process.exit(1);
  }
}

function settingsFrom(env: Env): WorkerSettings {
  const { connectionOptions, namespace = 'default' } = temporalConnectConfig(env);
  return {
    databaseUrl: databaseUrl(env),
    smtpUrl: env.SMTP_URL,
    mailFrom: env.MAIL_FROM,
    supportAddress: env.SUPPORT_ADDRESS,
    connectionOptions,
    namespace,
    deploymentVersion: deploymentVersion(env),
    taskQueues: { processes: 'crm', bulk: 'crm-bulk' },
  };
}

await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof InvalidEnvironment ? error.message : String(error)}\n`);
  process.exit(1);
});
