import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import pino from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { readAnswer } from '../../db/automation/answers.queries.ts';
import { receiveCommand } from '../../db/automation/ledger.queries.ts';
import { acrossOrganizations, type Database, openDatabase } from '../../db/database.ts';
import { anyFreePort } from '../../runtime/ports.ts';
import { registerSearchAttributes } from '../../workers/search-attributes.ts';
import { startWorker, type WorkerSettings } from '../../workers/worker.ts';
import { captureBody } from '../../workflows/leads/capture.ts';
import { normaliseIntake } from '../../workflows/leads/normalisation.ts';
import { startSmtp, type TestSmtp } from '../activities/smtp.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import {
  adminOf,
  makeAssignmentRule,
  makeOrganization,
  makeScoringModel,
  makeTeam,
  makeUser,
  type TestOrganization,
  writeAs,
} from '../support/factories.ts';
import { addressOf } from '../support/servers.ts';
import { eventually, sharedTemporal } from '../support/temporal.ts';

const root = join(import.meta.dirname, '..', '..');
let owner: TestDatabase;
let database: Database;
let relay: Database;
let environment: TestWorkflowEnvironment;
let address: string;
let smtp: TestSmtp;
let settings: WorkerSettings;

beforeAll(async () => {
  [owner, environment, address, smtp] = await Promise.all([
    testDatabase(),
    sharedTemporal(),
    addressOf('temporal'),
    startSmtp(),
  ]);
  database = await openDatabase({ url: owner.url, role: 'crm_app' });
  relay = await openDatabase({ url: owner.url, role: 'crm_relay' });
  settings = {
    databaseUrl: owner.url,
    smtpUrl: smtp.url,
    mailFrom: 'crm@example.org',
    supportAddress: 'support@{organization}.example',
    connectionOptions: { address },
    namespace: 'default',
    deploymentVersion: undefined,
    taskQueues: { processes: `test-${uuidv7()}`, bulk: `test-${uuidv7()}` },
  };
});
afterAll(async () => {
  await Promise.all([database?.close(), relay?.close(), smtp?.close(), environment?.teardown()]);
  await owner?.close();
});

/** A log that a test can read: one object for each line. */
function listeningLog() {
  const lines: { level: number; msg: string; [key: string]: unknown }[] = [];
  return { lines, log: pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) }) };
}

const silent = pino({ level: 'silent' });

/** A capture that an API has stored before it died. */
async function makeOwedCapture(org: TestOrganization): Promise<{ commandId: string; leadId: string }> {
  const body = captureBody.parse({ fullName: 'Ada Lovelace', email: `ada-${uuidv7()}@example.com`, source: 'website' });
  const { intake, steps } = normaliseIntake(body, { defaultRegion: 'DE' });
  const [commandId, leadId] = [uuidv7(), uuidv7()];
  await receiveCommand(database, writeAs(adminOf(org)), {
    commandId,
    process: 'lead',
    message: 'captured',
    recordId: leadId,
    body: { intake, steps },
  });
  await acrossOrganizations(relay, (em) =>
    em.execute('update crm_core.crm_commands set lease_until = now() where command_id = ?', [commandId]),
  );
  return { commandId, leadId };
}

describe('a worker', () => {
  it('carries a capture whose API has died to its assignment and the mail to the assignee, then drains', async () => {
    const org = await makeOrganization(database);
    const user = await makeUser(org);
    await makeScoringModel(org);
    await makeAssignmentRule(org, await makeTeam(org, [user]));
    const { commandId, leadId } = await makeOwedCapture(org);
    const worker = await startWorker(settings, silent, new AbortController().signal);
    try {
      await eventually(
        'the capture is answered',
        async () => (await readAnswer(database, org.id, commandId)) !== null,
        { seconds: 30 },
      );
      expect(await readAnswer(database, org.id, commandId)).toMatchObject({
        status: 201,
        body: { id: leadId, stage: 'assigned', assignedUserId: user.id },
      });
      await eventually('the mail is there', () => smtp.mails.length > 0);
      expect(smtp.mails[0]?.to).toMatchObject([{ address: user['email'] }]);
      const { searchAttributes, status } = await environment.client.workflow.getHandle(`lead:${leadId}`).describe();
      expect({ status: status.name, stage: searchAttributes['CrmStage'] }).toEqual({
        status: 'RUNNING',
        stage: ['assigned'],
      });
      const undelivered = () =>
        acrossOrganizations(relay, (em) =>
          em.execute<unknown[]>('select 1 from crm_core.crm_outbox where delivered_at is null'),
        );
      await eventually('every event is delivered', async () => (await undelivered()).length === 0);
    } finally {
      await worker.stop();
      await environment.client.workflow.getHandle(`lead:${leadId}`).terminate();
    }
    await worker.finished;
  });

  it('waits for servers that are not there yet, says so, and can be stopped meanwhile', async () => {
    for (const missing of [
      { databaseUrl: `postgres://nobody@127.0.0.1:${await anyFreePort()}/none` },
      { connectionOptions: { address: `127.0.0.1:${await anyFreePort()}` } },
    ]) {
      const { lines, log } = listeningLog();
      const stopping = new AbortController();
      const started = startWorker({ ...settings, ...missing }, log, stopping.signal);
      const ended = expect(started).rejects.toThrow(/abort/i);
      const waits = () => lines.filter(({ msg }) => msg.includes('is not there yet')).length;
      await eventually('it says so', () => waits() > 0);
      expect(waits()).toBe(1);
      stopping.abort();
      await ended;
    }
  });
});

