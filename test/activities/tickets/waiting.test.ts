import { describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { receiveCommand } from '../../../db/automation/ledger.queries.ts';
import { noteBounce } from '../../../db/tickets/bounces.queries.ts';
import { inOrganization } from '../../../db/database.ts';
import { markReplyUndelivered } from '../../../db/tickets/replies.queries.ts';
import { readTicketProcess } from '../../../db/tickets/process.queries.ts';
import { previewPolicyChange } from '../../../db/tickets/policy-change.queries.ts';
import { migrateDown, migrateUp, migrationStatus } from '../../../db/migrator.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { writeAs } from '../../support/factories.ts';
import { after, makeTicketHouse, type TicketHouse } from './ticket-house.ts';

const fixture = databaseFixture();
const monday = new Date('2026-11-23T09:00:00Z');
const at = (minutes: number) => after(monday, minutes);
const twoWeeks = 14 * 24 * 60;

/** A ticket that was answered after five minutes, and waits since the tenth. */
async function waitingTicket(house: TicketHouse, status = 'waiting_for_customer'): Promise<string> {
  const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: monday });
  await house.send(ticketId, 'reply', { text: 'Which machine?' }, { receivedAt: at(5) });
  await mailsLeave(house, 5);
  await house.send(ticketId, 'setStatus', { status }, { receivedAt: at(10) });
  return ticketId;
}

/** The mails of replies leave at the minute, as the relay sees to it. */
async function mailsLeave(house: TicketHouse, minute: number): Promise<void> {
  await house.sql("update crm_core.crm_outbox set delivered_at = ? where kind = 'ticket_reply.created'", [at(minute)]);
  await house.sql(
    "update crm_core.crm_conversation_messages set delivered_at = coalesce(delivered_at, ?) where kind = 'reply'",
    [at(minute)],
  );
}

const notified = (house: TicketHouse) =>
  house.sql<{ kind: string; user_id: string }>(
    "select kind, user_id from crm_core.crm_notifications where kind <> 'ticket.assigned' order by notification_id",
  );

