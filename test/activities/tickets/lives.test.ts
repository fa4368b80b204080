import { describe, expect, it } from '@jest/globals';
import { teamMembers } from '../../../db/access/team-member.ts';
import { teams } from '../../../db/access/team.ts';
import { readAffectedProcesses } from '../../../db/automation/affected-processes.queries.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { makeCalendar, makeTeam, makeUser, writeAs } from '../../support/factories.ts';
import { makeRoutingRule } from './routing-house.ts';
import { after, makeTicketHouse } from './ticket-house.ts';

const fixture = databaseFixture();
const monday = new Date('2026-11-23T09:00:00Z');
const at = (minutes: number) => after(monday, minutes);

describe('an opening', () => {
  it('makes the requester, numbers the ticket, routes it and starts its clocks from the receipt', async () => {
    const house = await makeTicketHouse(fixture.app);
    const { ticketId, state } = await house.open(
      { priority: 'P1', requester: { email: 'Ada@Example.com' } },
      { receivedAt: monday },
    );
    expect(state).toMatchObject({
      number: 1,
      stage: 'assigned',
      status: 'open',
      priority: 'P1',
      sla: 'on_track',
      round: 1,
      assignedUserId: house.agents[0]?.id,
      next: {
        step: 'first_response.warning_50',
        dueAt: at(30).toISOString(),
        clause: 'first response · P1 · warning at 50 %',
      },
    });
    expect((await house.clocks(ticketId)).map(({ target, due_at }) => [target, due_at])).toEqual([
      ['first_response', at(60)],
      ['resolution', at(240)],
    ]);
    expect(await house.count('crm_people', 'primary_email = ?', ['ada@example.com'])).toBe(1);
    expect(await house.count('crm_users', 'open_tickets = 1')).toBe(1);
  });

  it('is decided once, and the same person is matched the next time', async () => {
    const house = await makeTicketHouse(fixture.app);
    const { ticketId, state } = await house.open({ requester: { email: 'ada@example.com' } });
    const again = await house.activities.decideTicket({
      organizationId: house.org.id,
      ticketId,
      at: new Date().toISOString(),
    });
    expect(again).toEqual(state);
    const second = await house.open({ requester: { email: 'ada@example.com', phone: '+49 30 901820' } });
    expect(second.state.number).toBe(2);
    expect(
      await house.count('crm_people', 'primary_email = ? and primary_phone = ?', ['ada@example.com', '+4930901820']),
    ).toBe(1);
  });

  it('without a policy that holds promises nothing, and waits in the queue when nobody has room', async () => {
    const house = await makeTicketHouse(fixture.app, {
      agents: [{ ticketCapacity: 0 }],
      policy: { when: 'channel == "phone"' },
    });
    const { ticketId, state } = await house.open({}, { receivedAt: monday });
    expect(state).toMatchObject({
      stage: 'queued',
      sla: undefined,
      clocks: [],
      assignedUserId: undefined,
      next: { step: 'route' },
    });
    expect(await house.ticket(ticketId)).toMatchObject({ sla_policy_id: null, next_step: 'route' });
  });
});

describe('a mail that opens a ticket', () => {
  it('is a message of when it came, however late it was decided on', async () => {
    const house = await makeTicketHouse(fixture.app);
    const ticketId = await house.receive({ channel: 'email' }, { receivedAt: monday });
    const mail = {
      messageId: 'first@example.org',
      inReplyTo: null,
      references: [],
      from: { name: 'Ada', address: 'ada@example.org' },
      to: [],
      cc: [],
      subject: 'Help',
      text: 'Help!',
      html: null,
      attachments: [],
      attachmentCount: 0,
    };
    await house.sql('update crm_core.crm_commands set body = body || ?::jsonb where record_id = ?', [
      JSON.stringify({ mail }),
      ticketId,
    ]);
    await house.activities.decideTicket({ organizationId: house.org.id, ticketId, at: at(30).toISOString() });
    const stored = await house.sql<{ sent_at: string; last_message_at: string }>(
      `select m.sent_at, c.last_message_at from crm_core.crm_conversation_messages m
       join crm_core.crm_conversations c using (conversation_id) where m.ticket_id = ?`,
      [ticketId],
    );
    expect(stored.map((row) => [new Date(row.sent_at), new Date(row.last_message_at)])).toEqual([[monday, monday]]);
  });
});

