import { expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { createTicketActivities } from '../../activities/tickets.ts';
import { capacityFreed } from '../../activities/tickets/capacity.ts';
import { inOrganization } from '../../db/database.ts';
import { eventRow } from '../../db/model/changes.ts';
import { type Insertion, insertRows } from '../../db/model/set-based.ts';
import { tickets } from '../../db/tickets/ticket.ts';
import { ticketProcess } from '../../workflows/tickets/messages.ts';
import { databaseFixture } from '../db/database-fixture.ts';
import { adminOf, makeTeam, makeUser, writeAs } from '../support/factories.ts';
import { eventually } from '../support/temporal.ts';
import { type Desk, makeDesk, makeRoutingRule } from './tickets/routing-house.ts';
import { unattendedProcesses } from './unattended-processes.ts';

const fixture = databaseFixture();
const processes = unattendedProcesses(fixture);

/** A queued ticket with a process. */
async function queuedTicket(desk: Desk, values: Record<string, unknown> = {}): Promise<string> {
  const ticketId = await desk.open(values);
  await desk.route(ticketId);
  await processes.start(ticketProcess, ticketId, { organizationId: desk.org.id, ticketId });
  return ticketId;
}

const told = (ticketId: string) => processes.signalsOf(ticketProcess, ticketId);
const toldTimes = async (ticketId: string) => (await told(ticketId)).filter((name) => name === 'capacityFreed').length;

async function deliver({ org }: Desk, events: Insertion): Promise<void> {
  const batchId = uuidv7();
  const rows = events.rows.map((row) => ({ ...row, batchId }));
  await inOrganization(fixture.app, org.id, (em) => insertRows(em, [{ ...events, rows }]));
  await processes.deliver(batchId);
}

const change = ({ org }: Desk, subjectType: string, subjectId: string) => ({
  organizationId: org.id,
  actor: adminOf(org),
  at: new Date(),
  subjectType,
  subjectId,
  commandId: null,
});

it('the oldest tickets in the queue hear when a place is free, one for each place', async () => {
  const desk = await makeDesk(fixture.app, { agents: [{ ticketCapacity: 1 }] });
  const userId = String(desk.agents[0]?.id);
  const held = await desk.open();
  await desk.route(held);
  const [first, second] = [await queuedTicket(desk), await queuedTicket(desk)];
  await deliver(desk, capacityFreed(change(desk, 'ticket', held), userId));
  expect([await toldTimes(first), await toldTimes(second)]).toEqual([0, 0]);
  await desk.resolve(held);
  await deliver(desk, capacityFreed(change(desk, 'ticket', held), userId));
  await eventually('the first one heard', async () => (await toldTimes(first)) === 1);
  expect(await toldTimes(second)).toBe(0);
});

it('of the tickets that could have a free place the most urgent one hears, however long others have waited', async () => {
  const desk = await makeDesk(fixture.app, { agents: [{ ticketCapacity: 2 }] });
  const held = [await desk.open(), await desk.open()];
  for (const ticketId of held) await desk.route(ticketId);
  const waiting: string[] = [];
  for (const priority of ['P4', 'P2', 'P1', 'P2']) waiting.push(await queuedTicket(desk, { priority }));
  for (const ticketId of held) await desk.resolve(ticketId);
  await deliver(desk, capacityFreed(change(desk, 'ticket', held[0] ?? ''), String(desk.agents[0]?.id)));
  expect(await Promise.all(waiting.map(toldTimes))).toEqual([0, 1, 1, 0]);
});

it('however many wait before them that cannot take it: for lack of a rule, a skill or the team', async () => {
  const desk = await makeDesk(fixture.app, {
    agents: [{ ticketCapacity: 1, skills: ['german'] }],
    rule: { when: 'priority == "P3"' },
  });
  const elsewhere = await makeTeam(desk.org, [await makeUser(desk.org, { ticketCapacity: 0 })]);
  await makeRoutingRule(desk.org, elsewhere, { when: 'priority == "P2"' });
  const held = await desk.open();
  await desk.route(held);
  const before = [
    await queuedTicket(desk, { priority: 'P1' }),
    await queuedTicket(desk, { priority: 'P2' }),
    await queuedTicket(desk, { skills: ['french'] }),
  ];
  const taker = await queuedTicket(desk, { skills: ['german'] });
  await desk.resolve(held);
  await deliver(desk, capacityFreed(change(desk, 'ticket', held), String(desk.agents[0]?.id)));
  expect(await toldTimes(taker)).toBe(1);
  expect(await Promise.all(before.map(toldTimes))).toEqual([0, 0, 0]);
});

it('a place whose ticket has ended, or was given another one, goes on to the next ticket', async () => {
  const desk = await makeDesk(fixture.app, { agents: [{ ticketCapacity: 1 }, { ticketCapacity: 1 }] });
  const [one, other] = desk.agents.map(({ id }) => id) as [string, string];
  const held = [await desk.open(), await desk.open()];
  for (const ticketId of held) await desk.route(ticketId);
  const [first, second, third] = [await queuedTicket(desk), await queuedTicket(desk), await queuedTicket(desk)];
  for (const ticketId of held) await desk.resolve(ticketId);
  for (const userId of [one, other]) await deliver(desk, capacityFreed(change(desk, 'ticket', held[0]!), userId));
  expect([await toldTimes(first), await toldTimes(second)]).toEqual([2, 0]);

  const announced = () =>
    desk.sql<{ user_id: string }>(
      `select payload ->> 'userId' as user_id from crm_core.crm_outbox
       where kind = 'ticket.capacity_freed' and subject_id = any(?::uuid[]) order by event_id`,
      [`{${first},${second},${third}}`],
    );
  const { replanTicket } = createTicketActivities({ database: fixture.app });
  const look = (ticketId: string, freedUserId: string) =>
    replanTicket({
      organizationId: desk.org.id,
      ticketId,
      at: new Date().toISOString(),
      isFactChange: false,
      freedUserId,
    });
  const { assignedUserId: taken } = await look(first, one);
  expect(await announced()).toEqual([]);
  const free = taken === one ? other : one;
  await look(first, free);
  expect(await announced()).toEqual([{ user_id: free }]);
  await deliver(desk, capacityFreed(change(desk, 'ticket', held[0]!), free));
  expect([await toldTimes(second), await toldTimes(third)]).toEqual([1, 0]);

  await desk.resolve(second);
  await look(second, free);
  expect(await announced()).toEqual([{ user_id: free }, { user_id: free }]);
  expect((await look(third, free)).assignedUserId).toBe(free);
  // Somebody was quicker: who has the place says when it is free again.
  const late = await queuedTicket(desk);
  await look(late, free);
  expect(await announced()).toHaveLength(2);
});

it('they hear at once when a ticket of their agent is deleted, though its process has ended', async () => {
  const desk = await makeDesk(fixture.app, { agents: [{ ticketCapacity: 1 }] });
  const held = await desk.open();
  await desk.route(held);
  const waiting = await queuedTicket(desk);
  await desk.org.records.remove(writeAs(adminOf(desk.org)), tickets, held, '*');
  const [removed] = await desk.sql<{ kind: string }>(`select kind from crm_core.crm_outbox where subject_id = ?`, [
    held,
  ]);
  expect(removed).toEqual({ kind: 'ticket.removed' });
  await deliver(desk, eventRow(change(desk, 'ticket', held), 'ticket.removed'));
  await eventually('the first one heard', async () => (await toldTimes(waiting)) === 1);
});

it('they hear when somebody has more capacity, and one whose process has ended takes no place', async () => {
  const desk = await makeDesk(fixture.app, { agents: [{ ticketCapacity: 0 }] });
  const userId = String(desk.agents[0]?.id);
  const [ended, waiting] = [await queuedTicket(desk), await queuedTicket(desk)];
  await processes.handle(ticketProcess.workflowId(ended)).terminate();
  await desk.sql('update crm_core.crm_users set ticket_capacity = 1 where user_id = ?', [userId]);
  await deliver(desk, eventRow(change(desk, 'user', userId), 'user.updated'));
  await eventually('it heard', async () => (await toldTimes(waiting)) === 1);
  processes.handle(`fan-out:${desk.org.id}:user:${userId}`);
});

it('a ticket hears that somebody has changed its row, and one whose process has ended is passed over', async () => {
  const desk = await makeDesk(fixture.app, { agents: [{ ticketCapacity: 0 }] });
  const [ended, waiting] = [await queuedTicket(desk), await queuedTicket(desk)];
  await processes.handle(ticketProcess.workflowId(ended)).terminate();
  for (const ticketId of [ended, waiting])
    await deliver(desk, eventRow(change(desk, 'ticket', ticketId), 'ticket.updated'));
  for (const fields of [['description'], ['description', 'category']])
    await deliver(desk, eventRow(change(desk, 'ticket', waiting), 'ticket.updated', { fields }));
  expect(await told(waiting)).toEqual(['configurationChanged', 'configurationChanged', 'factsChanged']);
  expect(await told(ended)).toEqual([]);
});
