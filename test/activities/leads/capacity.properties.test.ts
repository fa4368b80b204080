import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Database, openDatabase } from '../../../db/database.ts';
import { assignmentStrategies } from '../../../workflows/assignment/rules.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { makeUser } from '../../support/factories.ts';
import { besides, form, type House, makeHouse, untilDecided } from './house.ts';

const fixture = databaseFixture();
let second: Database;

beforeAll(async () => {
  second = await openDatabase({ url: fixture.url, role: 'crm_app' });
});

afterAll(() => second.close());

interface Member {
  capacity: number;
  dailyQuota: number | null;
  weight: number;
}

const members = fc.array(
  fc.record({
    capacity: fc.integer({ min: 0, max: 6 }),
    dailyQuota: fc.option(fc.integer({ min: 0, max: 6 })),
    weight: fc.constantFrom(0.5, 1, 2),
  }),
  { minLength: 1, maxLength: 4 },
);

interface Decision {
  user_id: string;
  over_capacity: boolean;
  took_turn: boolean;
  candidates: { userId: string; outcome: string; reason: string; code: string }[];
}

/** Two workers decide `leads` captures at once in a house of these members; answers the decisions in their order. */
async function race(team: readonly Member[], strategy: string, leads: number, fallback: boolean) {
  const house = await makeHouse(fixture.app, {
    rule: { strategy },
    users: (org) => Promise.all(team.map((member) => makeUser(org, { ...member }))),
  });
  if (fallback) {
    const { id } = await makeUser(house.org, { capacity: 0 });
    await house.sql('update crm_core.core_organizations set fallback_user_id = ?', [id]);
  }
  const other = besides(house, second);
  const captures = await Promise.all(Array.from({ length: leads }, () => house.receive(form())));
  await Promise.all(captures.map(({ leadId }, index) => untilDecided(index % 2 ? other : house, leadId)));
  const decisions = await house.sql<Decision>(
    'select user_id, over_capacity, took_turn, candidates from crm_core.crm_lead_assignments',
  );
  return { house, decisions };
}

const room = ({ capacity, dailyQuota }: Member) => Math.min(capacity, dailyQuota ?? Infinity);
const turnsOf = (house: House) =>
  house.sql<{ user_id: string; turns: number; last_turn: number | null }>(
    'select user_id, turns, last_turn from crm_core.crm_team_members order by position',
  );

describe('two workers that race for the last capacity of a team', () => {
  it('never exceed a capacity or quota unflagged, use all the room there is, and explain every member once', async () => {
    await fc.assert(
      fc.asyncProperty(
        members,
        fc.constantFrom(...assignmentStrategies),
        fc.integer({ min: 1, max: 14 }),
        fc.boolean(),
        async (team, strategy, leads, fallback) => {
          const { house, decisions } = await race(team, strategy, leads, fallback);
          const roomForAll = team.reduce((sum, member) => sum + room(member), 0);
          const given = decisions.filter((decision) => decision.user_id !== null);
          const within = given.filter((decision) => !decision.over_capacity);
          expect(within).toHaveLength(Math.min(leads, roomForAll));
          expect(decisions).toHaveLength(leads);
          expect(given).toHaveLength(fallback ? leads : within.length);
          expect(within.every((decision) => decision.took_turn)).toBe(true);
          for (const [index, user] of house.users.entries()) {
            const got = within.filter((decision) => decision.user_id === user.id).length;
            expect(got).toBeLessThanOrEqual(room(team[index] as Member));
          }
          for (const { candidates, user_id: userId } of decisions) {
            const named = candidates.map((candidate) => candidate.userId);
            expect(new Set(named).size).toBe(named.length);
            for (const user of house.users) expect(named).toContain(user.id);
            expect(
              candidates.filter(({ outcome }) => outcome === 'chosen').map((candidate) => candidate.userId),
            ).toEqual(userId === null ? [] : [userId]);
            expect(candidates.every(({ reason }) => reason !== '')).toBe(true);
          }
        },
      ),
      { numRuns: 12 },
    );
  });

  it('skip no turn: whoever is next by the running number gets the lead', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 5 }), fc.integer({ min: 1, max: 16 }), async (size, leads) => {
        const team = Array.from({ length: size }, () => ({ capacity: 100, dailyQuota: null, weight: 1 }));
        const { house } = await race(team, 'round_robin', leads, false);
        const turns = await turnsOf(house);
        // All eligible: the first `leads % size` places are one ahead, and the running numbers have no gap.
        const expected = turns.map((_, place) => Math.floor(leads / size) + (place < leads % size ? 1 : 0));
        expect(turns.map((member) => member.turns)).toEqual(expected);
        const last = turns.flatMap((member) => member.last_turn ?? []).toSorted((a, b) => a - b);
        expect(last).toEqual(
          Array.from({ length: Math.min(leads, size) }, (_, index) => leads - Math.min(leads, size) + 1 + index),
        );
      }),
      { numRuns: 8 },
    );
  });

  it('share leads by load, and by weight', async () => {
    const { house: byLoad, decisions } = await race(
      [4, 8].map((capacity) => ({ capacity, dailyQuota: null, weight: 1 })),
      'least_loaded',
      9,
      false,
    );
    const [small, large] = byLoad.users.map(({ id }) => decisions.filter((decision) => decision.user_id === id).length);
    expect([small, large]).toEqual([3, 6]);
    const { house: byWeight } = await race(
      [1, 2].map((weight) => ({ capacity: 100, dailyQuota: null, weight })),
      'weighted',
      9,
      false,
    );
    expect((await turnsOf(byWeight)).map(({ turns }) => turns)).toEqual([3, 6]);
  });
});
