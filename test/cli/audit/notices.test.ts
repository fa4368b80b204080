import { beforeEach, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { findingsIn, plantedInstallation, type PlantedRows, secondsAgo } from './installation.ts';

const installation = plantedInstallation();
let rows: PlantedRows;
beforeEach(() => {
  rows = installation();
});
const found = () => findingsIn(rows);

it('whoever is given something is told of it, as often as it is given', async () => {
  const lead = await rows.lead({ round: 2 });
  await rows.assignment(lead, { round: 2 });
  const ticket = await rows.ticket();
  // Routed again to the same agent, or into the queue: nothing new to them. Nor is what somebody took themselves.
  await rows.insert('crm_ticket_assignments', { ...decision(2), ticket_assignment_id: uuidv7(), ticket_id: ticket });
  const taken = await rows.lead({}, 'assignment');
  await rows.insert('crm_lead_assignments', {
    ...decision(1),
    lead_assignment_id: uuidv7(),
    lead_id: taken,
    created_by: `user:${rows.userId}`,
  });
  for (const [type, id] of [
    ['ticket', ticket],
    ['lead', taken],
  ] as const)
    await rows.tell(type, id, 'assigned', at);
  expect(await found()).toEqual({});
  for (const id of [lead, ticket])
    await rows.remove(
      'crm_notifications',
      'notification_id = (select notification_id from crm_core.crm_notifications where subject_id = $1 limit 1)',
      [id],
    );
  await rows.remove('crm_outbox', `kind = 'notification.created' and subject_id in ($1, $2)`, [lead, ticket]);
  const all = await found();
  expect(all['notice-missing']).toEqual([`lead ${lead}`, `ticket ${ticket}`].toSorted());
  expect(Object.keys(all).toSorted()).toEqual(['event-missing', 'notice-missing']);
});

it('whoever has a lead is reminded of it, or who stands in for them', async () => {
  const id = await rows.lead();
  const step = { step: 'remind_owner', due_at: at, detected_at: at, outcome: 'reminded' };
  await rows.insert('crm_lead_steps', { lead_step_id: uuidv7(), lead_id: id, round: 1, ...step, user_id: null });
  const standIn = uuidv7();
  await rows.insert('crm_users', { user_id: standIn, full_name: 'Grace', email: 'grace@x.example' });
  await rows.insert('crm_lead_steps', { lead_step_id: uuidv7(), lead_id: id, round: 2, ...step, user_id: standIn });
  expect(await found()).toEqual({ 'notice-missing': [`lead ${id}`] });
  await rows.notice('lead', id, 'lead.remind_owner');
  expect(await found()).toEqual({});
});

it('what is told leaves by the outbox', async () => {
  const lead = await rows.lead();
  const silent = await rows.notice('lead', lead, 'lead.remind_owner');
  await rows.remove('crm_outbox', `payload ->> 'notificationId' = $1`, [silent]);
  expect(await found()).toEqual({ 'event-missing': [`notification ${silent}`] });
  const event = await rows.event({
    kind: 'notification.created',
    payload: JSON.stringify({ notificationId: uuidv7() }),
    delivered_at: at,
  });
  expect(await found()).toEqual({
    'event-missing': [`notification ${silent}`],
    'event-of-nothing': [`event ${event}`],
  });
});

it('a reply leaves by the outbox, a note does not', async () => {
  const [ticket, conversation] = [await rows.ticket(), uuidv7()];
  const talk = { ticket_id: ticket, channel: 'email', subject: 'Help', last_message_at: at };
  await rows.insert('crm_conversations', { conversation_id: conversation, ...talk });
  const said = (kind: string) => ({
    conversation_message_id: uuidv7(),
    conversation_id: conversation,
    ticket_id: ticket,
    kind,
    body: 'Hello',
    sent_at: at,
  });
  await rows.insert('crm_conversation_messages', said('note'));
  const reply = said('reply');
  await rows.insert('crm_conversation_messages', reply);
  expect(await found()).toEqual({ 'event-missing': [`reply ${reply.conversation_message_id}`] });
  const payload = JSON.stringify({ conversationMessageId: reply.conversation_message_id });
  await rows.event({ kind: 'ticket_reply.created', payload, delivered_at: at });
  expect(await found()).toEqual({});
});

const at = secondsAgo(5);

const decision = (round: number) => ({
  round,
  user_id: rows.userId,
  team_id: rows.teamId,
  reason: 'given by a person',
  candidates: '[]',
  rules_tried: '[]',
  decided_at: at,
});
