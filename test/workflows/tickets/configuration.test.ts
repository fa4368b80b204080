import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { createActivities } from '../../../activities/index.ts';
import { teamMembers } from '../../../db/access/team-member.ts';
import { createDelivery } from '../../../api/processes/delivery.ts';
import { startRelay } from '../../../workers/relay.ts';
import type { PolicyPreview } from '../../../workflows/tickets/policy-preview.ts';
import { after, makeSlaPolicy } from '../../activities/tickets/ticket-house.ts';
import { silent, testApi, type TestApi } from '../../api/support.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { type Made, makeCalendar, writeAs } from '../../support/factories.ts';
import { eventually, sharedTemporal, testWorker, type TestWorker } from '../../support/temporal.ts';
import { type LivingTicket, SlaWorld } from './sla-world.ts';

// A change of the configuration on its whole way: HTTP, outbox, relay, fan-out, the signal to each ticket's process, its clocks.

const fixture = databaseFixture();
const everyDay = Object.fromEntries(
  ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'].map((day) => [
    day,
    [{ from: '00:00', to: '24:00' }],
  ]),
);
const targets = { P1: { first_response: 60, resolution: 240 } };

let environment: TestWorkflowEnvironment;
let automation: TestWorker;
let relay: ReturnType<typeof startRelay>;
let api: TestApi;
let world: SlaWorld;
let living: Pick<LivingTicket, 'handle'>[] = [];

beforeAll(async () => {
  environment = await sharedTemporal();
  const { app: database, relay: everything, url } = fixture;
  const { client } = environment;
  const taskQueue = `automation-${process.pid}`;
  const mailExchange = { lookup: () => Promise.resolve('unknown' as const) };
  const taskQueues = { processes: taskQueue, bulk: taskQueue };
  automation = await testWorker(
    environment,
    createActivities({ database, relay: everything, temporal: client, mail: null, mailExchange, taskQueues }),
    { taskQueue },
  );
  const deliver = createDelivery({ client, database, taskQueue, waitMilliseconds: 5_000 });
  relay = startRelay({ relay: everything, deliver, temporal: client, taskQueue, log: silent });
  api = await testApi(url, { deliver, client });
});
afterEach(async () => {
  for (const { handle } of living) await handle.terminate();
  living = [];
  await world?.close();
});
afterAll(async () => {
  await relay?.stop();
  await api?.close();
  await automation?.close();
  await environment?.teardown();
});

/** A ticket that was opened so many minutes ago, with all that has fallen due since on record. */
async function opened(minutesAgo: number): Promise<Omit<LivingTicket, 'state'>> {
  const ticket = await world.begin({ priority: 'P1' }, after(await world.now(), -minutesAgo));
  living.push(ticket);
  await settled(ticket);
  return ticket;
}

/** Waits until a ticket has taken every step that is due. */
const settled = ({ ticketId }: Pick<LivingTicket, 'ticketId'>) =>
  eventually('every step that is due is taken', async () => {
    const rows = await world.house.sql<{ next_due_at: string | null }>(
      'select next_due_at from crm_core.crm_tickets where ticket_id = ?',
      [ticketId],
    );
    const due = rows[0]?.next_due_at;
    return due === null || (due !== undefined && new Date(due) > new Date());
  });

async function send(method: string, path: string, body?: object, headers?: Record<string, string>) {
  const response = await api.send(method, path, {
    organizationId: world.house.org.id,
    roles: ['admin'],
    ...(body ? { body } : {}),
    ...(headers ? { headers } : {}),
  });
  const answer = (await response.json()) as Record<string, unknown>;
  if (!response.ok) throw new Error(JSON.stringify(answer));
  return { answer, etag: response.headers.get('etag') ?? '' };
}

/** Changes a record over HTTP, as it is now. */
async function change(method: 'PATCH' | 'PUT', path: string, body: object): Promise<void> {
  const { etag } = await send('GET', path);
  await send(method, path, body, { 'if-match': etag });
}