describe('a ticket that waits for a silent customer', () => {
  const policy = { resolveAfterMinutes: 100, closeAfterMinutes: 60 };

  it('is resolved as of the end of the time, however late that is noticed; an answer opens it again', async () => {
    const house = await makeTicketHouse(fixture.app, { policy });
    const ticketId = await waitingTicket(house);
    expect((await house.stateOf(ticketId)).next).toEqual({
      step: 'resolve',
      dueAt: at(110).toISOString(),
      clause: 'resolve · no word from the customer',
    });
    const { state } = await house.takeNext(ticketId, at(130));
    expect(state).toMatchObject({
      stage: 'resolved',
      status: 'resolved',
      sla: 'met',
      next: { step: 'close', dueAt: at(170).toISOString() },
    });
    expect(await house.ticket(ticketId)).toMatchObject({ waiting_since: null, wait_count: 1 });
    const resolution = (await house.clocks(ticketId)).find(({ target }) => target === 'resolution');
    expect(resolution).toMatchObject({ state: 'met', met_at: at(110), elapsed_minutes: 10 });
    expect(await house.steps(ticketId)).toEqual([
      { target: null, step: 'resolve', due_at: at(110), detected_at: at(130), outcome: 'resolved by itself' },
    ]);
    expect(await notified(house)).toEqual([{ kind: 'ticket.resolved', user_id: house.agents[0]?.id }]);
    expect(await house.count('crm_users', 'open_tickets > 0')).toBe(0);
    const told = "subject_id = ? and kind = 'ticket.resolved' and details ->> 'dueAt' = ?";
    expect(await house.count('crm_timeline', told, [ticketId, at(110).toISOString()])).toBe(1);

    const { state: again } = await house.send(ticketId, 'customerReply', { text: 'E17.' }, { receivedAt: at(140) });
    expect(again).toMatchObject({ stage: 'assigned', status: 'open' });
  });

  it('has the whole time again with each reply, and waits no longer once the customer wrote', async () => {
    const house = await makeTicketHouse(fixture.app, { policy });
    const ticketId = await waitingTicket(house);
    const { state } = await house.send(ticketId, 'reply', { text: 'Are you there?' }, { receivedAt: at(60) });
    expect(state.next).toMatchObject({ step: 'resolve', dueAt: at(160).toISOString() });
    expect((await readTicketProcess(house.database, house.admin, ticketId)).explanation).toMatchObject({
      waiting: { since: at(60).toISOString(), times: 1, resolveAfterMinutes: 100, resumeAfterMinutes: twoWeeks },
    });
    await house.send(ticketId, 'note', { text: 'Called, nobody there.' }, { receivedAt: at(70) });
    expect((await house.stateOf(ticketId)).next?.dueAt).toBe(at(160).toISOString());
    const { state: answered } = await house.send(ticketId, 'customerReply', {}, { receivedAt: at(80) });
    expect(answered.next?.step).toBe('next_response.warning_50');
    expect(await house.ticket(ticketId)).toMatchObject({ waiting_since: null });
  });

  it('is open again instead while the customer is owed an answer, and says so, each time', async () => {
    const house = await makeTicketHouse(fixture.app, { policy: { resolveAfterMinutes: 100 } });
    const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: monday });
    for (const minute of [10, 200]) {
      await house.send(ticketId, 'setStatus', { status: 'waiting_for_customer' }, { receivedAt: at(minute) });
      const { state } = await house.takeNext(ticketId);
      expect(state).toMatchObject({ stage: 'assigned', status: 'open' });
    }
    const waits = (await house.steps(ticketId)).filter(({ step }) => step === 'resolve');
    expect(waits.map(({ due_at, outcome }) => [due_at, outcome])).toEqual(
      [110, 300].map((minute) => [at(minute), 'open again: the customer is owed an answer']),
    );
    const first = (await house.clocks(ticketId)).find(({ target }) => target === 'first_response');
    expect(first?.intervals.map(({ kind }) => kind)).toEqual(['running', 'paused', 'running', 'paused', 'running']);
    expect((await notified(house)).filter(({ kind }) => kind === 'ticket.resumed')).toHaveLength(2);
  });

  it('is open again when the last reply never reached the customer', async () => {
    const house = await makeTicketHouse(fixture.app, { policy });
    const ticketId = await waitingTicket(house);
    const [reply] = await house.sql<{ id: string }>(
      "select conversation_message_id as id from crm_core.crm_conversation_messages where ticket_id = ? and kind = 'reply'",
      [ticketId],
    );
    const bounce = { at: at(12), by: 'system', reason: 'no such mailbox', refused: [] };
    await inOrganization(fixture.app, house.org.id, (em) =>
      markReplyUndelivered(em, house.org.id, reply?.id ?? '', bounce),
    );
    expect((await house.takeNext(ticketId)).state).toMatchObject({ stage: 'assigned', status: 'open' });
    expect((await house.steps(ticketId)).map(({ outcome }) => outcome)).toEqual([
      'open again: the last reply did not reach the customer',
    ]);
    await house.send(ticketId, 'reply', { text: 'By the other address: which machine?' }, { receivedAt: at(120) });
    await mailsLeave(house, 120);
    await house.send(ticketId, 'setStatus', { status: 'waiting_for_customer' }, { receivedAt: at(121) });
    expect((await house.takeNext(ticketId)).state).toMatchObject({ stage: 'resolved' });
  });

  it('waits from when the last reply has left by mail, were it days after it was written', async () => {
    const house = await makeTicketHouse(fixture.app, { policy });
    const ticketId = await waitingTicket(house);
    await house.send(ticketId, 'reply', { text: 'Are you there?' }, { receivedAt: at(60) });
    const { state } = await house.takeNext(ticketId, at(400));
    expect(state).toMatchObject({ status: 'waiting_for_customer', next: { dueAt: at(500).toISOString() } });
    await mailsLeave(house, 430);
    const { state: left } = await house.takeNext(ticketId);
    expect(left).toMatchObject({ status: 'waiting_for_customer', next: { dueAt: at(530).toISOString() } });
    expect((await house.takeNext(ticketId)).state).toMatchObject({ stage: 'resolved' });
    expect((await house.steps(ticketId)).map(({ step, due_at }) => [step, due_at])).toEqual([['resolve', at(530)]]);
  });

  it('is open again, too, when nobody has heard yet that the last reply came back', async () => {
    const house = await makeTicketHouse(fixture.app, { policy });
    const ticketId = await waitingTicket(house);
    const [reply] = await house.sql<{ id: string; message_id: string }>(
      "select conversation_message_id as id, message_id from crm_core.crm_conversation_messages where kind = 'reply'",
    );
    const bounce = { messageIds: [String(reply?.message_id)], reason: 'no such mailbox' };
    await noteBounce(fixture.app, writeAs(house.admin, { receivedAt: at(12) }), bounce);
    expect((await house.takeNext(ticketId)).state).toMatchObject({ stage: 'assigned', status: 'open' });
  });

  it('is open again after a deletion in which its customer wrote to a follow-up ticket', async () => {
    const house = await makeTicketHouse(fixture.app, { policy });
    const ticketId = await waitingTicket(house);
    const deletedAt = (value: Date | null) =>
      house.sql('update crm_core.crm_tickets set deleted_at = ? where ticket_id = ?', [value, ticketId]);
    await deletedAt(at(20));
    await house.send(ticketId, 'customerReply', { text: 'E17.' }, { receivedAt: at(30) });
    await house.deliverOwed();
    await deletedAt(null);
    expect((await house.takeNext(ticketId, at(400))).state).toMatchObject({ stage: 'assigned', status: 'open' });
    expect((await house.steps(ticketId)).map(({ outcome }) => outcome)).toEqual([
      'open again: the customer wrote to a follow-up ticket',
    ]);
    await house.send(ticketId, 'setStatus', { status: 'waiting_for_customer' }, { receivedAt: at(410) });
    expect((await house.takeNext(ticketId)).state).toMatchObject({ stage: 'resolved' });
  });

  it('waits as long as the later of two that were merged, both of which were answered', async () => {
    const house = await makeTicketHouse(fixture.app, { policy });
    const [survivor, other] = [await waitingTicket(house), await waitingTicket(house)];
    await house.send(other, 'reply', { text: 'And yours?' }, { receivedAt: at(90) });
    await house.send(other, 'merge', { intoTicketId: survivor }, { receivedAt: at(100) });
    expect(await house.stateOf(survivor)).toMatchObject({
      status: 'waiting_for_customer',
      next: { step: 'resolve', dueAt: at(190).toISOString() },
    });
    const [early, late] = [await waitingTicket(house), await waitingTicket(house)];
    await house.send(late, 'reply', { text: 'And yours?' }, { receivedAt: at(90) });
    await house.send(early, 'merge', { intoTicketId: late }, { receivedAt: at(100) });
    expect((await house.stateOf(late)).next).toMatchObject({ step: 'resolve', dueAt: at(190).toISOString() });
  });

  it('waits for two weeks where no policy says how long', async () => {
    const house = await makeTicketHouse(fixture.app, { policy: { when: 'channel == "phone"' } });
    const ticketId = await waitingTicket(house);
    const explanation = async () =>
      (await readTicketProcess(house.database, house.admin, ticketId)).explanation['waiting'];
    expect(await explanation()).toMatchObject({ since: at(10).toISOString(), resolveAfterMinutes: twoWeeks });
    expect((await house.takeNext(ticketId)).state).toMatchObject({ stage: 'resolved', sla: undefined });
    expect(await explanation()).toBeNull();
    expect((await house.steps(ticketId)).map(({ due_at }) => due_at)).toEqual([at(10 + twoWeeks)]);
  });

  it('waits as long as usual by terms that were stored before they said for how long', async () => {
    const house = await makeTicketHouse(fixture.app, { policy });
    const ticketId = await waitingTicket(house);
    await house.sql("update crm_core.crm_tickets set sla_terms = sla_terms - 'resolveAfterMinutes'");
    expect((await house.replan(ticketId, at(20))).next).toMatchObject({ dueAt: at(10 + twoWeeks).toISOString() });
  });

  it('is not resolved over what was written before the end of the wait was noticed', async () => {
    const house = await makeTicketHouse(fixture.app, { policy });
    const ticketId = await waitingTicket(house);
    const sent = { commandId: uuidv7(), receivedAt: at(125) };
    await receiveCommand(
      fixture.app,
      writeAs(house.admin, { receivedAt: sent.receivedAt, idempotencyKey: sent.commandId }, { status: 'open' }),
      {
        commandId: sent.commandId,
        process: 'ticket',
        message: 'setStatus',
        recordId: ticketId,
        body: { status: 'open' },
      },
    );
    const { state } = await house.takeNext(ticketId, at(130));
    expect(state).toMatchObject({ stage: 'assigned', next: { step: 'resolve', dueAt: at(131).toISOString() } });
    const { state: open } = await house.send(ticketId, 'setStatus', { status: 'open' }, sent);
    expect(open).toMatchObject({ status: 'open', sla: 'on_track' });
  });

  it('follows a policy that is changed for the open tickets', async () => {
    const house = await makeTicketHouse(fixture.app, { policy });
    const ticketId = await waitingTicket(house);
    const change = { resolveAfterMinutes: 30 };
    const preview = (minute: number) =>
      previewPolicyChange(fixture.app, { actor: house.admin, receivedAt: at(minute) }, house.policy.id, change);
    // Of which those are counted that the change alone ends.
    expect(await Promise.all([39, 40, 109, 110].map(preview))).toEqual(
      [0, 1, 1, 0].map((waitsEnded) => expect.objectContaining({ openTickets: 1, affectedTickets: 0, waitsEnded })),
    );
    await house.applyPolicy(change, at(20));
    expect((await house.replan(ticketId, at(21))).next).toMatchObject({ step: 'resolve', dueAt: at(40).toISOString() });
  });
});

