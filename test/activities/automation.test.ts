import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { MockActivityEnvironment, type TestWorkflowEnvironment } from '@temporalio/testing';
import pino from 'pino';
import { v7 as uuidv7 } from 'uuid';
import type { AffectedPage } from '../../activities/automation.types.ts';
import { createActivities } from '../../activities/index.ts';
import { createMail } from '../../activities/mail.ts';
import type { Mail } from '../../activities/ports.ts';
import { OutboxEvent } from '../../db/automation/outbox-event.ts';
import { users } from '../../db/access/user.ts';
import { acrossOrganizations, type Database, inOrganization, openDatabase } from '../../db/database.ts';
import { Notification } from '../../db/engagement/notification.ts';
import { Lead } from '../../db/leads/lead.ts';
import { baseColumns, eventRow } from '../../db/model/changes.ts';
import { insertRows } from '../../db/model/set-based.ts';
import { registerSearchAttributes } from '../../workers/search-attributes.ts';
import { leadProcess } from '../../workflows/leads/messages.ts';
import { searchAttributes } from '../../workflows/processes/search-attributes.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import {
  adminOf,
  type Made,
  makeCalendar,
  makeLead,
  makeOrganization,
  makePerson,
  makeTeam,
  makeUser,
  type TestOrganization,
  writeAs,
} from '../support/factories.ts';
import { eventually, sharedTemporal, testWorker, type TestWorker } from '../support/temporal.ts';
import { startSmtp, type TestSmtp } from './smtp.ts';

let owner: TestDatabase;
let database: Database;
let relay: Database;
let environment: TestWorkflowEnvironment;
let smtp: TestSmtp;
let mail: Mail;
let activities: ReturnType<typeof createActivities>;
let worker: TestWorker;
let org: TestOrganization;
const taskQueue = `test-${uuidv7()}`;

beforeAll(async () => {
  [owner, environment, smtp] = await Promise.all([testDatabase(), sharedTemporal(), startSmtp()]);
  database = await openDatabase({ url: owner.url, role: 'crm_app' });
  relay = await openDatabase({ url: owner.url, role: 'crm_relay' });
  mail = createMail({ url: smtp.url, from: 'crm@example.org', supportAddress: 'support@{organization}.example' });
  await registerSearchAttributes(environment.connection, environment.namespace ?? 'default', pino({ level: 'silent' }));
  const taskQueues = { processes: taskQueue, bulk: taskQueue };
  activities = createActivities({
    database,
    relay,
    temporal: environment.client,
    mail,
    mailExchange: { lookup: async () => 'unknown' },
    taskQueues,
  });
  worker = await testWorker(environment, activities, { taskQueue });
});
afterAll(async () => {
  await worker?.close();
  mail?.close();
  await Promise.all([database?.close(), relay?.close(), smtp?.close(), environment?.teardown()]);
  await owner?.close();
});
beforeEach(async () => {
  org = await makeOrganization(database);
  smtp.mails.length = 0;
  smtp.answers.clear();
});

const running: string[] = [];
afterEach(async () => {
  for (const workflowId of running.splice(0))
    await environment.client.workflow
      .getHandle(workflowId)
      .terminate()
      .catch(() => undefined);
});

const inActivity = () => new MockActivityEnvironment();
const deliver = (batchId: string) => inActivity().run(activities.deliverBatch, { batchId });
const change = (subjectType: string, subjectId: string) => ({
  organizationId: org.id,
  actor: adminOf(org),
  at: new Date(),
  subjectType,
  subjectId,
  commandId: null,
});

/** Puts an event into a batch; answers its identifier. */
async function makeEvent(
  batchId: string,
  kind: string,
  subjectId: string,
  payload: Record<string, unknown> = {},
): Promise<string> {
  const { rows } = eventRow(change(kind.split('.')[0]!, subjectId), kind, payload);
  await inOrganization(database, org.id, (em) =>
    insertRows(em, [{ into: OutboxEvent, rows: rows.map((row) => ({ ...row, batchId })) }]),
  );
  return String(rows[0]?.['id']);
}

/** Puts a notification for a user into a batch. */
async function makeNotification(batchId: string, user: Made): Promise<string> {
  const id = uuidv7();
  const notification = {
    id,
    ...baseColumns(change('lead', id)),
    userId: user.id,
    subjectType: 'lead',
    subjectId: id,
    kind: 'lead.assigned',
    title: 'New lead: Zoë',
    body: 'Get in touch.',
    readAt: null,
  };
  await inOrganization(database, org.id, (em) => insertRows(em, [{ into: Notification, rows: [notification] }]));
  return makeEvent(batchId, 'notification.created', id, { notificationId: id });
}