const firstResponse = async ({ ticketId }: Pick<LivingTicket, 'ticketId'>) =>
  (await world.house.clocks(ticketId)).find(({ target }) => target === 'first_response');
const breaches = async ({ ticketId }: Pick<LivingTicket, 'ticketId'>) =>
  (await world.house.steps(ticketId))
    .filter(({ step }) => step === 'breach')
    .map(({ target, outcome }) => `${target} ${outcome}`);
const noticesOf = ({ ticketId }: Pick<LivingTicket, 'ticketId'>, kind: string) =>
  world.house.count('crm_notifications', 'subject_id = ? and kind = ?', [ticketId, `ticket.${kind}`]);

it('a policy applied to open tickets does to each clock what its preview said, and tells of it once', async () => {
  world = await SlaWorld.open(environment, fixture.app, { policy: { targets } });
  const { house } = world;
  const breaching = await opened(50);
  const moving = await opened(10);
  const unbreaching = await opened(300);
  await world.send(unbreaching, 'reply', { text: 'Hello' }, after(unbreaching.openedAt, 5));
  const paused = await opened(20);
  await world.send(paused, 'setStatus', { status: 'waiting_for_customer' });
  const resolved = await opened(30);
  await world.send(resolved, 'resolve', {});
  expect(await breaches(unbreaching)).toEqual([
    'first_response taken back: not due by then',
    'resolution resolution breached',
  ]);

  const path = `/crm/v1/sla-policies/${house.policy.id}`;
  const body = { targets: { P1: { first_response: 40, resolution: 480 } } };
  const before = await house.sql('select * from crm_core.crm_sla_clocks order by sla_clock_id');
  const preview = (await send('POST', `${path}/preview-change`, body)).answer as unknown as PolicyPreview;
  expect(await house.sql('select * from crm_core.crm_sla_clocks order by sla_clock_id')).toEqual(before);
  expect(preview).toMatchObject({
    version: 2,
    openTickets: 4,
    effects: { breached: 1, unbreached: 1, moved: 5, begun: 0, cancelled: 0 },
  });
  const warned = await noticesOf(breaching, 'warning');

  expect((await send('POST', `${path}/apply-change`, body)).answer).toMatchObject({ version: 2, openTickets: 4 });
  for (const ticket of [breaching, moving, unbreaching, paused])
    await eventually(
      'the ticket follows the new version',
      async () => (await house.ticket(ticket.ticketId))['sla_policy_version'] === 2,
    );
  await settled(breaching);
  await eventually('the breach is noticed', async () => (await firstResponse(breaching))?.breached === true);
  for (const { ticketId, clocks } of preview.tickets) {
    const rows = await house.clocks(ticketId);
    for (const { target, ordinal, effect, dueTo } of clocks) {
      const row = rows.find((clock) => clock.target === target && clock.ordinal === ordinal);
      expect([row?.due_at?.toISOString() ?? null, row?.breached]).toEqual([dueTo, effect === 'breached']);
      expect(row?.changes.at(-1)?.cause).toBe('policy version 2 applied');
    }
  }
  const effectOn = ({ ticketId }: Pick<LivingTicket, 'ticketId'>) =>
    preview.tickets
      .find((ticket) => ticket.ticketId === ticketId)
      ?.clocks.map(({ target, effect, movedMinutes }) => [target, effect, movedMinutes]);
  expect(effectOn(breaching)).toEqual([
    ['first_response', 'breached', -20],
    ['resolution', 'moved', 240],
  ]);
  expect(effectOn(moving)).toEqual([
    ['first_response', 'moved', -20],
    ['resolution', 'moved', 240],
  ]);
  expect(effectOn(unbreaching)).toEqual([['resolution', 'unbreached', 240]]);
  expect(effectOn(paused)).toEqual([
    ['first_response', 'moved', null],
    ['resolution', 'moved', null],
  ]);
  expect(effectOn(resolved)).toBeUndefined();
  expect((await house.ticket(resolved.ticketId))['sla_policy_version']).toBe(1);

  // Told again, as a relay that died in between would tell them, nothing is on record twice.
  const told = async () => [
    await breaches(breaching),
    await noticesOf(breaching, 'breach'),
    (await noticesOf(breaching, 'warning')) - warned,
    await breaches(moving),
    (await breaches(unbreaching)).map((line) => line.includes('taken back')),
    await noticesOf(unbreaching, 'breach'),
    await breaches(paused),
  ];
  const once = [['first_response first response breached'], 1, 0, [], [true, true], 2, []];
  expect(await told()).toEqual(once);
  for (const ticket of [breaching, moving, unbreaching, paused]) {
    await ticket.handle.signal('configurationChanged', {});
    await world.send(ticket, 'note', { text: 'Seen.' });
  }
  expect(await told()).toEqual(once);
});

