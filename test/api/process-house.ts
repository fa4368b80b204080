import { Client, Connection } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { createActivities } from '../../activities/index.ts';
import { createDelivery, type Deliver } from '../../api/processes/delivery.ts';
import { acrossOrganizations, type Database, openDatabase } from '../../db/database.ts';
import { createOwedCommandsRound } from '../../workers/owed-commands.ts';
import { registerSearchAttributes } from '../../workers/search-attributes.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { suffix } from '../support/factories.ts';
import { sharedTemporal, testWorker, type TestWorker } from '../support/temporal.ts';
import { silent, testApi, type TestApi } from './support.ts';

/** An API with processes behind it: PostgreSQL, Temporal, and a worker that can be stopped. */
export interface ProcessHouse {
  taskQueue: string;
  stored: TestDatabase;
  database: Database;
  relay: Database;
  client: Client;
  /** For further workers. */
  nativeConnection: TestWorkflowEnvironment['nativeConnection'];
  deliver: Deliver;
  api: TestApi;
  /** One round of the relay over the commands that are owed. */
  relayOwed(): Promise<unknown>;
  /** Lets the leases of all commands of a record (or of all in an organisation) run out. */
  endLeases(of: { recordId: string } | { organizationId: string }): Promise<void>;
  startWorker(): Promise<void>;
  stopWorker(): Promise<void>;
  close(): Promise<void>;
}

/** Opens it, its worker running; the API answers 202 after `waitMilliseconds`. */
export async function openProcessHouse({ waitMilliseconds }: { waitMilliseconds: number }): Promise<ProcessHouse> {
  const taskQueue = `api-${suffix()}`;
  const temporal = await sharedTemporal();
  const stored = await testDatabase();
  const database = await openDatabase({ url: stored.url, role: 'crm_app', size: 6 });
  const relay = await openDatabase({ url: stored.url, role: 'crm_relay', size: 2 });
  const connection = await Connection.connect({ address: temporal.address });
  await registerSearchAttributes(connection, 'default', silent);
  const client = new Client({ connection });
  const deliver = createDelivery({ client, database, taskQueue, waitMilliseconds });
  const api = await testApi(stored.url, { deliver, client });
  let worker: TestWorker | undefined;

  async function startWorker(): Promise<void> {
    const mailExchange = { lookup: () => Promise.resolve('unknown' as const) };
    const taskQueues = { processes: taskQueue, bulk: taskQueue };
    const activities = createActivities({ database, relay, temporal: client, mail: null, mailExchange, taskQueues });
    worker = await testWorker(temporal, activities, { taskQueue });
  }
  async function stopWorker(): Promise<void> {
    await worker?.close();
    worker = undefined;
  }

  await startWorker();
  return {
    taskQueue,
    stored,
    database,
    relay,
    client,
    nativeConnection: temporal.nativeConnection,
    deliver,
    api,
    startWorker,
    stopWorker,
    relayOwed: createOwedCommandsRound({ relay, deliver, log: silent }),
    async endLeases(of) {
      const [column, id] = 'recordId' in of ? ['record_id', of.recordId] : ['organization_id', of.organizationId];
      await acrossOrganizations(relay, (em) =>
        em.execute(`update crm_core.crm_commands set lease_until = now() where state = 'received' and ${column} = ?`, [
          id,
        ]),
      );
    },
    async close() {
      await stopWorker();
      await api.close();
      await connection.close();
      await Promise.all([database.close(), relay.close()]);
      await stored.close();
      await temporal.teardown();
    },
  };
}