describe('a ticket on hold', () => {
  const policy = { pauseStatuses: ['on_hold'], resumeAfterMinutes: 100 };

  it('is open again after its time, and its clocks run from when that was noticed; every hold anew', async () => {
    const house = await makeTicketHouse(fixture.app, { policy });
    const ticketId = await waitingTicket(house, 'on_hold');
    await house.send(ticketId, 'reply', { text: 'The part is on its way.' }, { receivedAt: at(20) });
    const { taken, state } = await house.takeNext(ticketId, at(120));
    expect(taken).toBe('end of the hold');
    expect(state).toMatchObject({ status: 'open', sla: 'on_track', next: { step: 'resolution.warning_50' } });
    const resolution = (await house.clocks(ticketId)).find(({ target }) => target === 'resolution');
    expect(resolution?.due_at).toEqual(at(240 + 110));
    expect(resolution?.intervals.at(-1)).toMatchObject({ kind: 'running', cause: 'the hold has ended' });
    await house.send(ticketId, 'setStatus', { status: 'on_hold' }, { receivedAt: at(130) });
    await house.takeNext(ticketId);
    expect((await house.steps(ticketId)).map(({ step, due_at, detected_at }) => [step, due_at, detected_at])).toEqual([
      ['resume', at(110), at(120)],
      ['resume', at(230), at(230)],
    ]);
    expect(await notified(house)).toEqual([1, 2].map(() => ({ kind: 'ticket.resumed', user_id: house.agents[0]?.id })));
  });

  it('is told to whoever watches the queue when nobody has it', async () => {
    const house = await makeTicketHouse(fixture.app, {
      policy: { ...policy, targets: { P2: { resolution: 9 } } },
      agents: [],
    });
    const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: monday });
    await house.send(ticketId, 'setStatus', { status: 'on_hold' }, { receivedAt: at(10) });
    for (let look = 0; (await house.stateOf(ticketId)).next?.step === 'route' && look < 20; look += 1)
      await house.takeNext(ticketId);
    expect((await house.takeNext(ticketId)).state).toMatchObject({ stage: 'queued', status: 'open' });
    expect((await house.steps(ticketId)).at(-1)?.outcome).toBe('open again: the hold has ended');
  });
});

