import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { Client as PgClient } from 'pg';
import { createActivities } from '../../activities/index.ts';
import { createDelivery } from '../../api/processes/delivery.ts';
import { rowChecks, runCheck } from '../../db/automation/audit.queries.ts';
import { type Database, openDatabase } from '../../db/database.ts';
import { findDestination } from '../../cli/capture/destination.ts';
import { checkoutRoot, parseEnv } from '../../runtime/env.ts';
import { registerSearchAttributes } from '../../workers/search-attributes.ts';
import { roles } from '../../workflows/access/permissions.ts';
import { silent, testApi, type TestApi } from '../api/support.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { suffix } from '../support/factories.ts';
import { makeRunFolder } from '../support/run-folder.ts';
import { sharedTemporal, testWorker, type TestWorker } from '../support/temporal.ts';

interface Made {
  created: boolean;
  organizationId: string;
  slug: string;
  administratorId: string;
}

const folder = makeRunFolder(`organization-${suffix()}`);
let stored: TestDatabase;

/** Runs `crm …` on the database of this test. */
function crm(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const env = { PATH: process.env['PATH'], DATABASE_URL: stored.url, DATA_DIR: folder.path };
  return new Promise((resolve) => {
    execFile(process.execPath, [join(checkoutRoot, 'cli', 'main.ts'), ...args], { env }, (error, out, err) => {
      resolve({ code: error ? Number(error.code) : 0, out, err });
    });
  });
}

const create = (options: Readonly<Record<string, string>>) =>
  crm('organization', 'create', '--json', ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]));

const initech = {
  slug: 'initech',
  name: 'Initech AG',
  'admin-name': 'Petra Gibbons',
  'admin-email': 'Petra@initech.example',
};

beforeAll(async () => {
  stored = await testDatabase();
});
afterAll(async () => {
  await stored?.close();
  folder.remove();
});