describe('the end', () => {
  it('is a resolution that closes by itself, unless the customer writes within the window', async () => {
    const house = await makeTicketHouse(fixture.app, { policy: { closeAfterMinutes: 60, reopenWithinMinutes: 120 } });
    const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: monday });
    const { state } = await house.send(ticketId, 'resolve', { note: 'Done.' }, { receivedAt: at(30) });
    expect(state).toMatchObject({
      stage: 'resolved',
      sla: 'met',
      next: { step: 'close', dueAt: at(90).toISOString() },
    });
    expect(await house.count('crm_users', 'open_tickets > 0')).toBe(0);
    expect((await house.takeNext(ticketId)).state).toMatchObject({ stage: 'closed', next: undefined });

    const reopened = await house.send(ticketId, 'customerReply', { text: 'Not quite.' }, { receivedAt: at(150) });
    expect(reopened.state).toMatchObject({ stage: 'assigned', status: 'open', sla: 'on_track' });
    expect(await house.ticket(ticketId)).toMatchObject({ reopen_count: 1, resolved_at: null, closed_at: null });
    expect((await house.clocks(ticketId)).map(({ target, ordinal, state: clock }) => [target, ordinal, clock])).toEqual(
      [
        // Nobody answered, and nobody waits for it any more: neither met nor a time to answer.
        ['first_response', 1, 'cancelled'],
        ['next_response', 1, 'running'],
        ['resolution', 1, 'met'],
        ['resolution', 2, 'running'],
      ],
    );
  });

  it.each([
    ['closed before anything was done', 'close', {}],
    ['to which nothing is promised any more', 'setPriority', { priority: 'P4' }],
  ])('of all promises of a ticket %s is neither kept nor broken', async (_what, name, payload) => {
    const house = await makeTicketHouse(fixture.app);
    const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: monday });
    await house.send(ticketId, name, payload, { receivedAt: at(5) });
    expect((await house.clocks(ticketId)).map(({ state }) => state)).toEqual(['cancelled', 'cancelled']);
    expect(await house.ticket(ticketId)).toMatchObject({ sla: null });
  });

  it('without an answer leaves a promise to answer that was late a breach', async () => {
    const house = await makeTicketHouse(fixture.app);
    const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: monday });
    const { state } = await house.send(ticketId, 'resolve', {}, { receivedAt: at(61) });
    expect(state).toMatchObject({ stage: 'resolved', sla: 'breached' });
    expect((await house.clocks(ticketId))[0]).toMatchObject({
      state: 'cancelled',
      breached: true,
      breached_at: at(60),
      met_at: null,
      changes: [{ cause: 'resolved without an answer' }],
    });
  });

  it('stays when the customer writes after the window: a follow-up ticket is owed by the ledger, once', async () => {
    const house = await makeTicketHouse(fixture.app, { policy: { reopenWithinMinutes: 10 } });
    const { ticketId } = await house.open({}, { receivedAt: monday });
    await house.send(ticketId, 'resolve', {}, { receivedAt: at(30) });
    await house.send(ticketId, 'close', {}, { receivedAt: at(31) });
    const { state } = await house.send(
      ticketId,
      'customerReply',
      { text: 'Again!', messageId: 'a@b.example' },
      { receivedAt: at(41) },
    );
    expect(state.stage).toBe('closed');
    await house.signal(ticketId, 'customerReply', { text: 'Again!', messageId: 'a@b.example' }, at(42));
    const owed = await house.sql<{ record_id: string; body: Record<string, unknown> }>(
      `select record_id, body from crm_core.crm_commands where state = 'received' and message = 'opened' and route = 'follow-up'`,
    );
    expect(owed).toHaveLength(1);
    expect(owed[0]?.body).toMatchObject({ followUpOfTicketId: ticketId, description: 'Again!' });
    const followUp = await house.activities.decideTicket({
      organizationId: house.org.id,
      ticketId: owed[0]?.record_id ?? '',
      at: at(43).toISOString(),
    });
    expect(followUp).toMatchObject({ stage: 'assigned', number: 2 });
  });

  it('of a merged ticket: its conversation moves, so do the clocks of what it owes, and the others are cancelled', async () => {
    const house = await makeTicketHouse(fixture.app);
    const one = await house.open({ priority: 'P1' }, { receivedAt: monday });
    const other = await house.open({ priority: 'P1' }, { receivedAt: monday });
    await house.send(other.ticketId, 'reply', { text: 'Hello' }, { receivedAt: at(5) });
    await house.send(one.ticketId, 'reply', { text: 'Hello' }, { receivedAt: at(6) });
    await house.send(one.ticketId, 'customerReply', { text: 'Help!' }, { receivedAt: at(10) });
    const { state } = await house.send(one.ticketId, 'merge', { intoTicketId: other.ticketId }, { receivedAt: at(20) });
    expect(state).toMatchObject({ stage: 'merged', mergedIntoTicketId: other.ticketId, next: undefined });
    expect((await house.clocks(one.ticketId)).map(({ target, state: clock }) => [target, clock])).toEqual([
      ['first_response', 'met'],
      ['resolution', 'cancelled'],
    ]);
    const next = (await house.clocks(other.ticketId)).filter(({ target }) => target === 'next_response');
    expect(next.map(({ due_at }) => due_at)).toEqual([at(130)]);
    expect(await house.count('crm_conversation_messages', 'ticket_id = ?', [other.ticketId])).toBe(3);
  });

  it.each([
    ['itself', (self: string) => self],
    ['nobody', () => '01990000-0000-7000-8000-00000000dead'],
  ])('is refused into %s', async (_name, into) => {
    const house = await makeTicketHouse(fixture.app);
    const { ticketId } = await house.open();
    await expect(house.send(ticketId, 'merge', { intoTicketId: into(ticketId) })).rejects.toMatchObject({
      code: 'rule_violation',
    });
    expect(await house.ticket(ticketId)).toMatchObject({ stage: 'assigned' });
  });
});

