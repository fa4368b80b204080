import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import pino from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { audit } from '../../../cli/audit.ts';
import { leadProcess } from '../../../workflows/leads/messages.ts';
import { ticketProcess } from '../../../workflows/tickets/messages.ts';
import { searchAttributes, startSearchAttributes } from '../../../workflows/processes/search-attributes.ts';
import { registerSearchAttributes } from '../../../workers/search-attributes.ts';
import { type TestDatabase, testDatabase } from '../../support/database.ts';
import { addressOf } from '../../support/servers.ts';
import { eventually } from '../../support/temporal.ts';
import { PlantedRows, secondsAgo } from './installation.ts';

const namespace = `audit-${randomUUID()}`;
let database: TestDatabase;
let connection: Connection;
let temporal: Client;
let rows: PlantedRows;

beforeAll(async () => {
  database = await testDatabase();
  rows = await PlantedRows.connect(database.url);
  await rows.plant();
  connection = await Connection.connect({ address: await addressOf('temporal') });
  // An audit lists every process of its namespace: those of other test files are in another.
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs('1 day'),
  });
  await eventually(
    'the namespace can be used',
    () =>
      registerSearchAttributes(connection, namespace, pino({ level: 'silent' })).then(
        () => true,
        () => false,
      ),
    { seconds: 30 },
  );
  temporal = new Client({ connection, namespace });
});

afterAll(async () => {
  await rows.close();
  await connection.close();
  await database.close();
});

/** Starts a process that nobody works on, and waits until an audit can see it. */
async function start(leadId: string, stage: string | null): Promise<void> {
  const workflowId = leadProcess.workflowId(leadId);
  const attributes = startSearchAttributes(rows.organizationId, leadProcess.name, leadId);
  await temporal.workflow.start(leadProcess.workflowType, {
    workflowId,
    taskQueue: 'nobody',
    args: [{ organizationId: rows.organizationId, leadId }],
    typedSearchAttributes: stage === null ? attributes : [...attributes, { key: searchAttributes.stage, value: stage }],
  });
  await eventually('it is visible', async () => {
    const { count } = await temporal.workflow.count(`WorkflowId = '${workflowId}' and ExecutionStatus = 'Running'`);
    return count > 0;
  });
}

async function found(): Promise<Record<string, string[]>> {
  const outcomes = await audit(database.url, temporal);
  const named = outcomes
    .filter(({ count }) => count > 0)
    .map(
      ({ check, findings }) => [check.name, findings.map(({ subject, detail }) => `${subject}: ${detail}`)] as const,
    );
  return Object.fromEntries(named);
}

describe('leads and their processes', () => {
  it('are clean together, and when the process of a final or deleted lead is forgotten', async () => {
    await start(await rows.lead(), 'assigned');
    await rows.lead({ status: 'merged', stage: 'merged' });
    await rows.lead({ deleted_at: new Date() });
    expect(await found()).toEqual({});
  });

  it('are clean while a command or an event is being delivered', async () => {
    const started = await rows.lead();
    await rows.command({ record_id: started, message: 'unmerge', state: 'received', answer_status: null });
    const deleted = await rows.lead({ deleted_at: new Date() });
    await start(deleted, 'assigned');
    const event = await rows.event({ subject_id: deleted });
    const notYetDecided = uuidv7();
    await rows.command({ record_id: notYetDecided, state: 'received', answer_status: null });
    await start(notYetDecided, null);
    expect(await found()).toEqual({});
    await rows.client.query(`delete from crm_core.crm_commands where state = 'received'`);
    await rows.set('crm_outbox', 'event_id', event, { delivered_at: new Date() });
    const all = await found();
    expect(all['lead-without-process']).toEqual([
      `lead ${started}: stage assigned, its process is not known to Temporal`,
    ]);
    expect(all['process-without-lead']?.toSorted()).toEqual(
      [
        `workflow lead:${deleted}: the lead is deleted`,
        `workflow lead:${notYetDecided}: there is no such lead`,
      ].toSorted(),
    );
    await rows.set('crm_leads', 'lead_id', started, { deleted_at: new Date() });
    for (const leadId of [deleted, notYetDecided])
      await temporal.workflow.getHandle(leadProcess.workflowId(leadId)).terminate();
  });

  it('disagree when a process is closed too early, runs too long, or for nobody', async () => {
    const [terminated, ended] = [await rows.lead(), await rows.lead()];
    await start(terminated, 'assigned');
    await temporal.workflow.getHandle(leadProcess.workflowId(terminated)).terminate();
    await start(ended, 'assigned');
    await rows.set('crm_leads', 'lead_id', ended, { status: 'qualified', stage: 'qualified' });
    await start('not-a-lead', null);
    const all = await found();
    expect(all['lead-without-process']).toEqual([`lead ${terminated}: stage assigned, its process is terminated`]);
    expect(all['process-without-lead']?.toSorted()).toEqual(
      [`workflow lead:${ended}: the lead is qualified`, 'workflow lead:not-a-lead: there is no such lead'].toSorted(),
    );
    await rows.set('crm_leads', 'lead_id', terminated, { deleted_at: new Date() });
    for (const leadId of [ended, 'not-a-lead'])
      await temporal.workflow.getHandle(leadProcess.workflowId(leadId)).terminate();
  });

  it('disagree in their stage, and miss deadlines', async () => {
    const other = await rows.lead();
    await start(other, 'touched');
    const late = await rows.lead({ next_step: 'remind_owner', next_due_at: secondsAgo(70) });
    await start(late, 'assigned');
    const justDue = await rows.lead({ next_step: 'remind_owner', next_due_at: secondsAgo(10) });
    await start(justDue, 'assigned');
    const all = await found();
    expect(all).toEqual({
      'stage-differs': [`lead ${other}: the row says assigned, CrmStage says touched`],
      'deadline-missed': [expect.stringMatching(`lead ${late}: remind_owner was due`)],
    });
    await rows.set('crm_leads', 'lead_id', late, { next_due_at: null });
    await rows.set('crm_leads', 'lead_id', justDue, { next_due_at: null });
    await rows.set('crm_leads', 'lead_id', other, { stage: 'touched' });
  });

  it('are looked at again before they are reported', async () => {
    const late = await rows.lead();
    const auditing = found();
    // By then it has listed what runs.
    await pause(700);
    await start(late, 'assigned');
    expect(await auditing).toEqual({});
  });
});

it('the process of a ticket that is not there is told of as one of a ticket, not of a lead', async () => {
  const workflowId = ticketProcess.workflowId(uuidv7());
  await temporal.workflow.start(ticketProcess.workflowType, {
    workflowId,
    taskQueue: 'nobody',
    args: [],
    typedSearchAttributes: startSearchAttributes(rows.organizationId, ticketProcess.name, uuidv7()),
  });
  await eventually('it is told of', async () => Object.keys(await found()).length > 0);
  expect(await found()).toEqual({ 'process-without-ticket': [`workflow ${workflowId}: there is no such ticket`] });
  await temporal.workflow.getHandle(workflowId).terminate();
});
