import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { runCheck } from '../../../db/automation/audit.queries.ts';
import { ticketChecks } from '../../../db/automation/audit/tickets.ts';
import { ticketProcess } from '../../../workflows/tickets/messages.ts';
import { type TestDatabase, testDatabase } from '../../support/database.ts';
import { PlantedRows, secondsAgo } from './installation.ts';

type Values = Record<string, unknown>;

let database: TestDatabase;
let rows: PlantedRows;
let number: number;

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

// Each test plants its rows in a transaction that is never committed.
beforeEach(async () => {
  rows = await PlantedRows.connect(database.url);
  await rows.client.query('begin');
  await rows.plant();
  number = 0;
});
afterEach(() => rows.close());

/** Names of the checks that find something, each with the subjects that it names. */
async function found(): Promise<Record<string, string[]>> {
  await rows.client.query('set local role crm_relay');
  const outcomes: [string, string[]][] = [];
  for (const check of ticketChecks) {
    const { count, findings } = await runCheck(rows.client, check);
    if (count > 0) outcomes.push([check.name, findings.map(({ subject }) => subject)]);
  }
  await rows.client.query('reset role');
  return Object.fromEntries(outcomes);
}

/** An assigned ticket with everything that an opening writes, but for one part; answers its ID. */
async function ticket(values: Values = {}, without?: 'command' | 'timeline' | 'assignment'): Promise<string> {
  const [id, personId, at] = [uuidv7(), uuidv7(), new Date()];
  number += 1;
  const { userId, teamId } = rows;
  await rows.insert('crm_people', { person_id: personId, full_name: 'Ada' });
  const asked = {
    number,
    subject: 'Help',
    requester_person_id: personId,
    channel: 'web',
    priority: 'P3',
    opened_at: at,
  };
  const given = { status: 'open', stage: 'assigned', assigned_user_id: userId, team_id: teamId, round: 1 };
  await rows.insert('crm_tickets', { ticket_id: id, ...asked, ...given, ...values });
  if (without !== 'command')
    await rows.command({ record_id: id, process: ticketProcess.name, message: ticketProcess.startUpdate });
  const told = { kind: 'ticket.opened', summary: 'opened', happened_at: at, actor: 'user' };
  if (without !== 'timeline')
    await rows.insert('crm_timeline', { timeline_id: uuidv7(), subject_type: 'ticket', subject_id: id, ...told });
  if (without !== 'assignment') await assignment(id, { user_id: values['assigned_user_id'] === null ? null : userId });
  return id;
}

async function assignment(ticketId: string, values: Values = {}): Promise<void> {
  const decided = { round: 1, team_id: rows.teamId, reason: 'by turn', candidates: '[]', rules_tried: '[]' };
  const row = { ticket_assignment_id: uuidv7(), ticket_id: ticketId, ...decided, decided_at: new Date(), ...values };
  await rows.insert('crm_ticket_assignments', row);
}

const startedAt = secondsAgo(600);
const interval = (from: Date, to: Date | null, kind = 'running') => ({
  from: from.toISOString(),
  to: to?.toISOString() ?? null,
  kind,
  cause: 'opened',
});

async function clock(ticketId: string, values: Values = {}, intervals: object[] = [interval(startedAt, null)]) {
  const policyId = uuidv7();
  const policy = { name: policyId, position: 1, condition: 'true', targets: '{}' };
  await rows.insert('crm_sla_policies', { sla_policy_id: policyId, ...policy });
  const promise = { target: 'resolution', ordinal: 1, state: 'running', priority: 'P3', target_minutes: 60 };
  const own = { sla_clock_id: uuidv7(), ticket_id: ticketId, sla_policy_id: policyId, sla_policy_version: 1 };
  const times = { started_at: startedAt, due_at: secondsAgo(-600), intervals: JSON.stringify(intervals) };
  await rows.insert('crm_sla_clocks', { ...own, ...promise, ...times, ...values });
}

it('tickets that agree are clean: at work, in the queue, ended, or loaded by a set-up', async () => {
  const pausedAt = secondsAgo(300);
  await clock(await ticket(), {}, [interval(startedAt, pausedAt), interval(pausedAt, null, 'paused')]);
  await ticket({ stage: 'queued', assigned_user_id: null });
  const endedAt = secondsAgo(10);
  await clock(await ticket({ stage: 'resolved', status: 'resolved' }), { state: 'met', ended_at: endedAt }, [
    interval(startedAt, endedAt),
  ]);
  await ticket({ created_by: 'process:demo' }, 'command');
  expect(await found()).toEqual({});
});

it('an opening leaves a row, a command and a line in the timeline', async () => {
  const answered = await rows.command({ process: ticketProcess.name, message: ticketProcess.startUpdate });
  const [uncommanded, untold] = [await ticket({}, 'command'), await ticket({}, 'timeline')];
  expect(await found()).toEqual({
    'answered-without-ticket': [`command ${answered}`],
    'ticket-without-command': [`ticket ${uncommanded}`],
    'opening-untold': [`ticket ${untold}`],
  });
});

it('open tickets are counted, explained, and within the capacity', async () => {
  await rows.set('crm_users', 'user_id', rows.userId, { ticket_capacity: 1 });
  const unexplained = await ticket({}, 'assignment');
  for (let given = 0; given < 2; given += 1)
    await assignment(await ticket({}, 'assignment'), { user_id: rows.userId, took_turn: true });
  const users = { 'routing-unexplained': [`ticket ${unexplained}`], 'tickets-over-capacity': [`user ${rows.userId}`] };
  expect(await found()).toEqual(users);
  await rows.change('user', rows.userId, { field: 'ticketCapacity', value_before: '2', value_after: '1' });
  await rows.client.query('update crm_core.crm_users set open_tickets = open_tickets + 1 where user_id = $1', [
    rows.userId,
  ]);
  expect(await found()).toEqual({
    'routing-unexplained': [`ticket ${unexplained}`],
    'ticket-load-miscounted': [`user ${rows.userId}`],
  });
});

it('clocks are noticed when late, end with their ticket, and are explained without a gap', async () => {
  const [late, left, gap, short] = [
    await ticket(),
    await ticket({ stage: 'closed', status: 'closed' }),
    await ticket(),
    await ticket(),
  ];
  await clock(late, { due_at: secondsAgo(70) });
  await clock(left);
  await clock(gap, {}, [interval(startedAt, secondsAgo(300)), interval(secondsAgo(299), null)]);
  await clock(short, { state: 'met', ended_at: secondsAgo(10) }, [interval(startedAt, secondsAgo(20))]);
  expect(await found()).toEqual({
    'breach-unnoticed': [`ticket ${late}`],
    'clock-left-running': [`ticket ${left}`],
    'clock-unexplained': [`ticket ${gap}`, `ticket ${short}`].toSorted(),
  });
});