async function readEvent(
  id: string,
): Promise<{ attempts: number; last_failure: string | null; delivered_at: unknown }> {
  const [row]: { attempts: number; last_failure: string | null; delivered_at: unknown }[] = await acrossOrganizations(
    relay,
    (em) => em.execute('select attempts, last_failure, delivered_at from crm_core.crm_outbox where event_id = ?', [id]),
  );
  if (!row) throw new Error(`no event ${id}`);
  return row;
}

/** A lead with a running intake. */
async function startLead(overrides: Record<string, unknown>): Promise<string> {
  const lead = await makeLead(org, await makePerson(org), {
    stage: 'assigned',
    round: 1,
    assignedAt: new Date(),
    ...overrides,
  });
  const workflowId = leadProcess.workflowId(lead.id);
  running.push(workflowId);
  await environment.client.workflow.start('leadIntake', {
    workflowId,
    taskQueue,
    args: [{ organizationId: org.id, leadId: lead.id }],
  });
  return lead.id;
}

async function signalsOf(leadId: string): Promise<string[]> {
  const { events } = await environment.client.workflow.getHandle(leadProcess.workflowId(leadId)).fetchHistory();
  return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) =>
    signal?.signalName ? [signal.signalName] : [],
  );
}

describe('a notification', () => {
  it('leaves as one mail with a fixed Message-ID, though its batch is delivered twice', async () => {
    const batchId = uuidv7();
    const user = await makeUser(org);
    const id = await makeNotification(batchId, user);
    await deliver(batchId);
    await deliver(batchId);
    expect(smtp.mails).toMatchObject([
      { messageId: `<${id}@crm.durable-crm>`, subject: 'New lead: Zoë', to: [{ address: user['email'] }] },
    ]);
    expect(await readEvent(id)).toMatchObject({ attempts: 1, last_failure: null, delivered_at: expect.anything() });
  });

  it('is one mail with the others of its addressee in the same batch, whatever is sent to others', async () => {
    const batchId = uuidv7();
    const [busy, other] = [await makeUser(org), await makeUser(org)];
    const [first] = [
      await makeNotification(batchId, busy),
      await makeNotification(batchId, busy),
      await makeNotification(batchId, busy),
    ];
    await makeNotification(batchId, other);
    await deliver(batchId);
    const toBusy = smtp.mails.filter(({ to }) => to?.[0]?.address === busy['email']);
    expect(smtp.mails).toHaveLength(2);
    expect(toBusy).toMatchObject([
      {
        messageId: `<${first}@crm.durable-crm>`,
        subject: '3 notifications: New lead: Zoë; New lead: Zoë; New lead: Zoë',
      },
    ]);
    expect(toBusy[0]?.text?.match(/Get in touch\./g)).toHaveLength(3);
    expect(await readEvent(first)).toMatchObject({ attempts: 1, delivered_at: expect.anything() });
  });

  it('that its recipient refuses is settled with the reason, and holds up nobody', async () => {
    const batchId = uuidv7();
    const [refusing, other] = [await makeUser(org), await makeUser(org)];
    smtp.answers.set(String(refusing['email']), 550);
    const refused = await makeNotification(batchId, refusing);
    await makeNotification(batchId, other);
    await deliver(batchId);
    expect(smtp.mails.map(({ to }) => to?.[0]?.address)).toEqual([other['email']]);
    expect(await readEvent(refused)).toMatchObject({
      last_failure: 'The mail server refused with 550 at RCPT TO',
      delivered_at: expect.anything(),
    });
  });

  it('that cannot be sent now is noted without its address, and tried again by the workflow until it is', async () => {
    const batchId = uuidv7();
    const [busy, other] = [await makeUser(org), await makeUser(org)];
    smtp.answers.set(String(busy['email']), 450);
    const late = await makeNotification(batchId, busy);
    await makeNotification(batchId, other);
    const workflow = environment.client.workflow.execute('deliverEvents', {
      workflowId: `outbox:${batchId}`,
      taskQueue,
      args: [{ batchId }],
    });
    await eventually('the first attempt was noted', async () => (await readEvent(late)).attempts > 0);
    await eventually('the other mail has left', () => smtp.mails.length > 0);
    expect(await readEvent(late)).toMatchObject({ last_failure: 'Error EENVELOPE 450', delivered_at: null });
    expect(smtp.mails).toHaveLength(1);
    smtp.answers.clear();
    await workflow;
    expect(smtp.mails.map(({ to }) => to?.[0]?.address)).toEqual([other['email'], busy['email']]);
  });

  it('to somebody who has left, or of something that is gone, is no mail', async () => {
    const batchId = uuidv7();
    const gone = await makeUser(org);
    await org.records.patch(writeAs(adminOf(org)), users, gone.id, '*', { active: false });
    const id = await makeNotification(batchId, gone);
    await makeEvent(batchId, 'notification.created', uuidv7(), { notificationId: uuidv7() });
    await deliver(batchId);
    expect(smtp.mails).toEqual([]);
    expect((await readEvent(id)).delivered_at).not.toBeNull();
  });
});

