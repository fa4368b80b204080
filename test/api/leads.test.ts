import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import pino from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { createActivities } from '../../activities/index.ts';
import { createDelivery, type Deliver } from '../../api/processes/delivery.ts';
import type { StoredCommand } from '../../db/automation/ledger.queries.ts';
import { acrossOrganizations, type Database, inOrganization, openDatabase } from '../../db/database.ts';
import { createOutboxRound } from '../../workers/outbox.ts';
import { createOwedCommandsRound } from '../../workers/owed-commands.ts';
import { registerSearchAttributes } from '../../workers/search-attributes.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import {
  type Made,
  makeAssignmentRule,
  makeOrganization,
  makeScoringModel,
  makeTeam,
  makeUser,
  suffix,
  type TestOrganization,
} from '../support/factories.ts';
import { eventually, sharedTemporal, testWorker, type TestWorker } from '../support/temporal.ts';
import { problemOf, silent, testApi, token, type TestApi } from './support.ts';

interface LeadJson {
  id: string;
  status: string;
  stage: string;
  score: number;
  assignedUserId: string | null;
  person: { id: string };
  process: { workflowId: string; href: string };
}

describe('leads over HTTP, with a process behind them', () => {
  const taskQueue = `api-${suffix()}`;
  let temporal: TestWorkflowEnvironment;
  let stored: TestDatabase;
  let database: Database;
  let relay: Database;
  let worker: TestWorker | undefined;
  let connection: Connection;
  let deliver: Deliver;
  let api: TestApi;
  let org: TestOrganization;
  let rep: Made;
  let otherRep: Made;
  let manager: string;

  async function startWorker(): Promise<void> {
    const mailExchange = { lookup: () => Promise.resolve('unknown' as const) };
    const taskQueues = { processes: taskQueue, bulk: taskQueue };
    worker = await testWorker(
      temporal,
      createActivities({ database, relay, temporal: temporal.client, mail: null, mailExchange, taskQueues }),
      { taskQueue },
    );
  }
  async function stopWorker(): Promise<void> {
    await worker?.close();
    worker = undefined;
  }

  beforeAll(async () => {
    temporal = await sharedTemporal();
    stored = await testDatabase();
    database = await openDatabase({ url: stored.url, role: 'crm_app', size: 6 });
    relay = await openDatabase({ url: stored.url, role: 'crm_relay', size: 2 });
    connection = await Connection.connect({ address: temporal.address });
    await registerSearchAttributes(connection, 'default', silent);
    const client = new Client({ connection });
    deliver = createDelivery({ client, database, taskQueue, waitMilliseconds: 3_000 });
    api = await testApi(stored.url, { deliver, client });
    org = await makeOrganization(database);
    rep = await makeUser(org, { capacity: 1_000 });
    otherRep = await makeUser(org, { capacity: 1_000 });
    const team = await makeTeam(org, [rep, otherRep]);
    manager = String(team['managerUserId']);
    await makeScoringModel(org);
    await makeAssignmentRule(org, team);
    await startWorker();
  }, 120_000);

  afterAll(async () => {
    await stopWorker();
    await api?.close();
    await connection?.close();
    await database?.close();
    await relay?.close();
    await stored?.close();
    await temporal?.teardown();
  });

  const send = (method: string, path: string, options: Parameters<TestApi['send']>[2] = {}) =>
    api.send(method, path, { organizationId: org.id, userId: manager, roles: ['manager'], ...options });
  const person = (overrides: object = {}) => ({
    fullName: `Ada ${suffix()}`,
    email: `ada-${suffix()}@example.com`,
    country: 'DE',
    ...overrides,
  });
  async function captured(body: object = person()): Promise<LeadJson> {
    const response = await send('POST', '/v1/leads/capture', { body });
    expect(response.status).toBe(201);
    return (await response.json()) as LeadJson;
  }
  const command = (lead: LeadJson, name: string, body: unknown = {}, options: object = {}) =>
    send('POST', `/crm/v1/leads/${lead.id}/${name}`, { body, ...options });

  it('captures: 201 with the lead itself, scored and assigned', async () => {
    const key = uuidv7();
    const request = { body: person({ phone: '030 901820' }), headers: { 'idempotency-key': key } };
    const response = await send('POST', '/v1/leads/capture', request);
    const lead = (await response.json()) as LeadJson & { phone: string };
    expect([response.status, response.headers.get('location')]).toEqual([201, `/crm/v1/leads/${lead.id}`]);
    expect(lead).toMatchObject({
      status: 'open',
      stage: 'assigned',
      phone: '+4930901820',
      process: { workflowId: `lead:${lead.id}`, href: `/crm/v1/leads/${lead.id}/process` },
    });
    expect([rep.id, otherRep.id]).toContain(lead.assignedUserId);
    const again = await send('POST', '/v1/leads/capture', request);
    expect([again.status, again.headers.get('idempotency-replayed'), ((await again.json()) as LeadJson).id]).toEqual([
      201,
      'true',
      lead.id,
    ]);
    const other = await send('POST', '/v1/leads/capture', { ...request, body: person() });
    expect([other.status, (await problemOf(other)).code]).toEqual([422, 'idempotency_key_reused']);
  });

  it('answers 200 with the survivor when the person is known', async () => {
    const body = person();
    const first = await captured(body);
    const second = await send('POST', '/v1/leads/capture', { body });
    expect([second.status, ((await second.json()) as LeadJson).id]).toEqual([200, first.id]);
  });

  it('lets a website form capture by scope, and tells it no more of the person than needed', async () => {
    const bearer = await token(api.keys, { sub: 'website', organizationId: org.id, scope: 'crm:leads:capture' });
    const headers = { authorization: `Bearer ${bearer}` };
    const response = await send('POST', '/v1/leads/capture', { body: person(), headers });
    expect(response.status).toBe(201);
    const lead = (await response.json()) as LeadJson;
    expect(lead.person).toEqual({ id: expect.any(String) });
    expect(lead).not.toHaveProperty('email');
    expect((await problemOf(await send('GET', `/crm/v1/leads/${lead.id}`, { headers }))).code).toBe('forbidden');
    expect(
      (await problemOf(await send('POST', '/v1/leads/capture', { body: person(), roles: ['marketing'] }))).code,
    ).toBe('forbidden');
  });

  it.each([
    [{ fullName: 'A' }, 'email'],
    [{ email: 'a@example.com' }, 'fullName'],
    [{ fullName: 'A', email: 'not a mail' }, 'email'],
    [{ fullName: 'A', phone: '12' }, 'phone'],
    [{ fullName: 'A', phone: '+999 12345678' }, 'phone'],
    [{ fullName: 'A\u0007', email: 'a@example.com' }, 'fullName'],
    [{ fullName: 'A'.repeat(201), email: 'a@example.com' }, 'fullName'],
    [{ fullName: 'A', email: 'a@example.com', stage: 'assigned' }, 'stage'],
    [{ fullName: 'A', email: 'a@example.com', country: 'Germany' }, 'country'],
  ])('refuses the capture %j', async (body, path) => {
    const response = await send('POST', '/v1/leads/capture', { body });
    expect(response.status).toBe(400);
    expect(await problemOf(response)).toMatchObject({
      code: 'invalid',
      errors: expect.arrayContaining([expect.objectContaining({ path })]),
    });
  });

  it('carries commands to the process and answers the new state', async () => {
    const lead = await captured();
    const touched = await command(lead, 'touch', { channel: 'call', note: 'Reached her.' });
    expect([touched.status, ((await touched.json()) as LeadJson).stage]).toEqual([200, 'touched']);
    const empty = await send('POST', `/crm/v1/leads/${lead.id}/rescore`);
    expect(empty.status).toBe(200);
    const given = await command(lead, 'reassign', { userId: otherRep.id, reason: 'Knows her.' });
    expect(((await given.json()) as LeadJson).assignedUserId).toBe(otherRep.id);
    const disqualified = await command(lead, 'disqualify', { reason: 'no_budget' });
    expect(await disqualified.json()).toMatchObject({ status: 'disqualified', stage: 'disqualified' });
    const late = await command(lead, 'touch');
    expect([late.status, (await problemOf(late)).code]).toEqual([409, 'illegal_stage']);
  });

  it('qualifies with evidence', async () => {
    const lead = await captured(person({ company: `Engines ${suffix()}` }));
    expect((await problemOf(await command(lead, 'qualify', {}))).code).toBe('invalid');
    const evidence = { statement: 'Said so.', reference: 'call of today' };
    const body = { evidence: { budget: evidence, authority: evidence, need: evidence, timing: evidence } };
    expect((await problemOf(await command(lead, 'unmerge'))).code).toBe('illegal_stage');
    const qualified = await command(lead, 'qualify', body);
    expect(await qualified.json()).toMatchObject({ status: 'qualified', accountId: expect.any(String) });
  });

  it('refuses commands by schema, permission and row', async () => {
    const lead = await captured();
    expect((await problemOf(await command(lead, 'touch', { channel: 'pigeon' }))).errors).toMatchObject([
      { path: 'channel' },
    ]);
    expect(
      (await problemOf(await command(lead, 'reassign', {}, { roles: ['sales_rep'], userId: lead.assignedUserId })))
        .code,
    ).toBe('forbidden');
    expect((await problemOf(await command(lead, 'touch', {}, { roles: ['marketing'] }))).code).toBe('forbidden');
    const stranger = [rep.id, otherRep.id].find((id) => id !== lead.assignedUserId);
    expect((await problemOf(await command(lead, 'touch', {}, { roles: ['sales_rep'], userId: stranger }))).code).toBe(
      'not_found',
    );
    const elsewhere = await makeUser(org);
    expect((await problemOf(await command(lead, 'touch', {}, { userId: elsewhere.id }))).code).toBe('forbidden');
    expect((await problemOf(await command(lead, 'touch', {}, { organizationId: uuidv7() }))).code).toBe('not_found');
    expect((await problemOf(await command({ ...lead, id: uuidv7() }, 'touch'))).code).toBe('not_found');
    expect((await command(lead, 'touch', {}, { roles: ['sales_rep'], userId: lead.assignedUserId })).status).toBe(200);
  });

  it('gives a repeated command its first answer, even to one who has lost the lead since', async () => {
    const lead = await captured();
    const owner = { roles: ['sales_rep'], userId: lead.assignedUserId ?? '' };
    const keyed = { ...owner, headers: { 'idempotency-key': uuidv7() } };
    const first = await command(lead, 'touch', { channel: 'call' }, keyed);
    const answer: unknown = await first.json();
    const other = [rep.id, otherRep.id].find((id) => id !== lead.assignedUserId);
    expect((await command(lead, 'reassign', { userId: other })).status).toBe(200);

    const repeated = await command(lead, 'touch', { channel: 'call' }, keyed);
    expect([repeated.status, repeated.headers.get('idempotency-replayed')]).toEqual([200, 'true']);
    expect(await repeated.json()).toEqual(answer);
    for (const options of [owner, { ...keyed, userId: (await makeUser(org)).id }])
      expect((await problemOf(await command(lead, 'touch', { channel: 'call' }, options))).code).toBe('not_found');
    expect((await problemOf(await command(lead, 'touch', { channel: 'email' }, keyed))).code).toBe('not_found');
  });

  it('gives a repeated capture its first answer, even if it would be refused by now', async () => {
    const setRegion = (region: string) =>
      inOrganization(database, org.id, (em) =>
        em.execute('update crm_core.core_organizations set default_region = ?', [region]),
      );
    const request = {
      body: person({ country: undefined, phone: '030 901820' }),
      headers: { 'idempotency-key': uuidv7() },
    };
    const first = (await (await send('POST', '/v1/leads/capture', request)).json()) as LeadJson;
    await setRegion('US');
    // It has not read the organisation's region yet.
    const fresh = await testApi(stored.url, { deliver });
    const sent = { organizationId: org.id, userId: manager, roles: ['manager'], ...request };
    try {
      expect((await fresh.send('POST', '/v1/leads/capture', { ...sent, headers: {} })).status).toBe(400);
      const repeated = await fresh.send('POST', '/v1/leads/capture', sent);
      expect([repeated.status, ((await repeated.json()) as LeadJson).id]).toEqual([201, first.id]);
    } finally {
      await setRegion('DE');
      await fresh.close();
    }
  });

  it('refuses to change what belongs to the process', async () => {
    const lead = await captured();
    const response = await send('PATCH', `/crm/v1/leads/${lead.id}`, {
      body: { stage: 'touched' },
      headers: { 'if-match': '*' },
    });
    expect([response.status, await problemOf(response)]).toMatchObject([
      422,
      { code: 'process_owned', errors: [{ path: 'stage' }] },
    ]);
  });

  it('tells where a process stands, what may be sent, and why', async () => {
    const lead = await captured();
    const response = await send('GET', `/crm/v1/leads/${lead.id}/process`);
    const process = (await response.json()) as {
      workflow: object;
      messages: { name: string; href: string; roles: string[]; schema: object }[];
      waitsFor: object;
      explanation: object;
    };
    expect(process).toMatchObject({
      workflow: { id: `lead:${lead.id}`, type: 'leadIntake', live: true, state: 'running', runId: expect.any(String) },
      stage: 'assigned',
      status: 'open',
      waitsFor: { step: 'remind_owner', userId: lead.assignedUserId },
    });
    expect(process.messages.find(({ name }) => name === 'reassign')).toMatchObject({
      method: 'POST',
      href: `/crm/v1/leads/${lead.id}/reassign`,
      roles: ['admin', 'manager'],
      schema: { type: 'object' },
    });
    expect(process.messages.map(({ name }) => name)).not.toContain('unmerge');
    expect(Object.keys(process.explanation)).toEqual(
      expect.arrayContaining(['normalization', 'duplicates', 'score', 'assignment']),
    );
    expect((await send('GET', `/crm/v1/leads/${uuidv7()}/process`)).status).toBe(404);
  });

  it('merges only into a lead that the caller may work on as well', async () => {
    const [own, foreign] = [await captured(), await captured()];
    const otherTeam = await makeTeam(org);
    await inOrganization(database, org.id, (em) =>
      em.execute('update crm_core.crm_leads set team_id = ?, version = version + 1 where lead_id = ?', [
        otherTeam.id,
        foreign.id,
      ]),
    );
    const before = await (await send('GET', `/crm/v1/leads/${foreign.id}`)).json();
    expect((await problemOf(await command(own, 'merge', { intoLeadId: foreign.id }))).code).toBe('forbidden');
    const unknown = await problemOf(await command(own, 'merge', { intoLeadId: uuidv7() }));
    expect(unknown).toMatchObject({ code: 'reference_not_found', errors: [{ path: 'intoLeadId' }] });
    expect(await (await send('GET', `/crm/v1/leads/${foreign.id}`)).json()).toEqual(before);
    const merged = await command(own, 'merge', { intoLeadId: foreign.id }, { roles: ['admin'] });
    expect(merged.status).toBe(200);
  });

  it('projects a route without writing anything', async () => {
    const count = async () =>
      ((await (await send('GET', '/crm/v1/leads?limit=200')).json()) as { data: unknown[] }).data.length;
    const before = await count();
    const response = await send('POST', '/crm/v1/leads/route-projection', { body: person() });
    expect(await response.json()).toMatchObject({ outcome: 'assigned', assignedUserId: expect.any(String) });
    expect(
      (await problemOf(await send('POST', '/crm/v1/leads/route-projection', { body: person(), roles: ['sales_rep'] })))
        .code,
    ).toBe('forbidden');
    expect(await count()).toBe(before);
  });

  it('creates by bulk, each row a capture', async () => {
    const known = await captured();
    const operations = [
      { method: 'create', body: person() },
      { method: 'create', body: { fullName: 'Nobody' } },
      { method: 'update', id: known.id, version: 99, body: { company: 'X' } },
      {
        method: 'update',
        id: known.id,
        version: (known as unknown as { version: number }).version,
        body: { company: 'Engines' },
      },
    ];
    const response = await send('POST', '/crm/v1/leads/bulk', { body: { operations } });
    const { outcomes: first } = (await response.json()) as BulkAnswer;
    expect(first.map(({ index, status, problem }) => [index, status, problem?.code])).toEqual([
      [0, 201, undefined],
      [1, 400, 'invalid'],
      [2, 412, 'stale'],
      [3, 200, undefined],
    ]);
  });

  interface BulkAnswer {
    outcomes: { index: number; status: number; id?: string; problem?: { code: string } }[];
  }
  const bulkOf = (...bodies: object[]) => ({ operations: bodies.map((body) => ({ method: 'create', body })) });

  it("answers a repeated bulk as the first time, refusals too; its key is no other request's, whatever was refused", async () => {
    const headers = { 'idempotency-key': uuidv7() };
    const body = bulkOf(person(), { fullName: 'Nobody' });
    const first = await send('POST', '/crm/v1/leads/bulk', { body, headers });
    const answer = (await first.json()) as BulkAnswer;
    expect([first.status, answer.outcomes.map(({ status }) => status)]).toEqual([200, [201, 400]]);
    const again = await send('POST', '/crm/v1/leads/bulk', { body, headers });
    expect([again.headers.get('idempotency-replayed'), await again.json()]).toEqual(['true', answer]);

    const email = `later-${suffix()}@example.com`;
    const other = bulkOf(person(), person({ email }), person({ email: `third-${email}` }));
    const reused = await send('POST', '/crm/v1/leads/bulk', { body: other, headers });
    expect([reused.status, (await problemOf(reused)).code]).toEqual([422, 'idempotency_key_reused']);
    const found = await send('GET', `/crm/v1/leads?filter[email][contains]=${email}`);
    expect(((await found.json()) as { data: unknown[] }).data).toEqual([]);
  });

  it('finishes what a bulk left when it broke off half way, and does nothing twice', async () => {
    const people = [person(), person(), person({ email: `unlucky-${suffix()}@example.com` })];
    const request = { body: bulkOf(...people), headers: { 'idempotency-key': uuidv7() } };
    const options = { organizationId: org.id, userId: manager, roles: ['manager'], ...request };
    const breaking = await testApi(stored.url, {
      deliver: async (owed, sender) => {
        if (JSON.stringify(owed.body).includes('unlucky')) throw new Error('the process of the API ends here');
        return deliver(owed, sender);
      },
    });
    expect((await breaking.send('POST', '/crm/v1/leads/bulk', options)).status).toBe(500);
    await breaking.close();
    const kept = await send('GET', `/crm/v1/leads?filter[email][in]=${people.map(({ email }) => email).join()}`);
    expect(((await kept.json()) as { data: unknown[] }).data).toHaveLength(2);

    const owing = await send('POST', '/crm/v1/leads/bulk', request);
    expect([owing.status, (await problemOf(owing)).code]).toEqual([409, 'in_progress']);
    await acrossOrganizations(relay, (em) =>
      em.execute(
        `update crm_core.crm_commands set lease_until = now() where state = 'received' and organization_id = ?`,
        [org.id],
      ),
    );
    await createOwedCommandsRound({ relay, deliver, log: silent })();
    const finished = await send('POST', '/crm/v1/leads/bulk', request);
    const answer = (await finished.json()) as BulkAnswer;
    expect([finished.status, answer.outcomes.map(({ status }) => status)]).toEqual([200, [201, 201, 201]]);
    const again = await send('POST', '/crm/v1/leads/bulk', request);
    expect([again.headers.get('idempotency-replayed'), await again.json()]).toEqual(['true', answer]);
    const all = await send('GET', `/crm/v1/leads?filter[email][in]=${people.map(({ email }) => email).join()}`);
    const ids = ((await all.json()) as { data: { id: string }[] }).data.map(({ id }) => id);
    expect(new Set(ids)).toEqual(new Set(answer.outcomes.map(({ id }) => id)));
    expect(ids).toHaveLength(3);
  });

  it('logs an activity, which touches the lead through the relay', async () => {
    const lead = await captured();
    const body = { subjectType: 'lead', subjectId: lead.id, activityType: 'call', notes: 'Will call back.' };
    const response = await send('POST', '/v1/activity/log', { body });
    expect(response.status).toBe(201);
    expect(await response.json()).toMatchObject({ activityType: 'call', userId: manager });
    await createOwedCommandsRound({ relay, deliver, log: silent })();
    expect(await (await send('GET', `/crm/v1/leads/${lead.id}`)).json()).toMatchObject({ stage: 'touched' });
    expect(
      (await problemOf(await send('POST', '/v1/activity/log', { body: { ...body, subjectId: uuidv7() } }))).code,
    ).toBe('reference_not_found');
    expect(
      (await problemOf(await send('POST', '/v1/activity/log', { body: { ...body, activityType: 'dance' } }))).errors,
    ).toMatchObject([{ path: 'activityType' }]);
  });

  it('answers 202 at once when asked to, and 202 after a while when no worker runs; nothing is lost', async () => {
    const lead = await captured();
    const asked = await command(lead, 'touch', {}, { headers: { prefer: 'respond-async' } });
    expect([asked.status, asked.headers.get('location')]).toEqual([202, `/crm/v1/leads/${lead.id}/process`]);
    expect(await asked.json()).toEqual({
      id: lead.id,
      status: 'open',
      stage: 'assigned',
      process: { workflowId: `lead:${lead.id}`, href: `/crm/v1/leads/${lead.id}/process` },
    });
    await eventually(
      'the touch is applied',
      async () => ((await (await send('GET', `/crm/v1/leads/${lead.id}`)).json()) as LeadJson).stage === 'touched',
    );

    await stopWorker();
    const key = uuidv7();
    const body = person();
    const waiting = await send('POST', '/v1/leads/capture', { body, headers: { 'idempotency-key': key } });
    expect(waiting.status).toBe(202);
    const { id } = (await waiting.json()) as LeadJson;
    const retried = await send('POST', '/v1/leads/capture', { body, headers: { 'idempotency-key': key } });
    expect([retried.status, retried.headers.get('retry-after'), (await problemOf(retried)).code]).toEqual([
      409,
      '1',
      'in_progress',
    ]);
    await startWorker();
    await eventually('the lead is there', async () => (await send('GET', `/crm/v1/leads/${id}`)).status === 200, {
      seconds: 20,
    });
    const answered = await send('POST', '/v1/leads/capture', { body, headers: { 'idempotency-key': key } });
    expect([answered.status, ((await answered.json()) as LeadJson).id]).toEqual([201, id]);
  }, 60_000);

  it('keeps what becomes of a command that was answered 202 at once', async () => {
    const lines: Record<string, unknown>[] = [];
    const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const logged = await testApi(stored.url, { deliver, log });
    const lead = await captured();
    expect((await command(lead, 'disqualify', { reason: 'spam' })).status).toBe(200);
    const options = {
      organizationId: org.id,
      userId: manager,
      roles: ['manager'],
      headers: { prefer: 'respond-async', 'idempotency-key': uuidv7() },
      body: { note: 'We spoke.' },
    };
    expect((await logged.send('POST', `/crm/v1/leads/${lead.id}/touch`, options)).status).toBe(202);
    await logged.close();
    expect(lines).toMatchObject([{ commandId: expect.any(String), message: 'touch', code: 'illegal_stage' }]);
    const asked = await send('POST', `/crm/v1/leads/${lead.id}/touch`, options);
    expect([asked.status, await problemOf(asked)]).toMatchObject([409, { code: 'illegal_stage' }]);
    const timeline = await send('GET', `/crm/v1/leads/${lead.id}/timeline`);
    expect(await timeline.json()).toMatchObject({
      data: expect.arrayContaining([
        expect.objectContaining({
          kind: 'lead.command_refused',
          actor: `user:${manager}`,
          summary: expect.stringMatching(/^touch, accepted at .* was refused: The lead.s process has ended/),
        }),
      ]),
    });
  });

  it('lets no later command overtake one that got no answer in time', async () => {
    const lead = await captured();
    const slow = await testApi(stored.url, {
      deliver: (owed, sender) =>
        owed.message === 'touch'
          ? Promise.resolve({ outcome: 'pending', reason: 'no answer within the time' })
          : deliver(owed, sender),
    });
    const options = { organizationId: org.id, userId: manager, roles: ['manager'] };
    const sent = (name: string, body: object) =>
      slow.send('POST', `/crm/v1/leads/${lead.id}/${name}`, { ...options, body });
    expect((await sent('touch', { channel: 'call' })).status).toBe(202);
    expect((await sent('disqualify', { reason: 'spam' })).status).toBe(202);
    await slow.close();
    const deliverOwed = createOwedCommandsRound({ relay, deliver, log: silent });
    await eventually('both are carried out', async () => {
      await deliverOwed();
      return ((await (await send('GET', `/crm/v1/leads/${lead.id}`)).json()) as LeadJson).stage === 'disqualified';
    });
    const timeline = await (await send('GET', `/crm/v1/leads/${lead.id}/timeline`)).text();
    expect(timeline).toContain('lead.touched');
    expect(timeline).not.toContain('command_refused');
  });

  it('captures what was answered 202, though its run was ended before it had begun', async () => {
    await stopWorker();
    const response = await send('POST', '/v1/leads/capture', { body: person(), headers: { prefer: 'respond-async' } });
    expect(response.status).toBe(202);
    const { id } = (await response.json()) as LeadJson;
    const handle = temporal.client.workflow.getHandle(`lead:${id}`);
    await eventually('the run has started', async () => {
      const status = await handle.describe().catch(() => null);
      return status?.status.name === 'RUNNING';
    });
    await handle.terminate('by hand');
    await api.app.drained();
    await startWorker();
    const deliverOwed = createOwedCommandsRound({ relay, deliver, log: silent });
    await eventually('the lead is there', async () => {
      await acrossOrganizations(relay, (em) =>
        em.execute('update crm_core.crm_commands set lease_until = now() where record_id = ?', [id]),
      );
      await deliverOwed();
      return (await send('GET', `/crm/v1/leads/${id}`)).status === 200;
    });
  }, 60_000);

  it('keeps a touch that comes between the restoration of a lead and its new run', async () => {
    const lead = await captured();
    const deliverEvents = createOutboxRound({ relay, temporal: temporal.client, taskQueue, log: silent });
    const handle = temporal.client.workflow.getHandle(`lead:${lead.id}`);
    const stageNow = async () => ((await (await send('GET', `/crm/v1/leads/${lead.id}`)).json()) as LeadJson).stage;
    const removed = await send('DELETE', `/crm/v1/leads/${lead.id}`, { headers: { 'if-match': '*' } });
    expect(removed.status).toBe(204);
    await eventually('the process has ended', async () => {
      await deliverEvents();
      return (await handle.describe()).status.name === 'COMPLETED';
    });

    expect((await send('POST', `/crm/v1/leads/${lead.id}/restore`)).status).toBe(200);
    const touched = await command(lead, 'touch', { channel: 'call' });
    expect([touched.status, touched.headers.get('location')]).toEqual([202, `/crm/v1/leads/${lead.id}/process`]);
    const deliverOwed = createOwedCommandsRound({ relay, deliver, log: silent });
    const deliverNow = async () => {
      await acrossOrganizations(relay, (em) =>
        em.execute('update crm_core.crm_commands set lease_until = now() where record_id = ?', [lead.id]),
      );
      await deliverOwed();
    };
    await deliverNow();
    expect(await stageNow()).toBe('assigned');

    await eventually('the touch is applied', async () => {
      await deliverEvents();
      await deliverNow();
      return (await stageNow()) === 'touched';
    });
  }, 60_000);

  it('withdraws a command for a lead that was deleted before it was delivered', async () => {
    const lead = await captured();
    const withdrawn: StoredCommand = {
      commandId: uuidv7(),
      organizationId: org.id,
      process: 'lead',
      message: 'touch',
      recordId: uuidv7(),
      body: {},
      actor: { kind: 'user', organizationId: org.id, userId: manager, roles: ['manager'] },
      receivedAt: new Date(),
      attempts: 0,
    };
    // No row, no run: nothing is going to take it.
    expect(await deliver(withdrawn, 'waits')).toMatchObject({ outcome: 'refused', problem: { code: 'illegal_stage' } });
    await send('DELETE', `/crm/v1/leads/${lead.id}`, { headers: { 'if-match': '*' } });
    expect(await deliver({ ...withdrawn, recordId: lead.id }, 'waits')).toMatchObject({ outcome: 'refused' });
  });

  it('answers 202 while Temporal is down, and delivers afterwards', async () => {
    // Without its retries, a connection can be closed whenever we like.
    const away = Connection.lazy({ address: '127.0.0.1:1', interceptors: [] });
    const undeliverable = createDelivery({
      client: new Client({ connection: away }),
      database,
      taskQueue,
      waitMilliseconds: 300,
    });
    const cut = await testApi(stored.url, { deliver: undeliverable });
    const options = { organizationId: org.id, userId: manager, roles: ['manager'], body: person() };
    const response = await cut.send('POST', '/v1/leads/capture', options);
    expect(response.status).toBe(202);
    const { id } = (await response.json()) as LeadJson;
    const process = await cut.send('GET', `/crm/v1/leads/${id}/process`, { ...options, body: undefined });
    expect(await process.json()).toMatchObject({ stage: 'captured', workflow: { live: false } });
    await cut.close();
    await away.close();
  });
});