describe('the agent', () => {
  it('who goes out of office loses the ticket when that begins, and who is deactivated at once', async () => {
    const house = await makeTicketHouse(fixture.app, { agents: [{ outOfOfficeFrom: at(20).toISOString() }, {}] });
    const { ticketId, state } = await house.open({ priority: 'P1' }, { receivedAt: monday });
    expect(state).toMatchObject({
      assignedUserId: house.agents[0]?.id,
      next: { step: 'route', dueAt: at(20).toISOString() },
    });
    const { state: moved } = await house.takeNext(ticketId);
    expect(moved).toMatchObject({ assignedUserId: house.agents[1]?.id, round: 2 });
    await house.sql('update crm_core.crm_users set active = false where user_id = ?', [house.agents[1]?.id]);
    expect(await house.replan(ticketId, at(25))).toMatchObject({ stage: 'queued', assignedUserId: undefined });
  });

  it('who goes out of office leaves it to their delegate, as a new ticket would be', async () => {
    const house = await makeTicketHouse(fixture.app, { agents: [{}] });
    const delegate = await makeUser(house.org);
    await makeTeam(house.org, [delegate]);
    const { ticketId } = await house.open({}, { receivedAt: monday });
    await house.sql('update crm_core.crm_users set out_of_office_from = ?, delegate_user_id = ? where user_id = ?', [
      at(1),
      delegate.id,
      house.agents[0]?.id,
    ]);
    expect(await house.replan(ticketId, at(2))).toMatchObject({ assignedUserId: delegate.id, teamId: house.team.id });
    const [decision] = await house.sql<{ candidates: object[] }>(
      'select candidates from crm_core.crm_ticket_assignments where ticket_id = ? order by round desc',
      [ticketId],
    );
    expect(decision?.candidates).toMatchObject([{ code: 'out_of_office' }, { code: 'chosen', userId: delegate.id }]);
    expect(await house.replan(ticketId, at(3))).toMatchObject({ assignedUserId: delegate.id, round: 2 });
  });

  it('who is back at their next opening keeps it, and loses it when the hours change so that they are not', async () => {
    const house = await makeTicketHouse(fixture.app);
    const [saturday, sunday] = [new Date('2026-11-28T10:00:00Z'), '2026-11-29T18:00:00Z'];
    const calendar = await makeCalendar(house.org, { timeZone: 'UTC' });
    const [one, other] = house.agents.map(({ id }) => id);
    await house.sql(
      `update crm_core.crm_users set out_of_office_from = ?, out_of_office_until = ?, calendar_id = ? where user_id = ?`,
      [monday, sunday, calendar.id, one],
    );
    await house.sql('update crm_core.crm_users set ticket_capacity = 0 where user_id = ?', [other]);
    const { ticketId, state } = await house.open({}, { receivedAt: saturday });
    expect(state).toMatchObject({ stage: 'assigned', assignedUserId: one });
    for (const minutes of [1, 2])
      expect(await house.replan(ticketId, after(saturday, minutes))).toMatchObject({ assignedUserId: one, round: 1 });
    const { state: named } = await house.send(ticketId, 'assign', { userId: one }, { receivedAt: after(saturday, 3) });
    expect(named).toMatchObject({ assignedUserId: one, round: 2 });

    await house.sql('update crm_core.crm_users set calendar_id = null where user_id = ?', [one]);
    const refused = house.send(ticketId, 'assign', { userId: one }, { receivedAt: after(saturday, 4) });
    await expect(refused).rejects.toMatchObject({ code: 'rule_violation' });
    expect(await house.replan(ticketId, after(saturday, 5))).toMatchObject({ stage: 'queued', round: 3 });
    expect(await house.replan(ticketId, after(saturday, 6))).toMatchObject({ stage: 'queued', round: 3 });
  });

  it('who is a team’s fallback and away gets nothing, so that it goes to and fro no more', async () => {
    const house = await makeTicketHouse(fixture.app, { agents: [{ ticketCapacity: 0 }] });
    const fallback = await makeUser(house.org);
    await house.sql('update crm_core.crm_teams set fallback_user_id = ?', [fallback.id]);
    const { ticketId, state } = await house.open({}, { receivedAt: monday });
    expect(state).toMatchObject({ assignedUserId: fallback.id });
    await house.sql('update crm_core.crm_users set out_of_office_from = ? where user_id = ?', [at(1), fallback.id]);
    for (const minutes of [2, 3])
      expect(await house.replan(ticketId, at(minutes))).toMatchObject({ stage: 'queued', round: 2 });
  });

  it('who is removed from the team loses what they got through it, not what a person gave them', async () => {
    const house = await makeTicketHouse(fixture.app);
    const [removed, other] = house.agents.map(({ id }) => id) as [string, string];
    const routed = await house.open({}, { receivedAt: monday });
    const given = await house.open({}, { receivedAt: monday });
    const done = await house.open({}, { receivedAt: monday });
    expect([routed, done].map(({ state }) => state.assignedUserId)).toEqual([removed, removed]);
    await house.send(given.ticketId, 'assign', { userId: removed }, { receivedAt: at(1) });
    await house.send(done.ticketId, 'resolve', {}, { receivedAt: at(1) });

    const leave = async (userId: string, minutes: number) => {
      const [member] = await house.sql<{ id: string }>(
        'select team_member_id as id from crm_core.crm_team_members where user_id = ? and deleted_at is null',
        [userId],
      );
      const write = writeAs(house.admin, { receivedAt: at(minutes) });
      await house.org.records.remove(write, teamMembers, String(member?.id), '*');
      return readAffectedProcesses(
        fixture.app,
        { organizationId: house.org.id, kind: 'team_member', id: String(member?.id) },
        null,
        10,
      );
    };
    const { workflowIds } = await leave(removed, 2);
    expect(workflowIds).toEqual([`ticket:${routed.ticketId}`, `ticket:${given.ticketId}`]);
    expect(await house.replan(routed.ticketId, at(3))).toMatchObject({ assignedUserId: other, round: 2 });
    expect(await house.replan(given.ticketId, at(3))).toMatchObject({ assignedUserId: removed, round: 2 });
    const { state } = await house.send(done.ticketId, 'reopen', {}, { receivedAt: at(4) });
    expect(state).toMatchObject({ assignedUserId: other });

    await house.sql('update crm_core.crm_teams set fallback_user_id = ?', [other]);
    await leave(other, 5);
    for (const minutes of [6, 7])
      expect(await house.replan(routed.ticketId, at(minutes))).toMatchObject({ assignedUserId: other, round: 3 });
  });

  it('whose team is deleted loses what they got through it', async () => {
    const house = await makeTicketHouse(fixture.app, { agents: [{}] });
    const other = await makeUser(house.org);
    const { ticketId } = await house.open({}, { receivedAt: monday });
    await makeRoutingRule(house.org, await makeTeam(house.org, [other]), { position: 200 });
    await house.org.records.remove(writeAs(house.admin, { receivedAt: at(1) }), teams, house.team.id, '*');
    const change = { organizationId: house.org.id, kind: 'team', id: house.team.id } as const;
    const { workflowIds } = await readAffectedProcesses(fixture.app, change, null, 10);
    expect(workflowIds).toEqual([`ticket:${ticketId}`]);
    for (const minutes of [2, 3])
      expect(await house.replan(ticketId, at(minutes))).toMatchObject({ assignedUserId: other.id, round: 2 });
  });

  it('who has no room leaves the ticket in the queue until capacity is free', async () => {
    const house = await makeTicketHouse(fixture.app, { agents: [{ ticketCapacity: 1 }] });
    const first = await house.open({}, { receivedAt: monday });
    const second = await house.open({}, { receivedAt: at(1) });
    expect(second.state).toMatchObject({ stage: 'queued' });
    await house.send(first.ticketId, 'resolve', {}, { receivedAt: at(2) });
    expect(await house.count('crm_outbox', `kind = 'ticket.capacity_freed'`)).toBe(1);
    expect(await house.replan(second.ticketId, at(3))).toMatchObject({
      stage: 'assigned',
      assignedUserId: house.agents[0]?.id,
    });
  });

  it.each(['setPriority', 'the ladder'])(
    'who serves another priority gets a queued ticket once %s gives it that',
    async (who) => {
      const escalation = [{ target: 'first_response', afterMinutes: 0, action: 'raise_priority' }];
      const house = await makeTicketHouse(fixture.app, {
        agents: [{ ticketCapacity: 0 }],
        policy: { escalation, warnAt: [], targets: { P1: { first_response: 60 }, P2: { first_response: 120 } } },
      });
      const urgent = await makeUser(house.org);
      const team = await makeTeam(house.org, [urgent]);
      await makeRoutingRule(house.org, team, { position: 50, when: 'priority == "P1"' });
      const { ticketId, state } = await house.open({ priority: 'P2' }, { receivedAt: monday });
      expect(state).toMatchObject({ stage: 'queued', teamId: house.team.id, round: 1 });
      const raise = async () => {
        if (who === 'setPriority')
          return house.send(ticketId, 'setPriority', { priority: 'P1' }, { receivedAt: at(1) });
        while ((await house.stateOf(ticketId)).next?.step !== 'first_response.rung_raise_priority_0')
          await house.takeNext(ticketId, at(121));
        return house.takeNext(ticketId, at(121));
      };
      const { state: raised } = await raise();
      expect(raised).toMatchObject({
        priority: 'P1',
        stage: 'assigned',
        assignedUserId: urgent.id,
        teamId: team.id,
        round: 2,
      });
      expect(
        await house.count('crm_timeline', "kind in ('ticket.prioritized', 'ticket.escalated', 'ticket.assigned')"),
      ).toBe(2);
    },
  );

  it('of a team that a person chose is the one who gets it, whatever the rules say when it is looked at again', async () => {
    const house = await makeTicketHouse(fixture.app);
    const [first, second] = [await makeUser(house.org), await makeUser(house.org)];
    const chosen = await makeTeam(house.org, [first, second]);
    const { ticketId } = await house.open({}, { receivedAt: monday });
    await house.send(ticketId, 'assign', { teamId: chosen.id }, { receivedAt: at(1) });
    await house.sql('update crm_core.crm_users set active = false where user_id = ?', [first.id]);
    expect(await house.replan(ticketId, at(2))).toMatchObject({ assignedUserId: second.id, teamId: chosen.id });
    await house.sql('update crm_core.crm_users set active = false where user_id = ?', [second.id]);
    expect(await house.replan(ticketId, at(3))).toMatchObject({ stage: 'queued', teamId: chosen.id });
    const { state } = await house.send(ticketId, 'assign', {}, { receivedAt: at(4) });
    expect(state).toMatchObject({ stage: 'assigned', teamId: house.team.id });
  });

  it.each([
    ['of nobody', '01990000-0000-7000-8000-00000000dead'],
    ['without the skill', null],
  ])('%s cannot be given it', async (_name, userId) => {
    const house = await makeTicketHouse(fixture.app, { agents: [{ skills: ['billing'] }, {}] });
    const { ticketId } = await house.open({ skills: ['billing'] });
    const wish = { userId: userId ?? house.agents[1]?.id };
    await expect(house.send(ticketId, 'assign', wish)).rejects.toMatchObject({ code: 'rule_violation' });
    expect(await house.ticket(ticketId)).toMatchObject({ assigned_user_id: house.agents[0]?.id, round: 1 });
  });
});

