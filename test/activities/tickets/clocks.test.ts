import { describe, expect, it } from '@jest/globals';
import { databaseFixture } from '../../db/database-fixture.ts';
import { makeCalendar, makeUser } from '../../support/factories.ts';
import { after, makeSlaPolicy, makeTicketHouse } from './ticket-house.ts';

const fixture = databaseFixture();
const monday = new Date('2026-11-23T09:00:00Z');
const at = (minutes: number) => after(monday, minutes);

describe('the clocks', () => {
  it('warn at half and three quarters, breach once at the due instant, and climb the ladder', async () => {
    const house = await makeTicketHouse(fixture.app, {
      policy: {
        escalation: [
          { target: 'first_response', afterMinutes: 0, action: 'notify_manager' },
          { target: 'first_response', afterMinutes: 10, clock: 'wall', action: 'reassign' },
          { target: 'first_response', afterMinutes: 20, action: 'raise_priority' },
        ],
        targets: { P2: { first_response: 60 }, P1: { first_response: 30 } },
      },
    });
    const { ticketId } = await house.open({ priority: 'P2' }, { receivedAt: monday });
    for (let taken = 0; taken < 6; taken += 1) await house.takeNext(ticketId);
    expect((await house.steps(ticketId)).map(({ step, due_at, outcome }) => [step, due_at, outcome])).toEqual([
      ['warning_50', at(30), 'warned'],
      ['warning_75', at(45), 'warned'],
      // P1, which the ladder ends in, was due after half an hour: so is its breach.
      ['breach', at(30), 'first response breached'],
      ['rung_notify_manager_0', at(60), 'notify manager'],
      ['rung_reassign_10_wall', at(70), 'given to somebody else'],
      ['rung_raise_priority_20', at(80), 'priority P2 → P1 by escalation'],
    ]);
    const [clock] = await house.clocks(ticketId);
    expect(clock).toMatchObject({
      state: 'breached',
      breached: true,
      breached_at: at(30),
      breach_detected_at: at(60),
      priority: 'P1',
    });
    expect(await house.ticket(ticketId)).toMatchObject({ priority: 'P1', sla: 'breached', round: 2 });
    expect(await house.count('crm_notifications', `kind = 'ticket.breach'`)).toBe(1);
  });

  it('are told of once for each due instant, though a mistaken priority took the breach back', async () => {
    const house = await makeTicketHouse(fixture.app, {
      policy: {
        escalation: [{ target: 'first_response', afterMinutes: 10, action: 'reassign' }],
        targets: { P1: { first_response: 60 }, P3: { first_response: 600 } },
      },
    });
    const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: monday });
    const setPriority = (priority: string, minutes: number) =>
      house.send(ticketId, 'setPriority', { priority }, { receivedAt: at(minutes) });
    const told = () => house.count('crm_notifications', `kind = 'ticket.breach'`);
    for (let taken = 0; taken < 4; taken += 1) await house.takeNext(ticketId);
    const given = await house.ticket(ticketId);
    expect([given['round'], await told()]).toEqual([2, 1]);

    await setPriority('P3', 75);
    const { state } = await setPriority('P1', 76);
    // Late since the same instant as before: its agent knows, and the ladder has been climbed.
    expect([state.sla, state.next?.step]).toEqual(['warning', 'first_response.breach']);
    await house.takeNext(ticketId, at(76));
    expect(await house.ticket(ticketId)).toMatchObject({ sla: 'breached', round: 2, next_step: null });
    expect(await told()).toBe(1);
    expect((await house.clocks(ticketId))[0]).toMatchObject({ breached: true, breached_at: at(60), life: 1 });

    await setPriority('P3', 77);
    for (let taken = 0; taken < 2; taken += 1) await house.takeNext(ticketId);
    expect(await house.ticket(ticketId)).toMatchObject({ sla: 'breached', round: 3 });
    expect(await told()).toBe(2);
  });

  it('of a ticket in the queue are told of to the manager, and to administrators where none works here', async () => {
    const house = await makeTicketHouse(fixture.app, { agents: [{ ticketCapacity: 0 }], policy: { warnAt: [50] } });
    const [manager, admin] = [await makeUser(house.org), await makeUser(house.org)];
    await house.sql('update crm_core.crm_teams set manager_user_id = ?', [manager.id]);
    await house.sql(
      `with role as (insert into crm_core.core_roles (role_id, organization_id, name, title, created_at, created_by, updated_at, updated_by)
         values (gen_random_uuid(), ?, 'admin', 'Administrator', now(), 'test', now(), 'test') returning role_id)
       insert into crm_core.core_role_assignments (role_assignment_id, organization_id, user_id, role_id, created_at, created_by, updated_at, updated_by)
         select gen_random_uuid(), ?, ?, role_id, now(), 'test', now(), 'test' from role`,
      [house.org.id, house.org.id, admin.id],
    );
    const toldOf = async () => {
      const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: monday });
      while ((await house.ticket(ticketId))['sla'] !== 'breached') await house.takeNext(ticketId);
      return house.sql('select kind, user_id from crm_core.crm_notifications where subject_id = ? order by kind', [
        ticketId,
      ]);
    };
    const toldTo = (userId: string) => [
      { kind: 'ticket.breach', user_id: userId },
      { kind: 'ticket.warning', user_id: userId },
    ];
    expect(await toldOf()).toEqual(toldTo(manager.id));
    await house.sql('update crm_core.crm_users set active = false where user_id = ?', [manager.id]);
    expect(await toldOf()).toEqual(toldTo(admin.id));
  });

  it('are met up to the very second, and by a reply that was received in time although the timer ran', async () => {
    const house = await makeTicketHouse(fixture.app);
    const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: monday });
    for (let taken = 0; taken < 3; taken += 1) await house.takeNext(ticketId);
    expect(await house.ticket(ticketId)).toMatchObject({ sla: 'breached' });
    const { state } = await house.send(ticketId, 'reply', { text: 'We are on it.' }, { receivedAt: at(60) });
    expect(state).toMatchObject({ sla: 'on_track' });
    const [clock] = await house.clocks(ticketId);
    expect(clock).toMatchObject({
      state: 'met',
      breached: false,
      met_at: at(60),
      breached_at: null,
      elapsed_minutes: 60,
    });
    const breach = (await house.steps(ticketId)).find(({ step }) => step === 'breach');
    expect(breach?.outcome).toMatch(/^taken back/);
  });

  it('are late when done late, and say when they were done', async () => {
    const house = await makeTicketHouse(fixture.app);
    const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: monday });
    // A reply by somebody with only the Temporal CLI, before the timer of the breach was served.
    await house.signal(ticketId, 'reply', { text: 'Late.' }, at(61));
    const [clock] = await house.clocks(ticketId);
    expect(clock).toMatchObject({
      state: 'breached',
      breached: true,
      met_at: at(61),
      breached_at: at(60),
      breach_detected_at: at(61),
    });
    expect((await house.steps(ticketId)).map(({ step }) => step)).toEqual(['breach']);
    expect(
      await house.sql(
        `select summary, details from crm_core.crm_timeline where subject_id = ? and kind = 'ticket.breached'`,
        [ticketId],
      ),
    ).toEqual([{ summary: 'first response breached', details: { target: 'first_response', ordinal: 1 } }]);
  });

  it('explain what changes while they stand still', async () => {
    const house = await makeTicketHouse(fixture.app, { policy: { active: false } });
    const office = await makeCalendar(house.org);
    await makeSlaPolicy(house.org, { calendarId: office.id });
    const { ticketId } = await house.open({ priority: 'P3' }, { receivedAt: monday });
    await house.send(ticketId, 'setStatus', { status: 'waiting_for_customer' }, { receivedAt: at(20) });
    await house.send(ticketId, 'setPriority', { priority: 'P1' }, { receivedAt: at(25) });
    await house.sql(
      `update crm_core.crm_calendars set holidays = '[{"date": "2026-11-24", "yearly": false}]', version = version + 1`,
    );
    await house.replan(ticketId, at(30));
    await house.replan(ticketId, at(31));
    const tuesday = new Date('2026-11-24T09:00:00Z');
    await house.send(ticketId, 'setStatus', { status: 'open' }, { receivedAt: tuesday });
    const [clock] = await house.clocks(ticketId);
    expect(clock?.due_at).toEqual(new Date('2026-11-25T08:40:00Z'));
    expect(clock?.changes.map(({ cause, note }) => [cause, note])).toEqual([
      ['status waiting_for_customer', 'stands still'],
      ['priority P3 → P1', 'stands still; 600 → 60 minutes; P3 → P1'],
      ['calendar changed', 'stands still; calendar version 1 → 2'],
      ['status open', 'due anew'],
    ]);
  });

  it('stand still while the ticket waits for the customer, and never breach then', async () => {
    const house = await makeTicketHouse(fixture.app);
    const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: monday });
    const { state: paused } = await house.send(
      ticketId,
      'setStatus',
      { status: 'waiting_for_customer' },
      { receivedAt: at(20) },
    );
    expect(paused).toMatchObject({ sla: 'paused', next: { step: 'resolve' } });
    const { state } = await house.send(ticketId, 'customerReply', { text: 'Here it is.' }, { receivedAt: at(500) });
    expect(state).toMatchObject({ status: 'open', sla: 'on_track', next: { dueAt: at(510).toISOString() } });
    const [first, resolution] = await house.clocks(ticketId);
    expect([first?.due_at, resolution?.due_at]).toEqual([at(540), at(720)]);
    expect(first?.intervals.map(({ kind, cause }) => [kind, cause])).toEqual([
      ['running', 'opened'],
      ['paused', 'status waiting_for_customer'],
      ['running', 'status open'],
    ]);
  });

  it('of a policy that pauses the resolution only leave the promise to answer running', async () => {
    const house = await makeTicketHouse(fixture.app, { policy: { pausedTargets: ['resolution'] } });
    const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: monday });
    await house.send(ticketId, 'setStatus', { status: 'waiting_for_customer' }, { receivedAt: at(20) });
    expect((await house.clocks(ticketId)).map(({ state }) => state)).toEqual(['running', 'paused']);
  });

  it('begin anew with each unanswered message after the first reply, and one reply answers all', async () => {
    const house = await makeTicketHouse(fixture.app);
    const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: monday });
    await house.send(ticketId, 'customerReply', { text: 'And another thing.' }, { receivedAt: at(5) });
    expect((await house.clocks(ticketId)).map(({ target }) => target)).toEqual(['first_response', 'resolution']);
    await house.send(ticketId, 'reply', { text: 'Yes.' }, { receivedAt: at(10) });
    await house.send(ticketId, 'customerReply', { text: 'One', messageId: 'one@example.org' }, { receivedAt: at(20) });
    await house.send(ticketId, 'customerReply', { text: 'One', messageId: 'one@example.org' }, { receivedAt: at(21) });
    await house.send(ticketId, 'customerReply', { text: 'Two', messageId: 'two@example.org' }, { receivedAt: at(30) });
    const next = (await house.clocks(ticketId)).filter(({ target }) => target === 'next_response');
    expect(next.map(({ ordinal, due_at }) => [ordinal, due_at])).toEqual([
      [1, at(140)],
      [2, at(150)],
    ]);
    await house.send(ticketId, 'reply', { text: 'Both.' }, { receivedAt: at(40) });
    expect((await house.clocks(ticketId)).map(({ state }) => state)).toEqual(['met', 'met', 'met', 'running']);
  });

  it('are computed anew from the start when the priority changes, pauses kept, and say so', async () => {
    const house = await makeTicketHouse(fixture.app);
    const { ticketId } = await house.open({ priority: 'P3' }, { receivedAt: monday });
    await house.send(ticketId, 'setStatus', { status: 'waiting_for_customer' }, { receivedAt: at(10) });
    await house.send(ticketId, 'setStatus', { status: 'open' }, { receivedAt: at(25) });
    await house.send(ticketId, 'setPriority', { priority: 'P1' }, { receivedAt: at(100) });
    const [first, resolution] = await house.clocks(ticketId);
    expect([first?.due_at, resolution?.due_at]).toEqual([at(75), at(255)]);
    expect(first?.changes.at(-1)).toMatchObject({
      cause: 'priority P3 → P1',
      dueFrom: at(615).toISOString(),
      dueTo: at(75).toISOString(),
    });
    // All that is late at once is told of once, with honest times.
    for (let taken = 0; taken < 3; taken += 1) await house.takeNext(ticketId, at(100));
    expect(
      (await house.steps(ticketId))
        .slice(0, 3)
        .map(({ step, due_at, detected_at, outcome }) => [step, due_at, detected_at, outcome]),
    ).toEqual([
      ['warning_50', at(45), at(100), 'noticed together with what came after'],
      ['warning_75', at(60), at(100), 'noticed together with what came after'],
      ['breach', at(75), at(100), 'first response breached'],
    ]);
    await house.send(ticketId, 'setPriority', { priority: 'P3' }, { receivedAt: at(110) });
    expect((await house.clocks(ticketId))[0]).toMatchObject({
      state: 'running',
      breached: false,
      due_at: at(615),
      life: 1,
    });
  });

  it('that are promised again are the ones that were cancelled, with what was told of them', async () => {
    const targets = { P1: { first_response: 60, resolution: 240 }, P4: { first_response: 600 } };
    const house = await makeTicketHouse(fixture.app, { policy: { targets } });
    const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: monday });
    for (let taken = 0; taken < 6; taken += 1) await house.takeNext(ticketId);
    const breaches = () => house.count('crm_notifications', `kind = 'ticket.breach'`);
    expect(await breaches()).toBe(2);
    await house.send(ticketId, 'setPriority', { priority: 'P4' }, { receivedAt: at(300) });
    expect((await house.clocks(ticketId))[1]).toMatchObject({ state: 'cancelled', breached: true });
    await house.send(ticketId, 'setStatus', { status: 'waiting_for_customer' }, { receivedAt: at(310) });
    await house.send(ticketId, 'setStatus', { status: 'open' }, { receivedAt: at(320) });
    const { state } = await house.send(ticketId, 'setPriority', { priority: 'P1' }, { receivedAt: at(330) });
    const clocks = await house.clocks(ticketId);
    expect(clocks).toHaveLength(2);
    expect(clocks[1]).toMatchObject({
      state: 'breached',
      due_at: at(240),
      breached_at: at(240),
      breach_detected_at: at(240),
      ended_at: null,
      elapsed_minutes: null,
      life: 0,
    });
    expect(clocks[1]?.intervals.map(({ from, kind }) => [new Date(from), kind])).toEqual([
      [monday, 'running'],
      [at(310), 'paused'],
      [at(320), 'running'],
    ]);
    expect(clocks[1]?.changes.map(({ cause, dueTo }) => [cause, dueTo])).toEqual([
      ['priority P1 → P4: not promised any more', null],
      ['priority P4 → P1', at(240).toISOString()],
    ]);
    // The first response, to which P4 gives more time, is late anew, since the instant of which its agent has heard.
    expect(state).toMatchObject({ sla: 'breached', next: { step: 'first_response.breach' } });
    await house.takeNext(ticketId, at(330));
    expect(await breaches()).toBe(2);
    expect((await house.steps(ticketId)).filter(({ target }) => target === 'resolution')).toHaveLength(3);
  });

  it('that are computed anew when late date their breach anew, on record as well', async () => {
    const house = await makeTicketHouse(fixture.app);
    const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: monday });
    for (let taken = 0; taken < 3; taken += 1) await house.takeNext(ticketId);
    await house.applyPolicy({ targets: { P1: { first_response: 90, resolution: 240 } } }, at(100));
    await house.replan(ticketId, at(101));
    expect((await house.clocks(ticketId))[0]).toMatchObject({
      due_at: at(90),
      breached_at: at(90),
      breach_detected_at: at(101),
      life: 0,
    });
    expect((await house.steps(ticketId)).filter(({ step }) => step === 'breach')).toMatchObject([
      { due_at: at(90), detected_at: at(101), outcome: 'first response breached' },
    ]);
    expect(await house.count('crm_notifications', `kind = 'ticket.breach'`)).toBe(1);
  });

  it('keep the hours of a calendar that was deleted under their policy', async () => {
    const house = await makeTicketHouse(fixture.app, { policy: { active: false } });
    const office = await makeCalendar(house.org);
    await makeSlaPolicy(house.org, { calendarId: office.id });
    const friday = new Date('2026-11-27T15:30:00Z');
    const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: friday });
    const dueAt = new Date('2026-11-30T08:30:00Z');
    expect((await house.clocks(ticketId))[0]?.due_at).toEqual(dueAt);
    await house.sql('update crm_core.crm_calendars set deleted_at = now(), version = version + 1');
    await house.replan(ticketId, after(friday, 1));
    expect((await house.clocks(ticketId))[0]).toMatchObject({ due_at: dueAt, changes: [] });
    const { ticketId: later } = await house.open({ priority: 'P1' }, { receivedAt: friday });
    expect((await house.clocks(later))[0]?.due_at).toEqual(dueAt);
    await house.send(later, 'setPriority', { priority: 'P3' }, { receivedAt: after(friday, 1) });
    expect((await house.clocks(later))[0]?.due_at).toEqual(new Date('2026-12-01T09:30:00Z'));
  });

  it.each([
    ['reply', 'a holiday that gave the answer more time', '[{"date": "2026-11-30", "yearly": false}]', 'met', 60],
    ['resolve', 'the same', '[{"date": "2026-11-30", "yearly": false}]', 'cancelled', 60],
    ['reply', 'no holiday any more', '[]', 'breached', 540],
  ])(
    'end on %s by the hours of now, of which their ticket has not heard: %s',
    async (name, _what, holidays, state, took) => {
      const house = await makeTicketHouse(fixture.app, { policy: { active: false } });
      const wasHoliday = holidays === '[]';
      const office = await makeCalendar(house.org, wasHoliday ? { holidays: [{ date: '2026-11-30' }] } : {});
      await makeSlaPolicy(house.org, { calendarId: office.id, targets: { P1: { first_response: 90 } } });
      // Half an hour of the Friday is left in Berlin.
      const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: new Date('2026-11-27T15:30:00Z') });
      await house.sql('update crm_core.crm_calendars set holidays = ?::jsonb, version = version + 1', [holidays]);
      const payload = name === 'reply' ? { text: 'Hello' } : {};
      await house.send(ticketId, name, payload, { receivedAt: new Date('2026-12-01T08:30:00Z') });
      expect((await house.clocks(ticketId))[0]).toMatchObject({
        state,
        breached: state === 'breached',
        elapsed_minutes: took,
      });
      expect(await house.count('crm_notifications', `kind = 'ticket.breach'`)).toBe(state === 'breached' ? 1 : 0);
    },
  );

  it('begin when another priority promises what the old one did not', async () => {
    const targets = { P1: { first_response: 60, resolution: 240 }, P4: { resolution: 480 } };
    const house = await makeTicketHouse(fixture.app, { policy: { targets } });
    const { ticketId } = await house.open({ priority: 'P4' }, { receivedAt: monday });
    await house.send(ticketId, 'setStatus', { status: 'waiting_for_customer' }, { receivedAt: at(10) });
    await house.send(ticketId, 'setStatus', { status: 'open' }, { receivedAt: at(20) });
    await house.send(ticketId, 'setPriority', { priority: 'P1' }, { receivedAt: at(30) });
    expect((await house.clocks(ticketId)).map(({ target, due_at }) => [target, due_at])).toEqual([
      ['first_response', at(70)],
      ['resolution', at(250)],
    ]);
    await house.send(ticketId, 'setPriority', { priority: 'P4' }, { receivedAt: at(40) });
    expect((await house.clocks(ticketId)).map(({ state }) => state)).toEqual(['cancelled', 'running']);
  });
});
