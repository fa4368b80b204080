import { createServer } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import { Client, Connection } from '@temporalio/client';
import { createLocalJWKSet, createRemoteJWKSet } from 'jose';
import { openDatabase, pingDatabase } from '../db/database.ts';
import { createRecordsService } from '../db/records.ts';
import { databaseUrl, type Env, InvalidEnvironment, loadEnv, temporalConnectConfig } from '../runtime/env.ts';
import { loadOrCreateSigningKey, publicJwks } from '../runtime/keys.ts';
import { onShutdown } from '../runtime/lifecycle.ts';
import { createLogger } from '../runtime/logger.ts';
import { channelArgsFor } from '../runtime/temporal-channel.ts';
import { meter, metricsContentType, metricsText } from '../runtime/telemetry.ts';
import { createApp } from './app.ts';
import { createMailReader } from './mail/reader.ts';
import { createDelivery } from './processes/delivery.ts';
import { createReadiness, temporalCheck, workerCheck } from './readiness.ts';

const taskQueue = 'crm';
const answerWithinMilliseconds = 5_000;
const poolSize = 20;
// One question before an organisation is known: whose address a mail went to.
const relayPoolSize = 1;
// Filters travel in the query: a hundred identifiers take 4 KB.
const maxHeaderSize = 64 * 1024;

/** Composes the API from the environment, listens on HOST:PORT, and drains when asked to stop. */
async function main(): Promise<void> {
  const env = loadEnv();
  const log = createLogger('api', env.LOG_LEVEL);
  const database = await openDatabase({ url: databaseUrl(env), role: 'crm_app', size: poolSize });
  const relay = await openDatabase({ url: databaseUrl(env), role: 'crm_relay', size: relayPoolSize });
  const { connectionOptions, namespace = 'default' } = temporalConnectConfig(env);
  const connection = Connection.lazy({
    ...connectionOptions,
    channelArgs: channelArgsFor(connectionOptions.address),
  });
  const client = new Client({ connection, namespace });
  const { keys, jwks } = await tokenKeys(env);
  const mailReader = createMailReader();

  const app = createApp({
    records: createRecordsService(database),
    database,
    client,
    deliver: createDelivery({ client, database, taskQueue, waitMilliseconds: answerWithinMilliseconds }),
    tokens: { keys, issuer: env.JWT_ISSUER, audience: env.JWT_AUDIENCE },
    rateLimit: { perSecond: env.RATE_LIMIT_PER_SECOND, burst: env.RATE_LIMIT_BURST },
    system: {
      readiness: createReadiness({
        database: () => pingDatabase(database),
        temporal: temporalCheck(connection, namespace),
        worker: workerCheck(connection, namespace, taskQueue),
      }),
      metricsText,
      metricsContentType,
      jwks,
    },
    inboundMail: { secret: env.MAIL_WEBHOOK_SECRET, supportAddress: env.SUPPORT_ADDRESS, relay, reader: mailReader },
    meter,
    log,
  });

  const server = createAdaptorServer({ fetch: app.fetch, createServer, serverOptions: { maxHeaderSize } });
  server.once('error', (error) => fail(`The API cannot listen on ${env.HOST}:${env.PORT}: ${error.message}`));
  server.listen(env.PORT, env.HOST, () => log.info({ host: env.HOST, port: env.PORT }, 'listening'));

  onShutdown(async () => {
    log.info('draining');
    await new Promise<void>((closed) => server.close(() => closed()));
    await app.drained();
    await Promise.all([database.close(), relay.close(), mailReader.close()]);
    // The connection to Temporal ends with the process: closed under a call that is waiting to be retried, it would throw.
    log.info('stopped');
  });
}

/** The identity provider's keys when there is one, else the installation's own, which it then publishes. */
async function tokenKeys({ JWKS_URL, DATA_DIR }: Env) {
  if (JWKS_URL) return { keys: createRemoteJWKSet(new URL(JWKS_URL)) };
  const jwks = publicJwks(await loadOrCreateSigningKey(DATA_DIR));
  return { keys: createLocalJWKSet(jwks), jwks };
}

function fail(message: string): void {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

await main().catch((error: unknown) => {
  if (!(error instanceof InvalidEnvironment)) throw error;
  fail(error.message);
});
