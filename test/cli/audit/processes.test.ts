import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import type { SearchAttributePair } from '@temporalio/common';
import { msToTs } from '@temporalio/common/lib/time.js';
import pino from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { audit } from '../../../cli/audit.ts';
import { leadProcess } from '../../../workflows/leads/messages.ts';
import type { Process } from '../../../workflows/processes/messages.ts';
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

/** What a process shows, by the names of its search attributes. */
type Shown = Partial<Record<keyof typeof searchAttributes, string | Date | null>>;

/** What the process of a lead or a ticket shows when it agrees with its row. */
async function shownOf(process: Process, id: string): Promise<Shown> {
  const { rows: found } = await rows.client.query<Record<string, string> & { next_due_at: Date }>(
    `select * from crm_core.crm_${process.path} where ${process.name}_id = $1`,
    [id],
  );
  const [row] = found;
  if (!row) return {};
  const common = { stage: row['stage'], assignee: row['assigned_user_id'], dueAt: row.next_due_at };
  if (process.name === 'lead') return { ...common, priority: row['urgency'], sla: 'on_track' };
  return { ...common, priority: row['priority'], sla: row['sla'], team: row['team_id'] };
}

/** Where the tasks of a process wait for a worker. */
const queueOf = (id: string): string => `nobody-${id}`;