describe('a ticket that comes into the queue', () => {
  const nothing = { when: 'channel == "phone"' };
  const unattended = async (house: TicketHouse) =>
    (await notified(house)).filter(({ kind }) => kind === 'ticket.unattended').map(({ user_id: userId }) => userId);

  it('without any promise is told of once, to the manager of its team: no clock will', async () => {
    const house = await makeTicketHouse(fixture.app, { policy: nothing, agents: [{ ticketCapacity: 1 }] });
    const manager = house.team['managerUserId'];
    const { ticketId: held } = await house.open({}, { receivedAt: monday });
    expect(await unattended(house)).toEqual([]);
    const { ticketId } = await house.open({}, { receivedAt: monday });
    expect(await unattended(house)).toEqual([manager]);
    await house.takeNext(ticketId);
    await house.send(ticketId, 'assign', {}, { receivedAt: at(90) });
    expect(await unattended(house)).toEqual([manager]);
    await house.send(held, 'assign', {}, { receivedAt: at(100) });
    expect(await house.ticket(held)).toMatchObject({ stage: 'queued' });
    expect(await unattended(house)).toEqual([manager, manager]);
  });

  it('with nothing left of what was promised is told of, too: it was answered, and its agent is gone', async () => {
    const policy = { targets: { P1: { first_response: 60 } } };
    const house = await makeTicketHouse(fixture.app, { policy, agents: [{}] });
    const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: monday });
    await house.send(ticketId, 'reply', { text: 'I look into it.' }, { receivedAt: at(5) });
    await house.sql('update crm_core.crm_users set active = false where user_id = ?', [house.agents[0]?.id]);
    expect(await house.replan(ticketId, at(10))).toMatchObject({ stage: 'queued' });
    expect(await unattended(house)).toEqual([house.team['managerUserId']]);
    await house.replan(ticketId, at(20));
    expect(await unattended(house)).toHaveLength(1);
  });

  it('is told of when it loses in the queue what was promised, once', async () => {
    const policy = { targets: { P1: { resolution: 60 } } };
    const house = await makeTicketHouse(fixture.app, { policy, agents: [] });
    const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: monday });
    expect(await unattended(house)).toEqual([]);
    for (const [minute, priority] of ['P2', 'P3'].entries())
      await house.send(ticketId, 'setPriority', { priority }, { receivedAt: at(minute + 1) });
    expect(await unattended(house)).toEqual([house.team['managerUserId']]);
  });

  it('is not told of when a clock begins with that, or a breach has just been told of', async () => {
    const policy = { targets: { P1: { next_response: 60 } } };
    const house = await makeTicketHouse(fixture.app, { policy, agents: [{}] });
    const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: monday });
    await house.send(ticketId, 'resolve', {}, { receivedAt: at(5) });
    await house.sql('update crm_core.crm_users set active = false where user_id = ?', [house.agents[0]?.id]);
    const { state } = await house.send(ticketId, 'customerReply', { text: 'Again.' }, { receivedAt: at(10) });
    expect(state).toMatchObject({ stage: 'queued', next: { step: 'next_response.warning_50' } });
    for (const minute of [40, 55, 70])
      for (let look = 0; look < 50; look += 1) {
        const { next } = await house.stateOf(ticketId);
        if (!next || Date.parse(next.dueAt) > at(minute).getTime()) break;
        await house.takeNext(ticketId);
      }
    expect((await house.steps(ticketId)).map(({ step }) => step)).toContain('breach');
    expect(await unattended(house)).toEqual([]);
  });

  it('with one is left to its clocks, unless they are for other priorities', async () => {
    const house = await makeTicketHouse(fixture.app, { policy: { targets: { P1: { resolution: 9 } } }, agents: [] });
    await house.open({ priority: 'P1' });
    expect(await unattended(house)).toEqual([]);
    await house.open({ priority: 'P2' });
    expect(await unattended(house)).toEqual([house.team['managerUserId']]);
  });
});