describe('repetition', () => {
  it('of a command or a signal changes nothing', async () => {
    const house = await makeTicketHouse(fixture.app);
    const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: monday });
    const sent = { receivedAt: at(5), commandId: '01990000-0000-7000-8000-0000000000aa' };
    const first = await house.send(ticketId, 'reply', { text: 'Hello' }, sent);
    expect(await house.send(ticketId, 'reply', { text: 'Hello' }, sent)).toEqual(first);
    const signalled = await house.signal(ticketId, 'customerReply', { text: 'Hi' }, at(6), 'signal:run:1');
    expect(await house.signal(ticketId, 'customerReply', { text: 'Hi' }, at(7), 'signal:run:1')).toEqual(signalled);
    expect(await house.count('crm_conversation_messages')).toBe(2);
  });

  it('of a step takes it once', async () => {
    const house = await makeTicketHouse(fixture.app);
    const { ticketId, state } = await house.open({ priority: 'P1' }, { receivedAt: monday });
    const { clause: _, ...step } = state.next ?? { clause: '' };
    const due = { organizationId: house.org.id, ticketId, ...step, detectedAt: at(30).toISOString() };
    const once = await house.activities.takeTicketStep(due as never);
    expect(await house.activities.takeTicketStep(due as never)).toEqual(once);
    expect(await house.steps(ticketId)).toHaveLength(1);
  });

  it('a message that the stage does not allow is refused, and nothing is written', async () => {
    const house = await makeTicketHouse(fixture.app);
    const { ticketId } = await house.open();
    await house.send(ticketId, 'close');
    const before = await house.ticket(ticketId);
    await expect(house.send(ticketId, 'reply', { text: 'Hello' })).rejects.toMatchObject({ code: 'illegal_stage' });
    expect(await house.ticket(ticketId)).toEqual(before);
  });
});

describe('a deleted ticket', () => {
  it('leaves its agent free for others, and does nothing by itself any more', async () => {
    const house = await makeTicketHouse(fixture.app, { agents: [{}] });
    const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: monday });
    await house.sql('update crm_core.crm_tickets set deleted_at = now() where ticket_id = ?', [ticketId]);
    expect(await house.replan(ticketId, at(1))).toMatchObject({ isDeleted: true });
    expect(await house.count('crm_users', 'open_tickets > 0')).toBe(0);
    await expect(house.send(ticketId, 'reply', { text: 'Hello' })).rejects.toMatchObject({ code: 'not_found' });
    expect(await house.steps(ticketId)).toEqual([]);
  });
});
