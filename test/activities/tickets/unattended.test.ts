import { describe, expect, it } from '@jest/globals';
import { databaseFixture } from '../../db/database-fixture.ts';
import { makeTicketHouse, type TicketHouse } from './ticket-house.ts';
import { at, monday, notified } from './waits.ts';

const fixture = databaseFixture();

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
