import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import pino from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { createDelivery } from '../../api/processes/delivery.ts';
import type { StoredCommand } from '../../db/automation/ledger.queries.ts';
import { createOutboxRound } from '../../workers/outbox.ts';
import { eventually } from '../support/temporal.ts';
import { type LeadDesk, type LeadJson, openLeadDesk, person } from './lead-desk.ts';
import { problemOf, silent, testApi } from './support.ts';

let desk: LeadDesk;
beforeAll(async () => void (desk = await openLeadDesk()), 120_000);
afterAll(() => desk?.close());

describe('commands to leads that are accepted before they are carried out', () => {
  it('answers 202 at once when asked to, and 202 after a while when no worker runs; nothing is lost', async () => {
    const lead = await desk.captured();
    const asked = await desk.command(lead, 'touch', {}, { headers: { prefer: 'respond-async' } });
    expect([asked.status, asked.headers.get('location')]).toEqual([202, `/crm/v1/leads/${lead.id}/process`]);
    expect(await asked.json()).toEqual({
      id: lead.id,
      status: 'open',
      stage: 'assigned',
      process: { workflowId: `lead:${lead.id}`, href: `/crm/v1/leads/${lead.id}/process` },
    });
    await eventually('the touch is applied', async () => (await desk.read(lead)).stage === 'touched');

    await desk.stopWorker();
    const key = uuidv7();
    const body = person();
    const waiting = await desk.send('POST', '/v1/leads/capture', { body, headers: { 'idempotency-key': key } });
    expect(waiting.status).toBe(202);
    const { id } = (await waiting.json()) as LeadJson;
    const retried = await desk.send('POST', '/v1/leads/capture', { body, headers: { 'idempotency-key': key } });
    expect([retried.status, retried.headers.get('retry-after'), (await problemOf(retried)).code]).toEqual([
      409,
      '1',
      'in_progress',
    ]);
    await desk.startWorker();
    await eventually('the lead is there', async () => (await desk.send('GET', `/crm/v1/leads/${id}`)).status === 200, {
      seconds: 20,
    });
    const answered = await desk.send('POST', '/v1/leads/capture', { body, headers: { 'idempotency-key': key } });
    expect([answered.status, ((await answered.json()) as LeadJson).id]).toEqual([201, id]);
  }, 60_000);

  it('keeps what becomes of a command that was answered 202 at once', async () => {
    const lines: Record<string, unknown>[] = [];
    const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const logged = await testApi(desk.stored.url, { deliver: desk.deliver, log });
    const lead = await desk.captured();
    expect((await desk.command(lead, 'disqualify', { reason: 'spam' })).status).toBe(200);
    const options = {
      organizationId: desk.org.id,
      userId: desk.manager,
      roles: ['manager'],
      headers: { prefer: 'respond-async', 'idempotency-key': uuidv7() },
      body: { note: 'We spoke.' },
    };
    expect((await logged.send('POST', `/crm/v1/leads/${lead.id}/touch`, options)).status).toBe(202);
    await logged.close();
    expect(lines).toMatchObject([{ commandId: expect.any(String), message: 'touch', code: 'illegal_stage' }]);
    const asked = await desk.send('POST', `/crm/v1/leads/${lead.id}/touch`, options);
    expect([asked.status, await problemOf(asked)]).toMatchObject([409, { code: 'illegal_stage' }]);
    const timeline = await desk.send('GET', `/crm/v1/leads/${lead.id}/timeline`);
    expect(await timeline.json()).toMatchObject({
      data: expect.arrayContaining([
        expect.objectContaining({
          kind: 'lead.command_refused',
          actor: `user:${desk.manager}`,
          summary: expect.stringMatching(/^touch, accepted at .* was refused: The lead.s process has ended/),
        }),
      ]),
    });
  });

  it('lets no later command overtake one that got no answer in time', async () => {
    const lead = await desk.captured();
    const slow = await testApi(desk.stored.url, {
      deliver: (owed, sender) =>
        owed.message === 'touch'
          ? Promise.resolve({ outcome: 'pending', reason: 'no answer within the time' })
          : desk.deliver(owed, sender),
    });
    const options = { organizationId: desk.org.id, userId: desk.manager, roles: ['manager'] };
    const sent = (name: string, body: object) =>
      slow.send('POST', `/crm/v1/leads/${lead.id}/${name}`, { ...options, body });
    expect((await sent('touch', { channel: 'call' })).status).toBe(202);
    expect((await sent('disqualify', { reason: 'spam' })).status).toBe(202);
    await slow.close();
    await eventually('both are carried out', async () => {
      await desk.relayOwed();
      return (await desk.read(lead)).stage === 'disqualified';
    });
    const timeline = await (await desk.send('GET', `/crm/v1/leads/${lead.id}/timeline`)).text();
    expect(timeline).toContain('lead.touched');
    expect(timeline).not.toContain('command_refused');
  });

  it('captures what was answered 202, though its run was ended before it had begun', async () => {
    await desk.stopWorker();
    const response = await desk.send('POST', '/v1/leads/capture', {
      body: person(),
      headers: { prefer: 'respond-async' },
    });
    expect(response.status).toBe(202);
    const { id } = (await response.json()) as LeadJson;
    const handle = desk.client.workflow.getHandle(`lead:${id}`);
    await eventually('the run has started', async () => {
      const status = await handle.describe().catch(() => null);
      return status?.status.name === 'RUNNING';
    });
    await handle.terminate('by hand');
    await desk.api.app.drained();
    await desk.startWorker();
    await eventually('the lead is there', async () => {
      await desk.endLeases({ recordId: id });
      await desk.relayOwed();
      return (await desk.send('GET', `/crm/v1/leads/${id}`)).status === 200;
    });
  }, 60_000);

  it('keeps a touch that comes between the restoration of a lead and its new run', async () => {
    const lead = await desk.captured();
    const deliverEvents = createOutboxRound({
      relay: desk.relay,
      temporal: desk.client,
      taskQueue: desk.taskQueue,
      log: silent,
    });
    const handle = desk.client.workflow.getHandle(`lead:${lead.id}`);
    const stageNow = async () => (await desk.read(lead)).stage;
    const removed = await desk.send('DELETE', `/crm/v1/leads/${lead.id}`, { headers: { 'if-match': '*' } });
    expect(removed.status).toBe(204);
    await eventually('the process has ended', async () => {
      await deliverEvents();
      return (await handle.describe()).status.name === 'COMPLETED';
    });

    expect((await desk.send('POST', `/crm/v1/leads/${lead.id}/restore`)).status).toBe(200);
    const touched = await desk.command(lead, 'touch', { channel: 'call' });
    expect([touched.status, touched.headers.get('location')]).toEqual([202, `/crm/v1/leads/${lead.id}/process`]);
    const deliverNow = async () => {
      await desk.endLeases({ recordId: lead.id });
      await desk.relayOwed();
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
    const lead = await desk.captured();
    const withdrawn: StoredCommand = {
      commandId: uuidv7(),
      organizationId: desk.org.id,
      process: 'lead',
      message: 'touch',
      recordId: uuidv7(),
      body: {},
      actor: { kind: 'user', organizationId: desk.org.id, userId: desk.manager, roles: ['manager'] },
      receivedAt: new Date(),
      attempts: 0,
    };
    // No row, no run: nothing is going to take it.
    expect(await desk.deliver(withdrawn, 'waits')).toMatchObject({
      outcome: 'refused',
      problem: { code: 'illegal_stage' },
    });
    await desk.send('DELETE', `/crm/v1/leads/${lead.id}`, { headers: { 'if-match': '*' } });
    expect(await desk.deliver({ ...withdrawn, recordId: lead.id }, 'waits')).toMatchObject({ outcome: 'refused' });
  });

  it('answers 202 while Temporal is down, and delivers afterwards', async () => {
    // Without its retries, a connection can be closed whenever we like.
    const away = Connection.lazy({ address: '127.0.0.1:1', interceptors: [] });
    const undeliverable = createDelivery({
      client: new Client({ connection: away }),
      database: desk.database,
      taskQueue: desk.taskQueue,
      waitMilliseconds: 300,
    });
    const cut = await testApi(desk.stored.url, { deliver: undeliverable });
    const options = { organizationId: desk.org.id, userId: desk.manager, roles: ['manager'], body: person() };
    const response = await cut.send('POST', '/v1/leads/capture', options);
    expect(response.status).toBe(202);
    const { id } = (await response.json()) as LeadJson;
    const process = await cut.send('GET', `/crm/v1/leads/${id}/process`, { ...options, body: undefined });
    expect(await process.json()).toMatchObject({ stage: 'captured', workflow: { live: false } });
    await cut.close();
    await away.close();
  });
});
