import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { assignmentStrategies, type AssignmentStrategy } from '../../../workflows/assignment/rules.ts';
import { type TeamMember } from '../../../workflows/assignment/team-choice.ts';
import { at, away, decide, member, rule, team, tomorrow } from './teams.ts';

describe('whatever the team looks like', () => {
  const members = fc.uniqueArray(
    fc.record({
      userId: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      position: fc.nat(3),
      active: fc.boolean(),
      suspended: fc.constantFrom(false, false, true),
      skills: fc.constant([]),
      capacity: fc.nat(3),
      openCount: fc.nat(3),
      dailyQuota: fc.option(fc.nat(2)),
      assignedToday: fc.nat(2),
      weight: fc.constantFrom(0.5, 1, 2),
      outOfOffice: fc.option(fc.constantFrom('a', 'b', 'x', null).map((delegate) => away(delegate))),
      opensAt: fc.constantFrom(at, tomorrow, null),
      lastTurn: fc.option(fc.nat(20)),
      weightedTurns: fc.nat(20),
    }),
    { selector: ({ userId }) => userId, maxLength: 6 },
  );
  const strategy = fc.constantFrom(...assignmentStrategies);
  const owner = fc.constantFrom(null, 'a', 'x');
  const fallback = fc.constantFrom(null, 'a', 'chief');

  it('capacity and quota hold unless a fallback steps in, and every member is explained once', () => {
    fc.assert(
      fc.property(members, strategy, owner, fallback, (some, by, accountOwnerId, fallbackUserId) => {
        const input = {
          teams: [team(some, { fallbackUserId })],
          rules: [rule({ strategy: by })],
          accountOwnerId,
          excludeUserIds: ['b'],
        };
        const decision = decide([], input);
        expect(decide([], input)).toEqual(decision);
        const chosen = some.find(({ userId }) => userId === decision.userId);
        if (chosen && !decision.overCapacity) {
          expect(chosen.active && chosen.userId !== 'b').toBe(true);
          expect(chosen.openCount).toBeLessThan(chosen.capacity);
          expect(chosen.assignedToday).toBeLessThan(chosen.dailyQuota ?? Infinity);
        }
        const explained = decision.candidates.map(({ userId }) => userId);
        expect(new Set(explained).size).toBe(explained.length);
        if (decision.ruleId || decision.overCapacity)
          expect(explained).toEqual(expect.arrayContaining(some.map(({ userId }) => userId)));
        expect(decision.candidates.filter(({ outcome }) => outcome === 'chosen').map(({ userId }) => userId)).toEqual([
          decision.userId,
        ]);
        expect(decision.candidates.every(({ reason }) => reason.length > 0)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('turns are shared fairly over time', () => {
    fc.assert(
      fc.property(strategy, fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 60 }), (by, size, leads) => {
        const staff = Array.from({ length: size }, (_, i) => member(`m${i}`, { position: i, capacity: 1000 }));
        serve(staff, by, leads);
        const counts = staff.map(({ openCount }) => openCount);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('by weight in proportion, and a newcomer gets their share from now on', () => {
    const weights = fc.array(fc.constantFrom(0.5, 1, 2, 3), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(weights, fc.constantFrom(0.5, 1, 2, 3), fc.nat(60), (present, weight, before) => {
        const staff = present.map((each, i) => member(`m${i}`, { weight: each, capacity: 10_000 }));
        serve(staff, 'weighted', before);
        const newcomer = member('new', { weight, capacity: 10_000 });
        const had = staff.map(({ openCount }) => openCount);
        const total = present.reduce<number>((sum, each) => sum + each, weight);
        serve([...staff, newcomer], 'weighted', total * 20, before);
        const got = [...staff.map(({ openCount }, i) => openCount - (had[i] ?? 0)), newcomer.openCount];
        [...present, weight].forEach((each, i) => {
          expect(Math.abs((got[i] ?? 0) - each * 20)).toBeLessThanOrEqual(Math.max(1, each) + 1);
        });
      }),
    );
  });

  /** Gives so many leads to a team, one after the other. */
  function serve(staff: TeamMember[], strategy: AssignmentStrategy, leads: number, turnsBefore = 0) {
    for (let turn = 1; turn <= leads; turn++) {
      const decision = decide(staff, { rules: [rule({ strategy })] });
      const chosen = staff.find(({ userId }) => userId === decision.userId);
      if (!chosen || !decision.turn) throw new Error('nobody was chosen');
      chosen.lastTurn = turnsBefore + turn;
      chosen.weightedTurns = decision.turn.weightedTurns;
      chosen.openCount += 1;
    }
  }
});
