import { describe, expect, it } from '@jest/globals';
import { migrateDown, migrateUp, migrationStatus } from '../../../db/migrator.ts';
import { previewPolicyChange } from '../../../db/tickets/policy-change.queries.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { makeCalendar, makeOrganization } from '../../support/factories.ts';
import { after, makeSlaPolicy, makeTicketHouse } from './ticket-house.ts';

const fixture = databaseFixture();
// Late in the afternoon of Berlin: business minutes and minutes differ.
const monday = new Date('2026-11-23T15:30:00Z');
const at = (minutes: number) => after(monday, minutes);
const targets = { P1: { next_response: 60, resolution: 600 } };

describe('a policy version that was applied, before a ticket has heard of it', () => {
  it('leaves the ticket its terms with their own calendar, and then replaces both', async () => {
    const house = await makeTicketHouse(fixture.app, { policy: { targets } });
    const office = await makeCalendar(house.org);
    const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: monday });
    await house.applyPolicy({ calendarId: office.id, targets: { P1: { next_response: 90, resolution: 600 } } }, at(1));
    await house.send(ticketId, 'customerReply', { text: 'Hello?' }, { receivedAt: at(10) });
    const next = async () => (await house.clocks(ticketId)).find(({ target }) => target === 'next_response');
    expect(await next()).toMatchObject({ due_at: at(70), calendar_id: null, sla_policy_version: 1 });
    await house.replan(ticketId, at(11));
    // Twenty minutes until five, seventy more from nine on.
    expect(await next()).toMatchObject({
      due_at: new Date('2026-11-24T09:10:00Z'),
      calendar_id: office.id,
      sla_policy_version: 2,
    });
  });
});

describe('another ladder for open tickets', () => {
  const notify = { target: 'resolution', afterMinutes: 0, action: 'notify_assignee' };
  const raise = { target: 'resolution', afterMinutes: 0, action: 'raise_priority' };

  /** A ticket whose resolution is late, and that has told its agent so by the ladder of its policy. */
  async function escalated() {
    const targets = { P1: { resolution: 60 }, P2: { resolution: 60 } };
    const house = await makeTicketHouse(fixture.app, { policy: { targets, escalation: [notify] } });
    const { ticketId } = await house.open({ priority: 'P2' }, { receivedAt: monday });
    for (let taken = 0; taken < 4; taken += 1) await house.takeNext(ticketId);
    return { house, ticketId };
  }

  it('climbs the rungs that are new, and none again', async () => {
    const { house, ticketId } = await escalated();
    await house.applyPolicy({ escalation: [raise, notify] }, at(70));
    const { next } = await house.replan(ticketId, at(71));
    expect(next).toMatchObject({ step: 'resolution.rung_raise_priority_0', dueAt: at(60).toISOString() });
    const { state } = await house.takeNext(ticketId, at(71));
    expect(state).toMatchObject({ priority: 'P1', next: undefined });
    expect((await house.steps(ticketId)).slice(3).map(({ outcome }) => outcome)).toEqual([
      'notify assignee',
      'priority P2 → P1 by escalation',
    ]);
  });
});

describe('rungs on record', () => {
  it('went by their place in the ladder once, and go by what they do', async () => {
    const ladder = [
      { target: 'resolution', afterMinutes: 5, action: 'notify_manager' },
      { target: 'resolution', afterMinutes: 10, clock: 'wall', action: 'notify_assignee' },
      { target: 'resolution', afterMinutes: 5, action: 'notify_manager' },
    ];
    const targets = { P1: { resolution: 60 } };
    const house = await makeTicketHouse(fixture.app, { policy: { targets, escalation: ladder } });
    const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: monday });
    for (let taken = 0; taken < 5; taken += 1) await house.takeNext(ticketId);
    const rungs = async () => (await house.steps(ticketId)).slice(3).map(({ step }) => step);
    const byContent = ['rung_notify_manager_5', 'rung_notify_assignee_10_wall'];
    expect(await rungs()).toEqual(byContent);
    const migration = 'Migration20261121235500_rungs_by_content';
    while (!(await migrationStatus(fixture.url)).pending.includes(migration)) await migrateDown(fixture.url);
    expect(await rungs()).toEqual(['rung_1', 'rung_2']);
    await migrateUp(fixture.url);
    expect(await rungs()).toEqual(byContent);
  });
});

describe('a ticket that is planned anew', () => {
  it('keeps its policy though another one would be chosen now, unless its facts have changed', async () => {
    const house = await makeTicketHouse(fixture.app, { policy: { targets } });
    const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: monday });
    const { id } = await makeSlaPolicy(house.org, { position: 1, targets: { P1: { resolution: 300 } } });
    const due = async () => (await house.clocks(ticketId)).map(({ due_at }) => due_at);
    await house.replan(ticketId, at(5));
    expect(await due()).toEqual([at(600)]);
    const factsChanged = () =>
      house.activities.replanTicket({
        organizationId: house.org.id,
        ticketId,
        at: at(6).toISOString(),
        isFactChange: true,
      });
    expect(await factsChanged()).toMatchObject({ clocks: [{ dueAt: at(300).toISOString() }] });
    expect(await house.ticket(ticketId)).toMatchObject({ sla_policy_id: id });
    // The policy stays, and so do its terms, until a version of it is applied.
    await house.sql(
      `update crm_core.crm_sla_policies set targets = '{"P1": {"resolution": 30}}', version = version + 1`,
    );
    await factsChanged();
    expect(await due()).toEqual([at(300)]);
  });
});

