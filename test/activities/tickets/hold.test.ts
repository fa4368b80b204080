import { describe, expect, it } from '@jest/globals';
import { migrateDown, migrateUp, migrationStatus } from '../../../db/migrator.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { after, makeTicketHouse } from './ticket-house.ts';
import { at, mailsLeave, monday, notified, twoWeeks, waitingTicket } from './waits.ts';

const fixture = databaseFixture();

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

  it('is told to whoever watches the queue when nobody has it, as is the end of a silence', async () => {
    const house = await makeTicketHouse(fixture.app, {
      policy: { ...policy, resolveAfterMinutes: 100, targets: { P2: { resolution: 9 } } },
      agents: [],
    });
    const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: monday });
    await house.send(ticketId, 'setStatus', { status: 'on_hold' }, { receivedAt: at(10) });
    const untilItEnds = async () => {
      for (let look = 0; (await house.stateOf(ticketId)).next?.step === 'route' && look < 20; look += 1)
        await house.takeNext(ticketId);
      return (await house.takeNext(ticketId)).state;
    };
    expect(await untilItEnds()).toMatchObject({ stage: 'queued', status: 'open' });
    expect((await house.steps(ticketId)).at(-1)?.outcome).toBe('open again: the hold has ended');
    await house.send(ticketId, 'reply', { text: 'Which machine?' }, { receivedAt: at(200) });
    await mailsLeave(house, 200);
    await house.send(ticketId, 'setStatus', { status: 'waiting_for_customer' }, { receivedAt: at(201) });
    expect(await untilItEnds()).toMatchObject({ stage: 'resolved' });
    const manager = house.team['managerUserId'];
    expect((await notified(house)).slice(-2)).toEqual(
      ['ticket.resumed', 'ticket.resolved'].map((kind) => ({ kind, user_id: manager })),
    );
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