describe('crm organization create', () => {
  let made: Made;

  it('is what `crm token` asks for on an empty database', async () => {
    const { code, err } = await crm('token', '--role', 'manager');
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining('crm organization create --slug acme') });
  });

  it('makes one, and says who administers it', async () => {
    const { code, out, err } = await create(initech);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    made = JSON.parse(out) as Made;
    expect(made).toEqual({
      created: true,
      slug: 'initech',
      organizationId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      administratorId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    const token = await crm('token', '--role', 'admin', '--org', 'initech', '--json');
    expect(JSON.parse(token.out)).toMatchObject({ userId: made.administratorId, email: 'petra@initech.example' });
  });

  it('has its administrator to send a file of leads, and says who else there is', async () => {
    const { code, err } = await crm('token', '--role', 'manager', '--org', 'initech');
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringContaining('nobody has the role `manager`; --role may be `admin`'),
    });
    const of = (user: string) => crm('token', '--role', 'support', '--org', 'initech', '--user', user);
    expect((await of('petra@initech.example')).err).toContain('has not the role `support` but `admin`');
    expect((await of('nobody@initech.example')).err).toContain('is not there');
    const variables = { DATABASE_URL: stored.url, DATA_DIR: folder.path };
    Object.assign(process.env, variables);
    const place = { url: 'http://127.0.0.1:1', org: 'initech' };
    const destination = await findDestination(parseEnv(variables), place).finally(() => {
      for (const name of Object.keys(variables)) delete process.env[name];
    });
    expect(destination.token).toMatch(/^ey/);
  });

  it('changes nothing when it is run again', async () => {
    const { code, out } = await create(initech);
    expect({ code, made: JSON.parse(out) as Made }).toEqual({ code: 0, made: { ...made, created: false } });
  });

  it.each([
    ['a slug that somebody else has', { ...initech, 'admin-email': 'b@x.example' }, /`initech` exists already/],
    ['a slug that fits no address', { ...initech, slug: 'Two Words' }, /slug: .*lower-case/],
    ['a mail address that is none', { ...initech, slug: 'b', 'admin-email': 'petra' }, /email: is not a mail address/],
    ['an empty name', { ...initech, slug: 'c', name: ' ' }, /name: /],
    ['a time zone that nobody knows', { ...initech, slug: 'd', 'time-zone': 'Mars' }, /timeZone: is not the name/],
    ['a region that is none', { ...initech, slug: 'e', region: 'Germany' }, /defaultRegion: is not a country code/],
  ])('refuses %s, and leaves nothing behind', async (_what, options, message) => {
    const { code, out, err } = await create(options);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect((JSON.parse(err) as { error: string }).error).toMatch(message);
    const client = new PgClient({ connectionString: stored.url });
    await client.connect();
    const { rows } = await client.query<{ slug: string }>('select slug from crm_core.core_organizations');
    const { rows: owners } = await client.query('select distinct organization_id from crm_core.crm_commands');
    await client.end();
    expect({ rows, owners: owners.length }).toEqual({ rows: [{ slug: 'initech' }], owners: 1 });
  });

  describe('an organisation so made', () => {
    const taskQueue = `organization-${suffix()}`;
    let database: Database;
    let relay: Database;
    let connection: Connection;
    let worker: TestWorker;
    let api: TestApi;
    let send: (
      method: string,
      path: string,
      body?: unknown,
    ) => Promise<{ status: number; body: Record<string, unknown> }>;

    beforeAll(async () => {
      const temporal = await sharedTemporal();
      database = await openDatabase({ url: stored.url, role: 'crm_app', size: 4 });
      relay = await openDatabase({ url: stored.url, role: 'crm_relay', size: 2 });
      connection = await Connection.connect({ address: temporal.address });
      await registerSearchAttributes(connection, 'default', silent);
      const client = new Client({ connection });
      api = await testApi(stored.url, {
        client,
        deliver: createDelivery({ client, database, taskQueue, waitMilliseconds: 20_000 }),
      });
      const mailExchange = { lookup: () => Promise.resolve('unknown' as const) };
      const taskQueues = { processes: taskQueue, bulk: taskQueue };
      const deps = { database, relay, temporal: client, mail: null, mailExchange, taskQueues };
      worker = await testWorker(temporal, createActivities(deps), { taskQueue });
      const { organizationId, administratorId: userId } = made;
      send = async (method, path, body) => {
        const response = await api.send(method, path, { organizationId, userId, body });
        return { status: response.status, body: (await response.json()) as Record<string, unknown> };
      };
    }, 120_000);
    afterAll(async () => {
      await worker?.close();
      await api?.close();
      await connection?.close();
      await Promise.all([database?.close(), relay?.close()]);
    });

    it('gives a captured lead to its administrator, scored, with a ladder', async () => {
      const capture = { fullName: 'Ada Lovelace', email: 'ada@example.com', phone: '030 901820' };
      const { status, body } = await send('POST', '/v1/leads/capture', capture);
      expect({ answered: status, ...body }).toMatchObject({
        answered: 201,
        stage: 'assigned',
        assignedUserId: made.administratorId,
        phone: '+4930901820',
        band: expect.any(String),
        nextDueAt: expect.any(String),
      });
      expect(body['score']).toBeGreaterThan(0);
    });

    it('gives a ticket to its administrator, with clocks', async () => {
      const ticket = { subject: 'Where is my invoice?', requester: { email: 'ada@example.com' } };
      const { status, body } = await send('POST', '/crm/v1/tickets', ticket);
      expect({ answered: status, ...body }).toMatchObject({
        answered: 201,
        stage: 'assigned',
        assignedUserId: made.administratorId,
        sla: 'on_track',
      });
    });

    it('has every role with its permissions, and every module switched on', async () => {
      const known = await send('GET', '/crm/v1/roles?limit=200');
      expect((known.body['data'] as { name: string }[]).map(({ name }) => name).toSorted()).toEqual(
        [...roles].toSorted(),
      );
      const flags = await send('GET', '/crm/v1/feature-flags?limit=200');
      expect((flags.body['data'] as object[]).length).toBeGreaterThan(5);
    });

    it('passes the audit of its rows', async () => {
      const client = new PgClient({ connectionString: stored.url, options: '-c role=crm_relay' });
      await client.connect();
      const outcomes = [];
      for (const check of rowChecks) outcomes.push(await runCheck(client, check));
      await client.end();
      expect(outcomes.filter(({ count }) => count > 0)).toEqual([]);
    });
  });
});
