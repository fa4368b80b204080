import { beforeEach, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { findingsIn, plantedInstallation, type PlantedRows, secondsAgo } from './installation.ts';

const installation = plantedInstallation();
let rows: PlantedRows;
beforeEach(() => {
  rows = installation();
});
const found = () => findingsIn(rows);

it('has every change of a record', async () => {
  await rows.set('crm_users', 'user_id', rows.userId, { version: 3 });
  await rows.change('user', rows.userId, { subject_version: 2, field: 'fullName', value_after: '"Ada"' });
  await rows.change('user', rows.userId, { subject_version: 2, field: 'email', value_after: '"ada@x.example"' });
  expect(await found()).toEqual({ 'audit-gap': [`user ${rows.userId}`] });
  await rows.change('user', rows.userId, { subject_version: 3 });
  expect(await found()).toEqual({});
});

it('ends with what is in the row, whatever kind of column it is', async () => {
  const dueAt = new Date('2030-01-02T03:04:05.060Z');
  const lead = await rows.lead({
    next_due_at: dueAt,
    urgency: null,
    utm: '{"source":"a","medium":"b"}',
    score: 7,
    version: 3,
  });
  const at = secondsAgo(5);
  const change = (field: string, after: unknown, version = 2) =>
    rows.change('lead', lead, {
      subject_version: version,
      field,
      value_after: after === null ? null : JSON.stringify(after),
      happened_at: at,
    });
  await change('nextDueAt', '2029-01-01T00:00:00.000Z');
  await change('nextDueAt', dueAt.toISOString(), 3);
  await change('urgency', null);
  await change('utm', { medium: 'b', source: 'a' });
  await change('score', 7);
  await change('assignedUserId', rows.userId);
  await change('deletedAt', null);
  await change('normalizedCompany', 'follows from another');
  await change('gone', 'a column of an older release');
  await rows.tell('lead', lead, 'lead.assigned', at);
  expect(await found()).toEqual({});
  await rows.set('crm_leads', 'lead_id', lead, { next_due_at: new Date(dueAt.getTime() + 1), urgency: 'high' });
  expect(await found()).toEqual({ 'audit-differs': [`lead ${lead}`] });
});

it('leads to the stage that a record is in', async () => {
  const [lead, ticket] = [
    await rows.lead({ stage: 'touched', touched_at: new Date() }),
    await rows.ticket({ stage: 'closed', status: 'closed', closed_at: new Date() }),
  ];
  expect(await found()).toEqual({ 'stage-unrecorded': [`lead ${lead}`, `ticket ${ticket}`].toSorted() });
  await rows.moved('lead', lead, 'touched');
  await rows.moved('ticket', ticket, 'closed');
  expect(await found()).toEqual({});
});

it('has what a command did', async () => {
  const [lead, ticket] = [await rows.lead(), await rows.ticket()];
  const answered = { answer_status: 200 };
  const touched = await rows.command({ ...answered, record_id: lead, message: 'touch' });
  const closed = await rows.command({ ...answered, record_id: ticket, process: 'ticket', message: 'close' });
  // What may change nothing, was refused, or came by a signal, which the trail does not know by its command.
  await rows.command({ ...answered, record_id: ticket, process: 'ticket', message: 'setPriority' });
  await rows.command({ answer_status: 409, record_id: lead, message: 'touch' });
  await rows.command({ answer_status: 204, record_id: lead, message: 'touch', route: 'signal' });
  expect(await found()).toEqual({ 'command-without-change': [`command ${touched}`, `command ${closed}`].toSorted() });
  await rows.change('lead', lead, { command_id: touched });
  await rows.change('ticket', ticket, { command_id: closed });
  expect(await found()).toEqual({});
});

it('is told in the timeline', async () => {
  const [lead, ticket, untold] = [await rows.lead(), await rows.ticket(), await rows.lead({}, 'timeline')];
  await rows.change('lead', lead, { field: 'status', value_after: '"open"', happened_at: secondsAgo(7) });
  await rows.remove('crm_timeline', `subject_id = $1 and kind = 'ticket.assigned'`, [ticket]);
  expect(await found()).toEqual({
    'capture-untold': [`lead ${untold}`],
    'change-untold': [`lead ${lead}`, `ticket ${ticket}`].toSorted(),
  });
});

it('tells of no record that is gone', async () => {
  const gone = uuidv7();
  await rows.tell('account', gone, 'account.created', secondsAgo(5));
  await rows.tell('sla_policy', uuidv7(), 'sla_policy.applied', secondsAgo(5));
  expect(await found()).toEqual({ 'record-missing': [`account ${gone}`] });
});
