import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Targets } from '../../../workflows/tickets/terms.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { after, makeTicketHouse, type TicketHouse } from './ticket-house.ts';

const fixture = databaseFixture();
const monday = new Date('2026-11-23T09:00:00Z');

const before: Targets = {
  P1: { first_response: 60, next_response: 120, resolution: 240 },
  P2: { next_response: 90 },
  P3: { first_response: 600, resolution: 2_400 },
  P4: { resolution: 500 },
};
const changed: Targets = {
  P1: { next_response: 30, resolution: 100 },
  P2: { first_response: 45, resolution: 200 },
  P3: { next_response: 300 },
  P4: { first_response: 700, next_response: 900 },
};

const priority = fc.constantFrom('P1', 'P2', 'P3', 'P4');
const event = fc.oneof(
  fc.constantFrom('reply', 'customerReply', 'resolve', 'reopen', 'close').map((name) => ({ name, payload: {} })),
  fc.constantFrom('waiting_for_customer', 'open').map((status) => ({ name: 'setStatus', payload: { status } })),
  priority.map((to) => ({ name: 'setPriority', payload: { priority: to } })),
  fc.constant({ name: 'policy', payload: {} }),
);
const life = fc.array(fc.record({ event, minutes: fc.integer({ min: 1, max: 400 }) }), { minLength: 3, maxLength: 12 });

/** What a ticket lives through: with its changes of priority and policy, or as if the last of them had held all along. */
async function lived(
  house: TicketHouse,
  first: string,
  events: readonly { name: string; payload: Record<string, string>; at: Date }[],
): Promise<unknown> {
  const { ticketId } = await house.open({ priority: first }, { receivedAt: monday });
  for (const { name, payload, at } of events) {
    const { stage } = await house.ticket(ticketId);
    const isOpen = stage === 'assigned';
    if (name === 'policy') {
      await house.applyPolicy({ targets: changed }, at);
      await house.replan(ticketId, at);
    } else if (isOpen ? name !== 'reopen' : name === 'reopen' || name === 'customerReply') {
      const text = name === 'reply' || name === 'customerReply' ? { text: 'Hello' } : {};
      await house.send(ticketId, name, { ...payload, ...text }, { receivedAt: at });
    }
  }
  return house.sql(
    `select target, started_at, due_at, priority, target_minutes from crm_core.crm_sla_clocks
     where ticket_id = ? and ended_at is null order by target, started_at`,
    [ticketId],
  );
}

it('a ticket has the open clocks that it would have had its last priority and policy been there from the beginning', async () => {
  await fc.assert(
    fc.asyncProperty(priority, life, async (first, steps) => {
      let at = monday;
      const events = steps.map(({ event: { name, payload }, minutes }) => {
        at = after(at, minutes);
        return { name, payload: payload as Record<string, string>, at };
      });
      const house = await makeTicketHouse(fixture.app, { policy: { targets: before } });
      const open = await lived(house, first, events);

      const [{ priority: last }] = (await house.sql<{ priority: string }>(
        'select priority from crm_core.crm_tickets',
      )) as [{ priority: string }];
      const targets = events.some(({ name }) => name === 'policy') ? changed : before;
      const twin = await makeTicketHouse(fixture.app, { policy: { targets } });
      const others = events.filter(({ name }) => name !== 'policy' && name !== 'setPriority');
      expect(open).toEqual(await lived(twin, last, others));
    }),
    { numRuns: 15, interruptAfterTimeLimit: 30_000 },
  );
});
