import { describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { receiveCommand } from '../../../db/automation/ledger.queries.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { writeAs } from '../../support/factories.ts';
import { after, makeTicketHouse, type TicketHouse } from './ticket-house.ts';

const fixture = databaseFixture();
const monday = new Date('2026-11-23T09:00:00Z');
const at = (minutes: number) => after(monday, minutes);

/** Puts a message into the ledger, as the API does; `house.send` with its `commandId` delivers it. */
async function receive(
  house: TicketHouse,
  ticketId: string,
  message: string,
  receivedAt: Date,
  payload: Record<string, unknown> = {},
) {
  const commandId = uuidv7();
  const write = writeAs(house.admin, { receivedAt, idempotencyKey: commandId }, payload);
  await receiveCommand(house.database, write, {
    commandId,
    process: 'ticket',
    message,
    recordId: ticketId,
    body: payload,
  });
  return { commandId, receivedAt };
}

const escalation = [
  { target: 'first_response', afterMinutes: 0, action: 'reassign' },
  { target: 'first_response', afterMinutes: 0, action: 'raise_priority' },
];

describe('a step that falls due while a message that was received in time is on its way', () => {
  it('waits for it: nobody is told of a breach that was none, and the ladder does nothing', async () => {
    const house = await makeTicketHouse(fixture.app, { policy: { escalation } });
    const { ticketId, state } = await house.open({ priority: 'P3' }, { receivedAt: monday });
    const reply = { text: 'We are on it.' };
    const sent = await receive(house, ticketId, 'reply', at(600), reply);
    // The warnings were due before it was received.
    for (const percent of [50, 75])
      expect((await house.takeNext(ticketId, at(700))).taken).toContain(`warning at ${percent} %`);
    for (const minute of [701, 702]) {
      const { state: waiting } = await house.takeNext(ticketId, at(minute - 1));
      expect(waiting.next).toMatchObject({ step: 'first_response.breach', dueAt: at(minute).toISOString() });
      expect(await house.ticket(ticketId)).toMatchObject({ next_step: 'first_response.breach', sla: 'warning' });
    }
    const { state: answered } = await house.send(ticketId, 'reply', reply, sent);
    expect(answered).toMatchObject({ priority: 'P3', assignedUserId: state.assignedUserId, round: 1, sla: 'on_track' });
    expect(answered.clocks).toContainEqual(expect.objectContaining({ target: 'first_response', state: 'met' }));
    expect((await house.steps(ticketId)).map(({ step }) => step)).toEqual(['warning_50', 'warning_75']);
    expect(await house.count('crm_notifications', "kind in ('ticket.breach', 'ticket.taken_away')")).toBe(0);
  });

  it('waits at the closing for what the customer wrote before', async () => {
    const house = await makeTicketHouse(fixture.app, { policy: { closeAfterMinutes: 60, reopenWithinMinutes: 30 } });
    const { ticketId } = await house.open({}, { receivedAt: monday });
    await house.send(ticketId, 'resolve', {}, { receivedAt: at(10) });
    const wrote = { text: 'Not quite.' };
    const sent = await receive(house, ticketId, 'customerReply', at(35), wrote);
    expect((await house.takeNext(ticketId, at(90))).state).toMatchObject({
      stage: 'resolved',
      next: { step: 'close', dueAt: at(91).toISOString() },
    });
    expect((await house.send(ticketId, 'customerReply', wrote, sent)).state.stage).toBe('assigned');
  });

  it('does not wait for what was received too late, nor for what changes nothing about it', async () => {
    const house = await makeTicketHouse(fixture.app, { policy: { warnAt: [] } });
    const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: monday });
    await receive(house, ticketId, 'note', at(10), { text: 'Looks odd.' });
    await receive(house, ticketId, 'reply', at(60.001), { text: 'Sorry.' });
    expect((await house.takeNext(ticketId)).state.sla).toBe('breached');
  });
});
