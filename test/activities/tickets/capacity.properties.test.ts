import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Database, openDatabase } from '../../../db/database.ts';
import { Problem } from '../../../db/model/problem.ts';
import { readTicketTakers } from '../../../db/tickets/queue.queries.ts';
import { assignmentStrategies } from '../../../workflows/assignment/rules.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { type Desk, makeDesk } from './routing-house.ts';

const fixture = databaseFixture();
let second: Database;

beforeAll(async () => {
  second = await openDatabase({ url: fixture.url, role: 'crm_app' });
});
afterAll(() => second.close());

const teams = fc.array(
  fc.record({ ticketCapacity: fc.integer({ min: 0, max: 4 }), weight: fc.constantFrom(0.5, 1, 2) }),
  { minLength: 1, maxLength: 4 },
);

/** Routes as Temporal does: again until it succeeds. */
async function untilRouted(desk: Desk, ticketId: string, through: Database): Promise<void> {
  for (;;) {
    try {
      await desk.route(ticketId, {}, through);
      return;
    } catch (error) {
      if (error instanceof Problem && error.code !== 'unavailable') throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

const routeAll = (desk: Desk, ids: readonly string[]) =>
  Promise.all(ids.map((id, index) => untilRouted(desk, id, index % 2 ? second : fixture.app)));

const loadOf = async ({ sql }: Desk): Promise<{ open: number; counted: number; room: number }[]> =>
  sql(
    `select u.open_tickets as open, u.ticket_capacity as room,
       (select count(*)::int from crm_core.crm_tickets t where t.assigned_user_id = u.user_id and t.stage = 'assigned') as counted
     from crm_core.crm_users u join crm_core.crm_team_members m on m.user_id = u.user_id`,
  );

describe('two workers that race for the last capacity of a team', () => {
  it('never exceed it, use all of it, and queue the rest with everybody explained', async () => {
    await fc.assert(
      fc.asyncProperty(
        teams,
        fc.constantFrom(...assignmentStrategies),
        fc.integer({ min: 1, max: 12 }),
        async (agents, strategy, count) => {
          const desk = await makeDesk(fixture.app, { agents, rule: { strategy } });
          const ids = await Promise.all(Array.from({ length: count }, () => desk.open()));
          await routeAll(desk, ids);
          const room = agents.reduce((sum, { ticketCapacity }) => sum + ticketCapacity, 0);
          const load = await loadOf(desk);
          expect(load.every(({ open, counted, room: most }) => open === counted && open <= most)).toBe(true);
          expect(load.reduce((sum, { open }) => sum + open, 0)).toBe(Math.min(count, room));
          const decisions = await desk.sql<{ user_id: string | null; candidates: { userId: string }[] }>(
            'select user_id, candidates from crm_core.crm_ticket_assignments',
          );
          expect(decisions).toHaveLength(count);
          expect(decisions.filter(({ user_id }) => user_id === null)).toHaveLength(Math.max(0, count - room));
          for (const { candidates } of decisions) {
            const named = candidates.map(({ userId }) => userId).toSorted();
            expect(named).toEqual(desk.agents.map(({ id }) => id).toSorted());
          }
        },
      ),
      { numRuns: 12 },
    );
  });

  it('drain a queue without exceeding it: all are answered in the end, the oldest first', async () => {
    const desk = await makeDesk(fixture.app, { agents: [{ ticketCapacity: 2 }] });
    const userId = String(desk.agents[0]?.id);
    const ids: string[] = [];
    for (let n = 0; n < 7; n += 1) ids.push(await desk.open());
    for (const ticketId of ids) await desk.route(ticketId);
    const order: string[] = [];
    while (order.length < ids.length) {
      const assigned = await desk.sql<{ ticket_id: string }>(
        `select ticket_id from crm_core.crm_tickets where stage = 'assigned' order by opened_at, ticket_id`,
      );
      expect(assigned.length).toBeGreaterThan(0);
      for (const { ticket_id } of assigned) {
        await desk.resolve(ticket_id);
        order.push(ticket_id);
      }
      const { room: free, ids: takers } = await readTicketTakers(fixture.app, desk.org.id, userId, new Date(), 50);
      await routeAll(desk, takers.slice(0, free));
      expect((await loadOf(desk)).every(({ open, room }) => open <= room)).toBe(true);
    }
    expect(order).toEqual(ids);
  });
});
