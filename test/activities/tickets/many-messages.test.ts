import { expect, it } from '@jest/globals';
import { readTicketProcess } from '../../../db/tickets/process.queries.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { after, makeTicketHouse } from './ticket-house.ts';

const fixture = databaseFixture();
const monday = new Date('2026-11-23T09:00:00Z');
const at = (minutes: number) => after(monday, minutes);

interface Told {
  target: string;
  endedAt: string | null;
}

it('however much a customer writes, the clock of the resolution is told of: to its process, and in its explanation', async () => {
  const house = await makeTicketHouse(fixture.app);
  const { ticketId } = await house.open({ priority: 'P3' }, { receivedAt: monday });
  await house.send(ticketId, 'reply', { text: 'We are on it.' }, { receivedAt: at(1) });
  const written = 60;
  for (let nth = 1; nth <= written; nth += 1)
    await house.send(ticketId, 'customerReply', { text: `Thing ${nth}` }, { receivedAt: at(1 + nth) });
  const { clocks } = await house.stateOf(ticketId);
  expect(clocks.map(({ target, ordinal = 1 }) => [target, ordinal])).toEqual([
    ...[1, 2, 3, 4, 5, 6, 7].map((ordinal) => ['next_response', ordinal]),
    ['resolution', 1],
  ]);
  const { explanation } = await readTicketProcess(fixture.app, house.admin, ticketId);
  const open = (explanation['clocks'] as Told[]).filter(({ endedAt }) => endedAt === null);
  const count = (target: string) => open.filter((clock) => clock.target === target).length;
  expect([count('next_response'), count('resolution')]).toEqual([written, 1]);
});
