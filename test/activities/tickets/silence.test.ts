import { describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { receiveCommand } from '../../../db/automation/ledger.queries.ts';
import { inOrganization } from '../../../db/database.ts';
import { noteBounce } from '../../../db/tickets/bounces.queries.ts';
import { previewPolicyChange } from '../../../db/tickets/policy-change.queries.ts';
import { readTicketProcess } from '../../../db/tickets/process.queries.ts';
import { markReplyUndelivered } from '../../../db/tickets/replies.queries.ts';
import { tickets } from '../../../db/tickets/ticket.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { writeAs } from '../../support/factories.ts';
import { makeTicketHouse } from './ticket-house.ts';
import { at, mailsLeave, monday, notified, twoWeeks, waitingTicket } from './waits.ts';

const fixture = databaseFixture();

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

  it('has the whole time again once it was deleted and restored', async () => {
    const house = await makeTicketHouse(fixture.app, { policy });
    const ticketId = await waitingTicket(house);
    const { records } = house.org;
    await records.remove(writeAs(house.admin, { receivedAt: at(20) }), tickets, ticketId, '*');
    await records.restore(writeAs(house.admin, { receivedAt: at(300) }), tickets, ticketId);
    const { state } = await house.takeNext(ticketId, at(301));
    expect(state).toMatchObject({ status: 'waiting_for_customer', next: { dueAt: at(400).toISOString() } });
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