/** Starts a process that nobody works on, and waits until an audit can see it; it shows what the row says, but for this. */
async function start(id: string, other: Shown = {}, process: Process = leadProcess): Promise<void> {
  const workflowId = process.workflowId(id);
  const known = /^[0-9a-f-]{36}$/.test(id) ? await shownOf(process, id) : {};
  const shown = Object.entries({ ...known, ...other }).flatMap(([name, value]) =>
    value === null || value === undefined ? [] : [{ key: searchAttributes[name as keyof Shown], value }],
  );
  await temporal.workflow.start(process.workflowType, {
    workflowId,
    taskQueue: queueOf(id),
    args: [{ organizationId: rows.organizationId, [`${process.name}Id`]: id }],
    typedSearchAttributes: [
      ...startSearchAttributes(rows.organizationId, process.name, id),
      ...shown,
    ] as SearchAttributePair[],
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

/** Ends a process and deletes its record. */
async function forget(id: string, process: Process = leadProcess): Promise<void> {
  await temporal.workflow.getHandle(process.workflowId(id)).terminate();
  await rows.set(`crm_${process.path}`, `${process.name}_id`, id, { deleted_at: new Date() });
}

describe('leads and their processes', () => {
  it('are clean together, and when the process of a final or deleted lead is forgotten', async () => {
    await start(await rows.lead());
    await rows.mergedLead(await rows.lead({ deleted_at: new Date() }));
    await rows.lead({ deleted_at: new Date() });
    expect(await found()).toEqual({});
  });

  it('are clean while a command or an event is being delivered', async () => {
    const started = await rows.lead();
    await rows.command({ record_id: started, message: 'unmerge', state: 'received', answer_status: null });
    const deleted = await rows.lead({ deleted_at: new Date() });
    await start(deleted);
    const event = await rows.event({ subject_id: deleted });
    const notYetDecided = uuidv7();
    await rows.command({ record_id: notYetDecided, state: 'received', answer_status: null });
    await start(notYetDecided);
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
    await start(terminated);
    await temporal.workflow.getHandle(leadProcess.workflowId(terminated)).terminate();
    await start(ended);
    await rows.set('crm_leads', 'lead_id', ended, { status: 'qualified', stage: 'qualified' });
    await start('not-a-lead');
    const all = await found();
    expect(all['lead-without-process']).toEqual([`lead ${terminated}: stage assigned, its process is terminated`]);
    expect(all['process-without-lead']?.toSorted()).toEqual(
      [`workflow lead:${ended}: the lead is qualified`, 'workflow lead:not-a-lead: there is no such lead'].toSorted(),
    );
    for (const id of [terminated, ended])
      await rows.set('crm_leads', 'lead_id', id, { status: 'open', stage: 'assigned', deleted_at: new Date() });
    for (const id of [ended, 'not-a-lead']) await temporal.workflow.getHandle(leadProcess.workflowId(id)).terminate();
  });

  it('disagree in what Temporal shows, and miss deadlines', async () => {
    const hourLater = new Date(Date.now() + 2 * 3_600_000);
    const others: Shown[] = [
      { stage: 'touched' },
      { assignee: uuidv7() },
      { priority: 'high' },
      { sla: 'breached' },
      { dueAt: hourLater },
      { organization: uuidv7() },
      { stage: null, dueAt: null },
    ];
    const ids: string[] = [];
    for (const other of others) {
      const id = await rows.lead();
      await start(id, other);
      ids.push(id);
    }
    const late = await rows.lead({ next_due_at: secondsAgo(70) });
    await start(late);
    const justDue = await rows.lead({ next_due_at: secondsAgo(10) });
    await start(justDue);
    const { 'process-differs': differing, ...all } = await found();
    expect(all).toEqual({
      'deadline-missed': [expect.stringMatching(`lead ${late}: remind_owner was due`)],
    });
    const told = new Map(differing?.map((finding) => [finding.slice(5, 41), finding.slice(43)]));
    expect(ids.map((id) => told.get(id))).toEqual([
      'the row says assigned, CrmStage says touched',
      `the row says ${rows.userId}, CrmAssignee says ${String(others[1]?.assignee)}`,
      'the row says nothing, CrmPriority says high',
      'the row says on_track, CrmSla says breached',
      expect.stringMatching(`the row says .*Z, CrmDueAt says ${hourLater.toISOString()}`),
      `the row says ${rows.organizationId}, CrmOrganization says ${String(others[5]?.organization)}`,
      expect.stringMatching('the row says assigned, CrmStage says nothing; the row says .*Z, CrmDueAt says nothing'),
    ]);
    expect(told.size).toBe(ids.length);
    for (const id of [late, justDue, ...ids]) await forget(id);
  });

  it('of a ticket disagree in the same way', async () => {
    const [agreeing, other] = [await rows.ticket(), await rows.ticket()];
    for (const id of [agreeing, other]) await rows.clock(id);
    await start(agreeing, {}, ticketProcess);
    const [teamId, priority] = [uuidv7(), 'P1'];
    await start(other, { team: teamId, priority, sla: 'warning' }, ticketProcess);
    expect(await found()).toEqual({
      'ticket-process-differs': [
        `ticket ${other}: the row says ${rows.teamId}, CrmTeam says ${teamId}; the row says P3, CrmPriority says P1; the row says nothing, CrmSla says warning`,
      ],
    });
    for (const id of [agreeing, other]) await forget(id, ticketProcess);
  });

  it('are not compared while a worker is at the process', async () => {
    const id = await rows.lead();
    await start(id, { stage: 'touched' });
    // A worker that takes a task, and is not heard of again before it has to have ended.
    const taskQueue = { name: queueOf(id) };
    await connection.withDeadline(Date.now() + 30_000, () =>
      connection.workflowService.pollWorkflowTaskQueue({ namespace, taskQueue, identity: 'lost' }),
    );
    expect(await found()).toEqual({});
    await forget(id);
  });

  it('are looked at again before they are reported', async () => {
    const late = await rows.lead();
    const auditing = found();
    // By then it has listed what runs.
    await pause(700);
    await start(late);
    expect(await auditing).toEqual({});
  });

  it('are those that disagreed at every look, not what came up meanwhile', async () => {
    const lost = await rows.lead();
    let isDone = false;
    const auditing = found().finally(() => {
      isDone = true;
    });
    while (!isDone) {
      await rows.client.query('begin');
      const id = await rows.lead();
      await rows.client.query('commit');
      await start(id);
    }
    expect(Object.entries(await auditing)).toEqual([
      ['lead-without-process', [`lead ${lost}: stage assigned, its process is not known to Temporal`]],
    ]);
    await rows.set('crm_leads', 'lead_id', lost, { deleted_at: new Date() });
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