describe('a merge that was taken back', () => {
  it('is heard of by the process of the lead that it went into, which scores it again and shows what it is now', async () => {
    const leadId = await startLead({ urgency: 'high', assignedUserId: (await makeUser(org)).id });
    const handle = environment.client.workflow.getHandle(leadProcess.workflowId(leadId));
    const priority = async () => (await handle.describe()).typedSearchAttributes.get(searchAttributes.priority);
    await eventually('it shows its priority', async () => (await priority()) === 'high');
    const inOrg = <R>(sql: string) => inOrganization(database, org.id, (em) => em.execute<R[]>(sql, [leadId]));
    await inOrg('update crm_core.crm_leads set urgency = null, version = version + 1 where lead_id = ?');
    const batchId = uuidv7();
    await makeEvent(batchId, 'lead.released', leadId);
    await deliver(batchId);
    await eventually('it shows none', async () => (await priority()) === undefined);
    expect(await inOrg('select cause from crm_core.crm_lead_scores where lead_id = ?')).toEqual([{ cause: 'engaged' }]);
  });
});

describe('an event without a subscriber', () => {
  it('is delivered', async () => {
    const batchId = uuidv7();
    const id = await makeEvent(batchId, 'lead.touched', uuidv7());
    await deliver(batchId);
    expect(await readEvent(id)).toMatchObject({ attempts: 1, delivered_at: expect.anything() });
  });
});

