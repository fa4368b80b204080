import { createServer } from 'node:http';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { Logger } from 'pino';
import { anyFreePort } from './ports.ts';
import { metricsContentType, metricsText } from './telemetry.ts';

/** The metrics endpoint of a worker process. */
export type WorkerTelemetry = { close: () => Promise<void> };

/**
 * Prepares Temporal's Runtime, before anything else of `@temporalio/worker` is used: its log lines go to `logger`, it leaves
 * signals to `onShutdown`, and with `metricsPort` GET /metrics on `host` answers with the `crm_*` metrics of this process
 * and those of Temporal's SDK.
 */
export async function startWorkerTelemetry(options: {
  logger: Logger;
  host: string;
  metricsPort?: number | undefined;
}): Promise<WorkerTelemetry> {
  const { logger, host, metricsPort } = options;
  const sdkAddress = metricsPort === undefined ? undefined : `127.0.0.1:${await anyFreePort()}`;
  Runtime.install({
    shutdownSignals: [],
    logger: new DefaultLogger('INFO', ({ level, message, meta }) => {
      const method = level === 'WARN' ? 'warn' : level === 'ERROR' ? 'error' : level === 'INFO' ? 'info' : 'debug';
      logger[method](meta ?? {}, message);
    }),
    telemetryOptions: {
      logging: { forward: {}, filter: 'WARN' },
      ...(sdkAddress ? { metrics: { prometheus: { bindAddress: sdkAddress } } } : {}),
    },
  });
  if (metricsPort === undefined || !sdkAddress) return { close: () => Promise.resolve() };

  const server = createServer((_request, response) => {
    Promise.all([metricsText(), fetch(`http://${sdkAddress}/metrics`).then((answer) => answer.text())]).then(
      (texts) => response.writeHead(200, { 'content-type': metricsContentType }).end(texts.join('\n')),
      () => response.writeHead(503).end('The metrics cannot be read.\n'),
    );
  });
  await new Promise<void>((settle, refuse) => {
    server.once('error', refuse);
    server.listen(metricsPort, host, () => settle());
  });
  return {
    close: () =>
      new Promise((settle) => {
        server.close(() => settle());
        server.closeAllConnections();
      }),
  };
}