it('a calendar that changes moves the clocks that count by it, takes breaches back and brings them again', async () => {
  world = await SlaWorld.open(environment, fixture.app, { policy: { targets } });
  const { house } = world;
  const calendar = await makeCalendar(house.org, { timeZone: 'UTC', hours: everyDay });
  await makeSlaPolicy(house.org, { position: 1, calendarId: calendar.id, targets });
  const [running, late] = [await opened(50), await opened(90)];
  const dueBefore = (await firstResponse(running))?.due_at;
  expect(await breaches(late)).toEqual(['first_response first response breached']);

  const today = Date.now();
  const dayAt = (days: number) => new Date(today + days * 86_400_000).toISOString().slice(0, 10);
  const put = (closed: readonly string[]) =>
    change('PUT', `/crm/v1/calendars/${calendar.id}`, {
      name: calendar['name'],
      timeZone: 'UTC',
      hours: everyDay,
      holidays: [],
      exceptions: closed.map((date) => ({ date, hours: [] })),
    });
  await put([dayAt(-1), dayAt(0), dayAt(1)]);
  const opening = new Date(dayAt(2));
  for (const ticket of [running, late])
    await eventually('the clock has moved', async () => {
      const clock = await firstResponse(ticket);
      return clock?.due_at?.getTime() === after(opening, 60).getTime() && !clock.breached;
    });
  expect(await breaches(late)).toEqual(['first_response taken back: not due by then']);
  expect((await firstResponse(late))?.changes.at(-1)).toMatchObject({ cause: 'calendar changed' });

  await put([]);
  await eventually('the clock has moved back', async () => {
    const clock = await firstResponse(running);
    return clock?.due_at?.getTime() === dueBefore?.getTime();
  });
  await eventually('it is late again', async () => (await firstResponse(late))?.breached === true);
  await settled(late);
  expect(await breaches(late)).toEqual([
    'first_response taken back: not due by then',
    'first_response first response breached',
  ]);
  expect(await breaches(running)).toEqual([]);
  expect((await firstResponse(late))?.breached_at).toEqual(after(late.openedAt, 60));

  const closed = change('PATCH', `/crm/v1/calendars/${calendar.id}`, { hours: { monday: [] } });
  await expect(closed).rejects.toThrow('has no open minute');
});