describe('search attributes', () => {
  it('are registered where they are missing; one of another type is named in the log', async () => {
    const namespace = `test-${uuidv7()}`;
    const { workflowService, operatorService } = environment.connection;
    await workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
    });
    const { INDEXED_VALUE_TYPE_TEXT: wrong, INDEXED_VALUE_TYPE_DATETIME: datetime } =
      proto.temporal.api.enums.v1.IndexedValueType;
    await eventually(
      'the namespace is known',
      () =>
        operatorService.addSearchAttributes({ namespace, searchAttributes: { CrmStage: wrong } }).then(
          () => true,
          () => false,
        ),
      { seconds: 30 },
    );
    const { lines, log } = listeningLog();
    const connection = await Connection.connect({ address });
    await registerSearchAttributes(connection, namespace, log);
    await registerSearchAttributes(connection, namespace, log);
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    expect(customAttributes).toMatchObject({ CrmDueAt: datetime, CrmStage: wrong });
    expect(lines.map(({ level, attribute }) => [level, attribute])).toEqual([
      [50, 'CrmStage'],
      [30, undefined],
      [50, 'CrmStage'],
    ]);
    await connection.close();
  });

  it('are left to the operators where a worker may not register them', async () => {
    const denied = Object.assign(new Error('7 PERMISSION_DENIED: not you'), {
      code: 7,
      details: 'not you',
      metadata: {},
    });
    const operatorService = {
      listSearchAttributes: () => Promise.reject(denied),
    } as unknown as Connection['operatorService'];
    const { lines, log } = listeningLog();
    await registerSearchAttributes({ operatorService }, 'default', log);
    expect(lines).toMatchObject([{ level: 40, attributes: expect.arrayContaining(['CrmDueAt (DATETIME)']) }]);
  });

  it('are tried again later while Temporal is away', async () => {
    const away = Object.assign(new Error('14 UNAVAILABLE: gone'), { code: 14, details: 'gone', metadata: {} });
    const operatorService = {
      listSearchAttributes: () => Promise.reject(away),
    } as unknown as Connection['operatorService'];
    const { lines, log } = listeningLog();
    await expect(registerSearchAttributes({ operatorService }, 'default', log)).rejects.toBe(away);
    expect(lines).toEqual([]);
  });
});

describe('the worker process', () => {
  const start = (variables: Record<string, string>) =>
    spawn(process.execPath, [join(root, 'workers', 'main.ts')], {
      cwd: root,
      env: { PATH: process.env['PATH'], ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    });

  it('serves its metrics, and drains when asked to stop', async () => {
    const metricsPort = await anyFreePort();
    const worker = start({
      DATABASE_URL: owner.url,
      TEMPORAL_ADDRESS: address,
      // Waits for this namespace for ever: it must not take work from the queues of other tests.
      TEMPORAL_NAMESPACE: `test-${uuidv7()}`,
      METRICS_PORT: String(metricsPort),
    });
    const output = text(worker.stdout);
    const exited = once(worker, 'exit');
    const metrics = () => fetch(`http://127.0.0.1:${metricsPort}/metrics`);
    await eventually(
      'the metrics are served',
      () =>
        metrics().then(
          ({ ok }) => ok,
          () => false,
        ),
      { seconds: 30 },
    );
    worker.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(await output).toContain('"msg":"stopped"');
  });

  it('names what is missing in its environment', async () => {
    const worker = start({ LOG_LEVEL: 'loud' });
    const [said, [status]] = await Promise.all([text(worker.stderr), once(worker, 'exit')]);
    expect(said).toContain('LOG_LEVEL: must be one of');
    expect(status).toBe(1);
  });
});