describe('tickets that waited before waits had an end', () => {
  it('have the whole time from the upgrade on, by the terms that they keep', async () => {
    const house = await makeTicketHouse(fixture.app, { policy: { targets: { P1: { first_response: 60 } } } });
    const ticketId = await waitingTicket(house);
    await house.applyPolicy({ name: 'Applied' }, at(20));
    const migration = 'Migration20261122053406_waits';
    while (!(await migrationStatus(fixture.url)).pending.includes(migration)) await migrateDown(fixture.url);
    expect(await house.ticket(ticketId)).toMatchObject({ next_step: null, next_due_at: null });
    expect(await house.ticket(ticketId)).not.toHaveProperty('waiting_since');
    await migrateUp(fixture.url);
    const { waiting_since: since, wait_count: count, sla_terms: terms } = await house.ticket(ticketId);
    expect([count, terms]).toEqual([
      1,
      expect.objectContaining({ resolveAfterMinutes: twoWeeks, resumeAfterMinutes: twoWeeks }),
    ]);
    const told = "kind = 'ticket.updated' and subject_type = 'ticket' and subject_id = ? and delivered_at is null";
    expect(await house.count('crm_outbox', told, [ticketId])).toBe(1);
    const { next } = await house.replan(ticketId, at(30));
    expect(next).toMatchObject({ step: 'resolve', dueAt: after(since as string, twoWeeks).toISOString() });
  });
});