it('a fact that a policy asks for, changed by hand, chooses the policy again and counts from the start', async () => {
  world = await SlaWorld.open(environment, fixture.app, { policy: { targets } });
  const { house } = world;
  const ticket = await opened(10);
  const path = `/crm/v1/tickets/${ticket.ticketId}`;
  const billing = { position: 1, when: 'category == "billing"', targets: { P1: { first_response: 30 } } };
  const { id } = await makeSlaPolicy(house.org, billing);
  // Nothing that a policy asks for: the one that was chosen stays, whatever policies there are now.
  await change('PATCH', path, { description: 'More of it.' });
  await change('PATCH', path, { category: 'billing' });
  await eventually('the other policy holds', async () => (await house.ticket(ticket.ticketId))['sla_policy_id'] === id);
  const [first, resolution] = await house.clocks(ticket.ticketId);
  expect(first).toMatchObject({ due_at: after(ticket.openedAt, 30), state: 'running' });
  expect(first?.changes.at(-1)).toMatchObject({
    cause: 'facts changed',
    dueFrom: after(ticket.openedAt, 60).toISOString(),
    note: 'due anew; 60 → 30 minutes; another policy',
  });
  expect(resolution).toMatchObject({
    state: 'cancelled',
    changes: [{ cause: 'facts changed: not promised any more' }],
  });
  await change('PATCH', path, { category: null });
  await eventually(
    'the first policy holds again',
    async () => (await house.clocks(ticket.ticketId))[1]?.ended_at === null,
  );
  expect((await firstResponse(ticket))?.due_at).toEqual(after(ticket.openedAt, 60));
  expect(await house.count('crm_timeline', `kind = 'ticket.policy_chosen' and subject_id = ?`, [ticket.ticketId])).toBe(
    2,
  );
});

it('an agent who goes out of office, or leaves, gives the work back to routing by itself', async () => {
  world = await SlaWorld.open(environment, fixture.app, { policy: { targets } });
  const { house } = world;
  const ticket = await opened(1);
  const holder = async () => (await house.ticket(ticket.ticketId))['assigned_user_id'];
  const first = await holder();
  const [absent, present] = (house.agents[0]?.id === first ? house.agents : house.agents.toReversed()) as [Made, Made];
  const dueBefore = (await firstResponse(ticket))?.due_at;

  await change('PATCH', `/crm/v1/users/${absent.id}`, { outOfOfficeFrom: new Date().toISOString() });
  await eventually('somebody else has it', async () => (await holder()) === present.id);
  await change('PATCH', `/crm/v1/users/${present.id}`, { active: false });
  await eventually('it is in the queue', async () => (await house.ticket(ticket.ticketId))['stage'] === 'queued');
  await change('PATCH', `/crm/v1/users/${absent.id}`, { outOfOfficeFrom: null });
  await eventually('whoever is back has it', async () => (await holder()) === absent.id);
  expect((await firstResponse(ticket))?.due_at).toEqual(dueBefore);
  expect(await house.ticket(ticket.ticketId)).toMatchObject({ stage: 'assigned', round: 4 });
});

it('an agent who is removed from the team gives back what they got through it, by itself', async () => {
  world = await SlaWorld.open(environment, fixture.app, { policy: { targets } });
  const { house } = world;
  const ticket = await opened(1);
  const holder = async () => (await house.ticket(ticket.ticketId))['assigned_user_id'];
  const first = await holder();
  const [member] = await house.sql<{ id: string }>(
    'select team_member_id as id from crm_core.crm_team_members where user_id = ?',
    [first],
  );
  await house.org.records.remove(writeAs(house.admin), teamMembers, String(member?.id), '*');
  await eventually('somebody else has it', async () => ![first, null].includes((await holder()) as string | null));
});

it('a free place that the ticket told of it does not take goes on to the next one in the queue', async () => {
  const agents = [{ ticketCapacity: 1 }];
  world = await SlaWorld.open(environment, fixture.app, { agents, policy: { targets } });
  const { house } = world;
  const [held, waiting] = [await opened(1), await opened(1)];
  const stageOf = async ({ ticketId }: Pick<LivingTicket, 'ticketId'>) => (await house.ticket(ticketId))['stage'];
  expect([await stageOf(held), await stageOf(waiting)]).toEqual(['assigned', 'queued']);
  await house.sql('update crm_core.crm_users set ticket_capacity = 2 where organization_id = ?', [house.org.id]);
  await held.handle.signal('capacityFreed', { userId: house.agents[0]?.id });
  await eventually('the next one has it', async () => (await stageOf(waiting)) === 'assigned');
});