describe('a preview', () => {
  it('counts all open tickets, page by page, and lists those that it would change the most', async () => {
    const house = await makeTicketHouse(fixture.app, {
      agents: [{ ticketCapacity: 100 }],
      policy: { targets: { P1: { resolution: 600 }, P2: { resolution: 60 }, P3: { resolution: 100 } } },
    });
    const opened: { ticketId: string; priority: string }[] = [];
    for (const priority of ['P3', 'P1', 'P2', 'P1', 'P3', 'P4', 'P1']) {
      const { ticketId } = await house.open({ priority }, { receivedAt: monday });
      opened.push({ ticketId, priority });
    }
    const idsOf = (...priorities: string[]) =>
      opened.filter(({ priority }) => priorities.includes(priority)).map(({ ticketId }) => ticketId);
    await house.send(idsOf('P1')[0] ?? '', 'resolve', {}, { receivedAt: at(1) });

    const change = { targets: { P1: { resolution: 5 }, P2: { resolution: 90 }, P3: { resolution: 50 } } };
    const { admin: actor, policy } = house;
    const preview = (pageSize: number, mostListed: number) =>
      previewPolicyChange(fixture.app, { actor, receivedAt: at(10) }, policy.id, change, { pageSize, mostListed });
    const whole = await preview(100, 100);
    expect(whole).toMatchObject({
      version: 2,
      openTickets: 6,
      affectedTickets: 5,
      ticketsLeftOut: 0,
      effects: { breached: 2, unbreached: 0, moved: 3, begun: 0, cancelled: 0 },
    });
    expect(whole.tickets.map(({ ticketId }) => ticketId)).toEqual([
      ...idsOf('P1').slice(1),
      ...idsOf('P3'),
      ...idsOf('P2'),
    ]);
    for (const pageSize of [1, 2, 3, 6]) expect(await preview(pageSize, 100)).toEqual(whole);
    const short = { ...whole, tickets: whole.tickets.slice(0, 2), ticketsLeftOut: 3 };
    expect(await preview(2, 2)).toEqual(short);
    // Nothing of it stays.
    expect(await house.sql('select version from crm_core.crm_sla_policies')).toEqual([{ version: 1 }]);
  });

  it('tells of clocks that stand still and count by something else, and of each that would begin', async () => {
    const house = await makeTicketHouse(fixture.app, { policy: { targets: { P1: { resolution: 600 } } } });
    const open = async () => (await house.open({ priority: 'P1' }, { receivedAt: monday })).ticketId;
    const [still, asked] = [await open(), await open()];
    await house.send(still, 'setStatus', { status: 'waiting_for_customer' }, { receivedAt: at(10) });
    await house.send(asked, 'reply', { text: 'Hello' }, { receivedAt: at(1) });
    for (const minutes of [2, 3]) await house.send(asked, 'customerReply', { text: '?' }, { receivedAt: at(minutes) });

    const effectsOf = async (change: object) => {
      const { admin: actor, policy } = house;
      const { tickets } = await previewPolicyChange(fixture.app, { actor, receivedAt: at(20) }, policy.id, change);
      return tickets.map(({ ticketId, clocks }) => [ticketId, clocks]);
    };
    const moved = { target: 'resolution', ordinal: 1, effect: 'moved', dueFrom: null, dueTo: null, movedMinutes: null };
    expect(await effectsOf({ targets: { P1: { resolution: 500 } } })).toEqual([
      [asked, [expect.objectContaining({ effect: 'moved', movedMinutes: -100 })]],
      [still, [moved]],
    ]);
    const { id: calendarId } = await makeCalendar(house.org);
    expect(await effectsOf({ calendarId })).toContainEqual([still, [moved]]);
    expect(await effectsOf({ name: 'Another name' })).toEqual([]);
    const begun = (ordinal: number) => expect.objectContaining({ target: 'next_response', ordinal, effect: 'begun' });
    expect(await effectsOf({ targets: { P1: { next_response: 60, resolution: 600 } } })).toEqual([
      [asked, [begun(1), begun(2)]],
    ]);
  });

  it('of a policy of another organisation tells nothing', async () => {
    const house = await makeTicketHouse(fixture.app);
    const stranger = await makeOrganization(fixture.app);
    const actor = { ...house.admin, organizationId: stranger.id };
    await expect(
      previewPolicyChange(fixture.app, { actor, receivedAt: at(1) }, house.policy.id, {}),
    ).rejects.toMatchObject({ code: 'not_found' });
  });
});
