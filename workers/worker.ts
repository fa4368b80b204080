import { Client, Connection } from '@temporalio/client';
import type { WorkerDeploymentVersion } from '@temporalio/common';
import {
  NativeConnection,
  type NativeConnectionOptions,
  Worker,
  type WorkerDeploymentOptions,
  type WorkerOptions,
} from '@temporalio/worker';
import type { Logger } from 'pino';
import { createActivities } from '../activities/index.ts';
import { createMail } from '../activities/mail.ts';
import { createMailExchange } from '../activities/mail-exchange.ts';
import { createDelivery } from '../api/processes/delivery.ts';
import { type DatabaseRole, openDatabase } from '../db/database.ts';
import { channelArgsFor } from '../runtime/temporal-channel.ts';
import { untilItWorks } from './patience.ts';
import { startRelay } from './relay.ts';
import { registerSearchAttributes } from './search-attributes.ts';
import { payloadConverterPath, workflowBundle } from './workflow-bundle.ts';

export interface WorkerSettings {
  databaseUrl: string;
  /** Undefined: no mail is sent. */
  smtpUrl: string | undefined;
  mailFrom: string;
  /** Template of the support addresses: where answers to replies on tickets go. */
  supportAddress: string;
  connectionOptions: NativeConnectionOptions;
  namespace: string;
  /** Undefined: Temporal does not tell this release's workers from others'. */
  deploymentVersion: WorkerDeploymentVersion | undefined;
  /** Queue of the processes, and that of long fan-outs. */
  taskQueues: { processes: string; bulk: string };
}

/** A worker with its relay. */
export interface RunningWorker {
  /** Rejects when a worker fails for good; resolves once stopped. */
  finished: Promise<void>;
  /** Takes on nothing new, lets what runs end (activities for 5 s), closes every connection. */
  stop(): Promise<void>;
}

const poolSizes: Readonly<Record<DatabaseRole, number>> = { crm_app: 20, crm_relay: 8 };
const outcomeWithinMilliseconds = 5_000;
const autoscaling = { type: 'autoscaling' } as const;

/**
 * Starts one Temporal worker for each task queue, and the relay. Waits for PostgreSQL and Temporal, however long;
 * `signal` ends the waiting.
 */
export async function startWorker(settings: WorkerSettings, log: Logger, signal: AbortSignal): Promise<RunningWorker> {
  const closing: (() => Promise<void> | void)[] = [];
  const closeAll = async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  };
  const patience = { log, signal };

  async function open(role: DatabaseRole) {
    const database = await openDatabase({ url: settings.databaseUrl, role, size: poolSizes[role] });
    closing.push(() => database.close());
    await untilItWorks('PostgreSQL', () => database.orm.em.fork().execute('select 1'), patience);
    return database;
  }

  async function connectTemporal() {
    const { connectionOptions, namespace } = settings;
    const native = await untilItWorks('Temporal', () => NativeConnection.connect(connectionOptions), patience);
    closing.push(() => native.close());
    // The relay's own connection: its calls end at a deadline, and it finds a lost server again within a second.
    const channelArgs = channelArgsFor(connectionOptions.address);
    const connection = Connection.lazy({ ...connectionOptions, channelArgs });
    closing.push(() => connection.close());
    await untilItWorks('Temporal', () => registerSearchAttributes(connection, namespace, log), patience);
    return { native, client: new Client({ connection, namespace }) };
  }

  try {
    const { smtpUrl, mailFrom, supportAddress, namespace, deploymentVersion, taskQueues } = settings;
    const bundle = workflowBundle();
    const database = await open('crm_app');
    const relay = await open('crm_relay');
    const { native, client } = await connectTemporal();
    const mail = smtpUrl === undefined ? null : createMail({ url: smtpUrl, from: mailFrom, supportAddress });
    if (mail) closing.push(() => mail.close());
    else log.warn('SMTP_URL is not set: notifications are read in the product alone, no mail is sent');

    const options: Omit<WorkerOptions, 'taskQueue'> = {
      connection: native,
      namespace,
      workflowBundle: await bundle,
      activities: createActivities({
        database,
        relay,
        temporal: client,
        mail,
        mailExchange: createMailExchange(),
        taskQueues,
      }),
      ...(deploymentVersion && { workerDeploymentOptions: versionedAs(deploymentVersion) }),
      dataConverter: { payloadConverterPath },
      shutdownGraceTime: '5s',
      workflowTaskPollerBehavior: autoscaling,
      activityTaskPollerBehavior: autoscaling,
    };
    const workers = await Promise.all(
      Object.values(taskQueues).map((taskQueue) => Worker.create({ ...options, taskQueue })),
    );
    const deliver = createDelivery({
      client,
      database,
      taskQueue: taskQueues.processes,
      waitMilliseconds: outcomeWithinMilliseconds,
    });
    const running = startRelay({ relay, deliver, temporal: client, taskQueue: taskQueues.processes, log });
    const finished = Promise.all(workers.map((worker) => worker.run())).then(() => undefined);
    log.info({ namespace, taskQueues, deploymentVersion }, 'working');

    return {
      finished,
      async stop() {
        // The relay may await an outcome that these workers bring about.
        await running.stop();
        for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
        await finished.catch(() => undefined);
        await closeAll();
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/**
 * Every type of workflow moves on to the version that is made current. A lead or a ticket outlives any release, and one
 * pinned to a version would need its workers for months; a delivery or a fan-out is short, but one whose workers have
 * gone would wait for ever. What a release must carry on is in the recorded histories, which every test run replays.
 */
function versionedAs(version: WorkerDeploymentVersion): WorkerDeploymentOptions {
  return { version, useWorkerVersioning: true, defaultVersioningBehavior: 'AUTO_UPGRADE' };
}
