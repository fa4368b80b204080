import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { createActivities } from '../../activities/index.ts';
import { createDelivery } from '../../api/processes/delivery.ts';
import { type Database, openDatabase } from '../../db/database.ts';
import { exampleId } from '../../db/model/example-ids.ts';
import { loadDemo } from '../../runtime/demo.ts';
import { createOwedCommandsRound } from '../../workers/owed-commands.ts';
import { registerSearchAttributes } from '../../workers/search-attributes.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { suffix } from '../support/factories.ts';
import { eventually, sharedTemporal, testWorker, type TestWorker } from '../support/temporal.ts';
import { silent, testApi, type TestApi } from './support.ts';

type Json = Record<string, unknown>;

interface Operation {
  method: string;
  path: string;
  example: Json;
}

const taskQueue = `examples-${suffix()}`;
let stored: TestDatabase;
let database: Database;
let relay: Database;
let connection: Connection;
let worker: TestWorker;
let api: TestApi;
let operations: Operation[];

beforeAll(async () => {
  const temporal = await sharedTemporal();
  stored = await testDatabase();
  await loadDemo(stored.url);
  database = await openDatabase({ url: stored.url, role: 'crm_app', size: 6 });
  relay = await openDatabase({ url: stored.url, role: 'crm_relay', size: 2 });
  connection = await Connection.connect({ address: temporal.address });
  await registerSearchAttributes(connection, 'default', silent);
  const client = new Client({ connection });
  const deliver = createDelivery({ client, database, taskQueue, waitMilliseconds: 20_000 });
  api = await testApi(stored.url, { deliver, client });
  const mailExchange = { lookup: () => Promise.resolve('unknown' as const) };
  const taskQueues = { processes: taskQueue, bulk: taskQueue };
  const deps = { database, relay, temporal: client, mail: null, mailExchange, taskQueues };
  worker = await testWorker(temporal, createActivities(deps), { taskQueue });
  const deliverOwed = createOwedCommandsRound({ relay, deliver, log: silent });
  await eventually('the demo has what came in', async () => (await deliverOwed()) === 'none');
  operations = await documented();
}, 240_000);
afterAll(async () => {
  await worker?.close();
  await api?.close();
  await connection?.close();
  await Promise.all([database?.close(), relay?.close()]);
  await stored?.close();
});

/** The operations that take JSON of callers, in the document's order. */
async function documented(): Promise<Operation[]> {
  const document = (await (await api.app.request('/openapi.json')).json()) as {
    paths: Record<string, Record<string, { requestBody?: { content: Record<string, { example: Json }> } }>>;
  };
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { requestBody }]) => {
      const body = requestBody?.content['application/json'];
      return body ? [{ method: method.toUpperCase(), path, example: body.example }] : [];
    }),
  );
}

async function send(method: string, path: string, body?: unknown): Promise<{ status: number; body: Json }> {
  const caller = { organizationId: exampleId('Organization'), userId: exampleId('User') };
  const headers: Record<string, string> = method === 'PUT' || method === 'PATCH' ? { 'if-match': '*' } : {};
  const response = await api.send(method, path, { ...caller, body, headers });
  return { status: response.status, body: (await response.json()) as Json };
}

/** What was answered instead of a success, of the request or of a row of it. */
async function refusal(operation: Operation, path = operation.path): Promise<unknown[]> {
  const { method, example } = operation;
  const { status, body } = await send(method, path, example);
  const outcomes = (body['outcomes'] ?? []) as { status: number }[];
  const isDone = [status, ...outcomes.map((outcome) => outcome.status)].every((each) => each < 300);
  return isDone ? [] : [`${method} ${operation.path} ${JSON.stringify(example)}: ${JSON.stringify(body)}`];
}

const collectionOf = (path: string): string => path.slice(0, path.indexOf('/{id}'));
const exampleAt = (path: string) => operations.find((each) => each.method === 'POST' && each.path === path)?.example;

/** A new record to try a command on; of people who have asked before, an open lead would take up another. */
async function newRecord(collection: string): Promise<string> {
  const person = { fullName: `Somebody ${suffix()}`, email: `${suffix()}@example.com`, phone: undefined };
  const own = collection.endsWith('/leads') ? person : {};
  const { status, body } = await send('POST', collection, { ...exampleAt(collection), ...own });
  expect([collection, status]).toEqual([collection, 201]);
  return String(body['id']);
}

/** The command that has to come before another. */
const earlier: Readonly<Record<string, string>> = {
  '/crm/v1/leads/{id}/unmerge': '/crm/v1/leads/{id}/merge',
  '/crm/v1/tickets/{id}/reopen': '/crm/v1/tickets/{id}/resolve',
  '/crm/v1/articles/{id}/unpublish': '/crm/v1/articles/{id}/publish',
};

it('can be sent as they are, where no record is named in the path', async () => {
  const refused: unknown[] = [];
  for (const operation of operations.filter(({ path }) => !path.includes('{id}')))
    refused.push(...(await refusal(operation)));
  expect(refused).toEqual([]);
}, 120_000);

it('can be sent to a record of their kind: changes to the newest, commands to a new one', async () => {
  const refused: unknown[] = [];
  for (const operation of operations.filter(({ path }) => path.includes('{id}'))) {
    const { method, path } = operation;
    const collection = collectionOf(path);
    const newest = async () => ((await send('GET', `${collection}?limit=1`)).body['data'] as { id: string }[])[0]?.id;
    const hasNew = method === 'POST' && ['leads', 'tickets'].some((name) => collection.endsWith(`/${name}`));
    const id = hasNew ? await newRecord(collection) : await newest();
    const at = (template: string) => template.replace('{id}', String(id));
    const before = earlier[path];
    if (before && hasNew) await send('POST', at(before), exampleAt(before));
    refused.push(...(await refusal(operation, at(path))));
  }
  expect(refused).toEqual([]);
}, 240_000);
