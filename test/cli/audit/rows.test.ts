import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Client } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { rowChecks, runCheck } from '../../../db/automation/audit.queries.ts';
import { type TestDatabase, testDatabase } from '../../support/database.ts';
import { idFromAgo, PlantedRows, secondsAgo } from './installation.ts';

let database: TestDatabase;
let rows: PlantedRows;

beforeAll(async () => {
  database = await testDatabase();
});

afterAll(async () => {
  await database.close();
});

// Each test plants its rows in a transaction that is never committed.
beforeEach(async () => {
  rows = await PlantedRows.connect(database.url);
  await rows.client.query('begin');
  await rows.plant();
});

afterEach(async () => {
  await rows.close();
});

/** Runs checks on what is planted, in the role in which `crm audit` reads. */
async function asRelay<Result>(work: (client: Client) => Promise<Result>): Promise<Result> {
  await rows.client.query('set local role crm_relay');
  const result = await work(rows.client);
  await rows.client.query('reset role');
  return result;
}

/** Names of the checks that find something, each with the subjects that it names. */
async function found(): Promise<Record<string, string[]>> {
  return asRelay(async (client) => {
    const outcomes: [string, string[]][] = [];
    for (const check of rowChecks) {
      const { count, findings } = await runCheck(client, check);
      if (count > 0) outcomes.push([check.name, findings.map(({ subject }) => subject)]);
    }
    return Object.fromEntries(outcomes);
  });
}

describe('rows that agree', () => {
  it('are clean', async () => {
    await rows.lead();
    await rows.lead({ status: 'merged', stage: 'merged', round: 0, assigned_user_id: null }, 'score');
    await rows.command({ state: 'received', answer_status: null, received_at: secondsAgo(60) });
    await rows.event({ occurred_at: secondsAgo(600) });
    await rows.event({ event_id: idFromAgo(600), delivered_at: new Date() });
    expect(await found()).toEqual({});
  });

  it('are clean without a command when a set-up wrote them', async () => {
    await rows.lead({ created_by: 'process:demo' }, 'command');
    expect(await found()).toEqual({});
  });
});

describe('the ledger', () => {
  it('has a command overdue', async () => {
    const id = await rows.command({
      state: 'received',
      answer_status: null,
      received_at: secondsAgo(95),
      lease_until: new Date(Date.now() + 20_000),
    });
    // A bulk request that broke off: its caller repeats it or not, and its rows have commands of their own.
    await rows.command({
      state: 'received',
      answer_status: null,
      message: null,
      record_id: null,
      received_at: secondsAgo(95),
    });
    expect(await found()).toEqual({ 'command-overdue': [`command ${id}`] });
  });

  it('has what a process owes refused, until somebody has seen to it', async () => {
    const refused = { answer_status: 409, answer: '{"code":"illegal_stage"}' };
    const id = await rows.command({ ...refused, message: 'touch', actor: '{"kind":"process"}' });
    await rows.command({ ...refused, message: 'touch', actor: '{"kind":"user"}' });
    await rows.command({ ...refused, message: 'touch', actor: '{"kind":"process"}', deleted_at: new Date() });
    expect(await found()).toEqual({ 'owed-command-refused': [`command ${id}`] });
  });

  it('has an answer without its lead, but for refusals', async () => {
    const id = await rows.command();
    await rows.command({ answer_status: 422 });
    await rows.command({ message: 'touch' });
    expect(await found()).toEqual({ 'answered-without-lead': [`command ${id}`] });
  });

  it('lacks the command of a lead', async () => {
    const id = await rows.lead({}, 'command');
    await rows.command({ record_id: id, message: 'touch' });
    expect(await found()).toEqual({ 'lead-without-command': [`lead ${id}`] });
  });

  it('has an event that nobody delivers', async () => {
    const id = await rows.event({ event_id: idFromAgo(65) });
    expect(await found()).toEqual({ 'event-overdue': [`event ${id}`] });
  });
});