describe('a change of the configuration', () => {
  it('reaches exactly the running processes that depend on it', async () => {
    const calendar = await makeCalendar(org);
    const [keeper, other] = [await makeUser(org, { calendarId: calendar.id }), await makeUser(org)];
    const affected = [
      await startLead({ assignedUserId: keeper.id }),
      await startLead({ assignedUserId: keeper.id, stage: 'touched' }),
    ];
    // One without a process, and one that has ended: both are passed over.
    await makeLead(org, await makePerson(org), { assignedUserId: keeper.id, stage: 'assigned' });
    const unaffected = [
      await startLead({ assignedUserId: other.id }),
      await startLead({ assignedUserId: keeper.id, status: 'qualified', stage: 'qualified' }),
      await startLead({ assignedUserId: keeper.id, deletedAt: new Date() }),
    ];
    const batchId = uuidv7();
    await makeEvent(batchId, 'calendar.updated', calendar.id);
    await deliver(batchId);
    await eventually('the affected leads heard', async () =>
      (await Promise.all(affected.map(signalsOf))).every(({ length }) => length > 0),
    );
    await environment.client.workflow.getHandle(`fan-out:${org.id}:calendar:${calendar.id}`).result();
    expect(await Promise.all([...affected, ...unaffected].map(signalsOf))).toEqual([
      ['configurationChanged'],
      ['configurationChanged'],
      [],
      [],
      [],
    ]);
  });

  it('of who may come in is one of the user, a new name is none', async () => {
    const user = await makeUser(org);
    const leadId = await startLead({ assignedUserId: user.id });
    const tell = async (kind: string, payload = {}) => {
      const batchId = uuidv7();
      await makeEvent(batchId, kind, user.id, payload);
      await deliver(batchId);
    };
    await tell('identity.updated', { fields: ['fullName', 'email'] });
    const fanOut = environment.client.workflow.getHandle(`fan-out:${org.id}:user:${user.id}`);
    await expect(fanOut.describe()).rejects.toThrow('not found');
    await tell('identity.updated', { fields: ['status'] });
    await fanOut.result();
    expect(await signalsOf(leadId)).toContain('configurationChanged');
  });

  it.each(['organization', 'user', 'team', 'assignment_rule', 'calendar'] as const)(
    'finds the leads that depend on: %s',
    async (kind) => {
      const calendar = await makeCalendar(org);
      const [own, standard] = [await makeUser(org, { calendarId: calendar.id }), await makeUser(org)];
      const [mine, yours] = [await makeTeam(org), await makeTeam(org)];
      const person = await makePerson(org);
      const lead = async (overrides: Record<string, unknown>) =>
        leadProcess.workflowId((await makeLead(org, person, overrides)).id);
      const first = await lead({ assignedUserId: own.id, teamId: mine.id });
      const second = await lead({ assignedUserId: standard.id, teamId: yours.id });
      const unassigned = await lead({ stage: 'scored' });
      const ids = {
        organization: org.id,
        user: own.id,
        team: mine.id,
        assignment_rule: uuidv7(),
        calendar: calendar.id,
      };
      const expected = { organization: [second], user: [first], team: [first], assignment_rule: [], calendar: [first] };
      const page = await inActivity().run(activities.affectedProcesses, {
        organizationId: org.id,
        kind,
        id: ids[kind],
        cursor: null,
      });
      expect(page).toEqual({ workflowIds: [...expected[kind], unassigned], cursor: null });
    },
  );

  it('finds them page by page', async () => {
    const [user, person] = [await makeUser(org), await makePerson(org)];
    const template = await makeLead(org, person, { assignedUserId: user.id });
    const copies = Array.from({ length: 500 }, () => ({ ...template, id: uuidv7() }));
    await inOrganization(database, org.id, (em) => insertRows(em, [{ into: Lead, rows: copies }]));
    const input = { organizationId: org.id, kind: 'user', id: user.id } as const;
    const page = (cursor: string | null): Promise<AffectedPage> =>
      inActivity().run(activities.affectedProcesses, { ...input, cursor });
    const first = await page(null);
    const second = await page(first.cursor);
    expect(new Set([...first.workflowIds, ...second.workflowIds]).size).toBe(501);
    expect([first.workflowIds.length, second.workflowIds.length, second.cursor]).toEqual([500, 1, null]);
  });

  it('is told at the rate asked for, from where the last attempt got to, past processes that have ended', async () => {
    const user = await makeUser(org);
    const [first, second] = [
      await startLead({ assignedUserId: user.id }),
      await startLead({ assignedUserId: user.id }),
    ];
    const workflowIds = [first, 'lead-that-is-gone', second].map((id) =>
      id === 'lead-that-is-gone' ? id : leadProcess.workflowId(id),
    );
    const attempt = new MockActivityEnvironment({ heartbeatDetails: 1 });
    const progress: unknown[] = [];
    attempt.on('heartbeat', (details) => progress.push(details));
    const begun = performance.now();
    await attempt.run(activities.signalConfigurationChanged, { workflowIds, perSecond: 10 });
    expect(performance.now() - begun).toBeGreaterThanOrEqual(99);
    expect(progress).toEqual([2, 3]);
    await eventually('the last one heard', async () => (await signalsOf(second)).length > 0);
    expect(await signalsOf(first)).toEqual([]);
  });
});

describe('a deleted lead', () => {
  const setDeleted = (leadId: string, at: Date | null) =>
    inOrganization(database, org.id, (em) =>
      em.execute('update crm_core.crm_leads set deleted_at = ? where lead_id = ?', [at, leadId]),
    );
  const statusOf = async (leadId: string) =>
    (await environment.client.workflow.getHandle(leadProcess.workflowId(leadId)).describe()).status.name;

  it('has its process ended; restored it gets a new one', async () => {
    const user = await makeUser(org);
    const leadId = await startLead({ assignedUserId: user.id });
    await setDeleted(leadId, new Date());
    const removal = uuidv7();
    await makeEvent(removal, 'lead.removed', leadId);
    await deliver(removal);
    await eventually('the process has ended', async () => (await statusOf(leadId)) === 'COMPLETED');

    await setDeleted(leadId, null);
    const restoration = uuidv7();
    await makeEvent(restoration, 'lead.restored', leadId);
    await deliver(restoration);
    expect(await statusOf(leadId)).toBe('RUNNING');
    const { searchAttributes } = await environment.client.workflow.getHandle(leadProcess.workflowId(leadId)).describe();
    expect(searchAttributes).toMatchObject({ CrmRecord: [leadId], CrmOrganization: [org.id] });
  });

  it('whose process was never there needs nothing', async () => {
    const batchId = uuidv7();
    const id = await makeEvent(batchId, 'lead.removed', uuidv7());
    await deliver(batchId);
    expect((await readEvent(id)).delivered_at).not.toBeNull();
  });
});
