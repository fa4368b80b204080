import { beforeEach, describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { rowChecks, runCheck } from '../../../db/automation/audit.queries.ts';
import { asRelay, findingsIn, idFromAgo, plantedInstallation, type PlantedRows, secondsAgo } from './installation.ts';

const installation = plantedInstallation();
let rows: PlantedRows;
beforeEach(() => {
  rows = installation();
});
const found = () => findingsIn(rows);

describe('rows that agree', () => {
  it('are clean', async () => {
    await rows.lead();
    await rows.mergedLead(await rows.lead());
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
    await rows.command({ message: 'rescore' });
    expect(await found()).toEqual({ 'answered-without-lead': [`command ${id}`] });
  });

  it('lacks the command of a lead', async () => {
    const id = await rows.lead({}, 'command');
    await rows.command({ record_id: id, message: 'rescore' });
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
    await rows.mergedLead(one, { email: 'a@x.example' });
    await rows.lead({ email: 'a@x.example', deleted_at: new Date() });
    expect(await found()).toEqual({ 'same-mail': [`lead ${[one, two].toSorted()[0]}`] });
  });

  it('have the same phone and name', async () => {
    const same = { phone: '+4930901820', normalized_name: 'ada' };
    const ids = [await rows.lead(same), await rows.lead(same)];
    await rows.lead({ ...same, normalized_name: 'grace' });
    expect(await found()).toEqual({ 'same-phone-and-name': [`lead ${ids.toSorted()[0]}`] });
  });

  it('may be alike when the merge of the two was taken back, and only then', async () => {
    const same = { email: 'a@x.example', phone: '+4930901820', normalized_name: 'ada' };
    const [survivor, unmerged] = [await rows.lead(same), await rows.lead(same)];
    await rows.merge('lead', unmerged, survivor, { undone_at: new Date() });
    await rows.merge('lead', unmerged, survivor, { undone_at: new Date() });
    expect(await found()).toEqual({});
    // Restored, or captured past the product: no merge of it was ever taken back.
    const restored = await rows.lead(same);
    await rows.change('lead', restored, { field: 'deletedAt' });
    const [first] = [survivor, unmerged, restored].toSorted();
    const doubled = { 'same-mail': [`lead ${first}`], 'same-phone-and-name': [`lead ${first}`] };
    expect(await found()).toEqual(doubled);
    // The merge of one of them with another lead explains nothing; that of a third one with the same survivor does.
    await rows.merge('lead', restored, await rows.lead(), { undone_at: new Date() });
    expect(await found()).toEqual(doubled);
    await rows.merge('lead', restored, survivor, { undone_at: new Date() });
    expect(await found()).toEqual({});
  });

  it('may be alike while the process of one is about to hear that it is back', async () => {
    await rows.lead({ email: 'a@x.example' });
    const restored = await rows.lead({ email: 'a@x.example' });
    const event = await rows.event({ kind: 'lead.restored', subject_id: restored });
    expect(await found()).toEqual({});
    await rows.set('crm_outbox', 'event_id', event, { delivered_at: new Date() });
    expect(Object.keys(await found())).toEqual(['same-mail']);
  });

  it('are doubles when one left a merge whose survivor went on into another lead', async () => {
    const same = { email: 'a@x.example' };
    const [last, left] = [await rows.lead(same), await rows.lead(same)];
    const between = await rows.mergedLead(last, same);
    await rows.merge('lead', left, between, { undone_at: new Date() });
    expect(await found()).toEqual({ 'same-mail': [`lead ${[last, left].toSorted()[0]}`] });
  });

  it('are qualified with evidence of four kinds, an account and a contact', async () => {
    const id = await qualified();
    expect(await found()).toEqual({});
    await rows.remove('crm_contacts', 'true');
    expect(await found()).toEqual({ 'qualified-unproven': [`lead ${id}`] });
    const other = await qualified();
    await rows.remove('crm_qualification_evidence', 'lead_id = $1 and criterion = $2', [other, 'need']);
    const another = await qualified();
    await rows.set('crm_leads', 'lead_id', another, { account_id: null });
    expect(await found()).toEqual({
      'qualified-unproven': [id, other, another].map((lead) => `lead ${lead}`).toSorted(),
    });
  });

  /** A lead with what its qualification writes. */
  async function qualified(): Promise<string> {
    const [accountId, at] = [uuidv7(), new Date()];
    await rows.insert('crm_accounts', {
      account_id: accountId,
      account_name: accountId,
      normalized_name: accountId,
      account_type: 'prospect',
    });
    const id = await rows.lead({ status: 'qualified', stage: 'qualified', account_id: accountId });
    await rows.client.query(
      `insert into crm_core.crm_contacts (contact_id, organization_id, person_id, account_id, created_at, created_by, updated_at, updated_by)
       select gen_random_uuid(), organization_id, person_id, account_id, created_at, created_by, updated_at, updated_by
       from crm_core.crm_leads where lead_id = $1`,
      [id],
    );
    for (const criterion of ['budget', 'authority', 'need', 'timing'])
      await rows.insert('crm_qualification_evidence', {
        qualification_evidence_id: uuidv7(),
        lead_id: id,
        criterion,
        statement: 'yes',
        reference: 'call',
        recorded_at: at,
      });
    return rows.moved('lead', id, 'qualified');
  }

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

describe('many discrepancies', () => {
  it('are counted, and the first twenty named', async () => {
    for (let made = 0; made < 25; made++) await rows.event({ event_id: idFromAgo(100 + made) });
    const check = rowChecks.find(({ name }) => name === 'event-overdue')!;
    const outcome = await asRelay(rows, () => runCheck(rows.client, check));
    expect(outcome.count).toBe(25);
    expect(outcome.findings).toHaveLength(20);
    expect(outcome.findings[0]).toMatchObject({
      organizationId: rows.organizationId,
      detail: expect.stringContaining('lead.assigned of lead'),
    });
  });
});