describe('leads among each other', () => {
  it('have the same mail', async () => {
    const [one, two] = [await rows.lead({ email: 'a@x.example' }), await rows.lead({ email: 'a@x.example' })];
    await rows.lead({ email: 'a@x.example', status: 'merged', stage: 'merged' });
    await rows.lead({ email: 'a@x.example', deleted_at: new Date() });
    expect(await found()).toEqual({ 'same-mail': [`lead ${[one, two].toSorted()[0]}`] });
  });

  it('have the same phone and name', async () => {
    const same = { phone: '+4930901820', normalized_name: 'ada' };
    const ids = [await rows.lead(same), await rows.lead(same)];
    await rows.lead({ ...same, normalized_name: 'grace' });
    expect(await found()).toEqual({ 'same-phone-and-name': [`lead ${ids.toSorted()[0]}`] });
  });

  it('may be alike when a person opened one again', async () => {
    await rows.lead({ email: 'a@x.example' });
    const unmerged = await rows.lead({ email: 'a@x.example' });
    const undone = {
      subject_type: 'lead',
      survivor_id: uuidv7(),
      merged_id: unmerged,
      evidence: '{}',
      merged_at: new Date(),
    };
    await rows.insert('crm_merges', { merge_id: uuidv7(), ...undone, undone_at: new Date() });
    const restored = await rows.lead({ email: 'a@x.example' });
    await rows.change('lead', restored, { field: 'deletedAt' });
    expect(await found()).toEqual({});
  });

  it('are counted wrongly with their owner', async () => {
    const { rows: users } = await rows.client.query<{ user_id: string }>(
      'select user_id from crm_core.crm_users limit 1',
    );
    await rows.client.query('update crm_core.crm_users set open_leads = open_leads + 1 where user_id = $1', [
      users[0]?.user_id,
    ]);
    expect(await found()).toEqual({ 'load-miscounted': [`user ${users[0]?.user_id}`] });
  });

  it('are given to two people in one round', async () => {
    await rows.client.query('drop index crm_core.crm_lead_assignments_lead_id_round_unique');
    const id = await rows.lead();
    await rows.assignment(id);
    expect(await found()).toEqual({ 'assigned-twice': [`lead ${id}`] });
  });

  it('are assigned or scored without an explanation', async () => {
    const assigned = await rows.lead({}, 'assignment');
    const scored = await rows.lead({}, 'score');
    expect(await found()).toEqual({
      'assignment-unexplained': [`lead ${assigned}`],
      'score-unexplained': [`lead ${scored}`],
    });
  });

  it('are more than somebody can take', async () => {
    const byTurn = async () => {
      const id = await rows.lead({}, 'assignment');
      await rows.assignment(id, { took_turn: true });
    };
    for (let given = 0; given < 3; given++) await byTurn();
    await rows.lead();
    await rows.set('crm_team_members', 'user_id', rows.userId, { turns: 3 });
    expect(await found()).toEqual({ 'over-capacity': [`user ${rows.userId}`] });
    await rows.change('user', rows.userId, { field: 'capacity', value_before: '3', value_after: '2' });
    expect(await found()).toEqual({});
  });

  it('took other turns than were counted', async () => {
    const id = await rows.lead({}, 'assignment');
    await rows.assignment(id, { took_turn: true });
    expect(await found()).toEqual({ 'turns-astray': [`team ${rows.teamId}`] });
    await rows.set('crm_team_members', 'user_id', rows.userId, { turns: 1 });
    expect(await found()).toEqual({});
  });
});

describe('the trail', () => {
  it('lacks a change of a record', async () => {
    await rows.set('crm_users', 'user_id', rows.userId, { version: 3 });
    await rows.change('user', rows.userId, { subject_version: 2, field: 'fullName' });
    await rows.change('user', rows.userId, { subject_version: 2, field: 'email' });
    expect(await found()).toEqual({ 'audit-gap': [`user ${rows.userId}`] });
    await rows.change('user', rows.userId, { subject_version: 3 });
    expect(await found()).toEqual({});
  });

  it('does not tell of a capture', async () => {
    const id = await rows.lead({}, 'timeline');
    expect(await found()).toEqual({ 'capture-untold': [`lead ${id}`] });
  });
});

describe('many discrepancies', () => {
  it('are counted, and the first twenty named', async () => {
    for (let made = 0; made < 25; made++) await rows.event({ event_id: idFromAgo(100 + made) });
    const check = rowChecks.find(({ name }) => name === 'event-overdue')!;
    const outcome = await asRelay((client) => runCheck(client, check));
    expect(outcome.count).toBe(25);
    expect(outcome.findings).toHaveLength(20);
    expect(outcome.findings[0]).toMatchObject({
      organizationId: rows.organizationId,
      detail: expect.stringContaining('lead.assigned of lead'),
    });
  });
});
