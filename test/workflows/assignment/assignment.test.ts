import { describe, expect, it } from '@jest/globals';
import { away, codes, decide, member, rule, team, tomorrow } from './teams.ts';

describe('assignment by rules', () => {
  it('asks the rules in order and says which one decided', () => {
    const decision = decide([member('ann')], {
      rules: [
        rule({ id: 'r-all', position: 9 }),
        rule({ id: 'r-fr', position: 1, when: 'country == "FR"' }),
        rule({ id: 'r-warm', position: 2, version: 7, name: 'Warm', when: 'band == "warm"' }),
      ],
    });
    expect(decision).toMatchObject({
      ruleId: 'r-warm',
      ruleVersion: 7,
      teamId: 'team-1',
      userId: 'ann',
      overCapacity: false,
    });
    expect(decision.reason).toBe('rule "Warm", team "Inbound" by round_robin');
    expect(decision.turn).toEqual({ teamId: 'team-1', userId: 'ann', weightedTurns: 1 });
    expect(decision.rulesTried).toEqual([
      { ruleId: 'r-fr', matched: false, reason: 'the condition does not hold (country = "DE")' },
      { ruleId: 'r-warm', matched: true, reason: 'the condition holds (band = "warm")' },
    ]);
  });

  it('gives the turn to who waited longest', () => {
    expect(decide([member('ann', { lastTurn: 7 }), member('bob', { lastTurn: 5 })]).userId).toBe('bob');
    expect(decide([member('ann', { lastTurn: 7 }), member('cid')]).userId).toBe('cid');
    expect(decide([member('ann', { position: 2 }), member('bob', { position: 1 })]).userId).toBe('bob');
  });

  it('gives the lead to the least loaded in proportion', () => {
    const rules = [rule({ strategy: 'least_loaded' })];
    const members = [member('ann', { openCount: 4, capacity: 20 }), member('bob', { openCount: 3 })];
    const decision = decide(members, { rules });
    expect(decision.userId).toBe('ann');
    expect(decision.candidates[1]).toMatchObject({
      code: 'not_their_turn',
      reason: expect.stringContaining('3 of at most 10 open'),
    });
  });

  it('shares by weight', () => {
    const rules = [rule({ strategy: 'weighted' })];
    const heavy = member('ann', { weightedTurns: 2, weight: 2, lastTurn: 6 });
    const decision = decide([heavy, member('bob', { weightedTurns: 3, lastTurn: 7 })], { rules });
    expect(decision.turn).toEqual({ teamId: 'team-1', userId: 'ann', weightedTurns: 2.5 });
    expect(decision.candidates[1]?.reason).toContain('3 turns for a unit of weight, weight 1');
  });

  it('asks for skills, of a stand-in as well', () => {
    const decision = decide(
      [
        member('ann', { skills: ['sql'] }),
        member('bob', { outOfOffice: away('ann') }),
        member('cid', { skills: ['sql', 'dns'] }),
      ],
      { requiredSkills: ['sql', 'dns'] },
    );
    expect(decision.userId).toBe('cid');
    expect(decision.candidates[0]).toMatchObject({ userId: 'ann', code: 'lacks_skill', reason: 'lacks "dns"' });
    expect(codes(decision)['bob']).toBe('lacks_skill');
  });

  it('passes over whoever cannot take it, and says why', () => {
    const decision = decide(
      [
        member('full', { openCount: 10 }),
        member('quota', { dailyQuota: 2, assignedToday: 2 }),
        member('away', { outOfOffice: away(null, null) }),
        member('gone', { active: false }),
        member('asleep', { opensAt: tomorrow }),
        member('before', {}),
        member('later', { lastTurn: 2 }),
        member('next', { lastTurn: 1 }),
      ],
      { excludeUserIds: ['before'] },
    );
    expect(codes(decision)).toEqual({
      full: 'at_capacity',
      quota: 'quota_reached',
      away: 'out_of_office',
      gone: 'inactive',
      asleep: 'outside_hours',
      before: 'previous_owner',
      later: 'not_their_turn',
      next: 'chosen',
    });
    expect(decision.candidates.find(({ userId }) => userId === 'away')?.reason).toContain('until further notice');
  });
});

describe('outside hours and out of office', () => {
  it('gives the lead to whoever starts next', () => {
    const members = [
      member('ann', { opensAt: '2026-11-23T08:00:00.000Z' }),
      member('bob', { opensAt: tomorrow }),
      member('cid', { opensAt: null }),
    ];
    const decision = decide(members);
    expect(decision).toMatchObject({ userId: 'bob', turn: { userId: 'bob' }, overCapacity: false });
    expect(codes(decision)).toEqual({ ann: 'outside_hours', bob: 'chosen', cid: 'outside_hours' });
    expect(decision.candidates.find(({ userId }) => userId === 'bob')?.reason).toContain(
      `starts next of those with room, at ${tomorrow}`,
    );
  });

  it('minds the hours of those with room only', () => {
    expect(decide([member('full', { openCount: 10 }), member('bob', { opensAt: tomorrow })]).userId).toBe('bob');
  });

  it('counts an absence at the instant when work would begin', () => {
    const back = member('back', { opensAt: tomorrow, outOfOffice: away(null, '2026-11-21T00:00:00.000Z') });
    const leaving = member('leaving', {
      opensAt: tomorrow,
      outOfOffice: { from: '2026-11-21T00:00:00.000Z', until: null, delegateUserId: null },
    });
    expect(codes(decide([back, leaving]))).toEqual({ back: 'chosen', leaving: 'out_of_office' });
  });

  it('lets a delegate take the turn, from inside or outside the team', () => {
    const ann = member('ann', { outOfOffice: away('bob') });
    const inside = decide([ann, member('bob', { lastTurn: 9, name: 'Bob' }), member('cid', { lastTurn: 4 })]);
    expect(inside).toMatchObject({ userId: 'bob', turn: { teamId: 'team-1', userId: 'ann' } });
    expect(codes(inside)).toEqual({ ann: 'out_of_office', bob: 'chosen', cid: 'not_their_turn' });
    expect(inside.candidates[0]?.reason).toContain('Bob stands in');

    const outside = decide([ann], { teams: [team([ann]), team([member('bob')], { id: 'team-2' })] });
    expect(outside).toMatchObject({ userId: 'bob', teamId: 'team-1' });
    expect(codes(outside)).toEqual({ ann: 'out_of_office', bob: 'chosen' });
  });

  it('asks the delegate of somebody who had it before and is away now, never that one again', () => {
    const decision = decide([member('ann', { outOfOffice: away('bob') }), member('bob', { lastTurn: 9 })], {
      excludeUserIds: ['ann'],
    });
    expect(decision).toMatchObject({ userId: 'bob', turn: { userId: 'ann' } });
    expect(codes(decision)).toEqual({ ann: 'out_of_office', bob: 'chosen' });
    const both = decide([member('ann', { outOfOffice: away('bob') }), member('bob')], {
      excludeUserIds: ['ann', 'bob'],
      fallbackUserId: null,
    });
    expect(both.userId).toBeNull();
    expect(codes(both)).toEqual({ ann: 'out_of_office', bob: 'previous_owner' });
  });

  it('passes over an absence whose delegate cannot help', () => {
    const cid = member('cid', { lastTurn: 8 });
    expect(decide([member('ann', { outOfOffice: away('bob') }), member('bob', { openCount: 10 }), cid]).userId).toBe(
      'cid',
    );
    expect(decide([member('ann', { outOfOffice: away('stranger') }), cid]).candidates[0]?.reason).toContain(
      'the delegate is in no team',
    );
  });
});

describe('the owner of the account', () => {
  const teams = [team([member('ann')]), team([member('owner', { opensAt: tomorrow })], { id: 'team-2' })];

  it('comes before every rule, whatever the hour', () => {
    expect(decide([], { teams, accountOwnerId: 'owner' })).toMatchObject({
      userId: 'owner',
      teamId: 'team-2',
      ruleId: null,
      turn: null,
      reason: 'owns the account',
      rulesTried: [],
    });
  });

  it('is passed over when they cannot take it', () => {
    const full = [team([member('ann'), member('owner', { openCount: 10 })])];
    const decision = decide([], { teams: full, accountOwnerId: 'owner' });
    expect(codes(decision)).toEqual({ ann: 'chosen', owner: 'at_capacity' });
    expect(decision.candidates).toHaveLength(2);
    expect(codes(decide([], { teams, accountOwnerId: 'stranger' }))).toEqual({
      stranger: 'not_in_a_team',
      ann: 'chosen',
    });
  });

  it('is represented by a delegate', () => {
    const decision = decide([], {
      teams: [team([member('ann'), member('owner', { outOfOffice: away('ann') })])],
      accountOwnerId: 'owner',
    });
    expect(decision).toMatchObject({ userId: 'ann', ruleId: null, reason: 'stands in for the owner of the account' });
    expect(codes(decision)).toEqual({ owner: 'out_of_office', ann: 'chosen' });
  });
});

describe('when nobody has room', () => {
  const full = [member('ann', { openCount: 10 }), member('bob', { dailyQuota: 1, assignedToday: 1 })];

  it('the fallback of the team takes it, over capacity', () => {
    const decision = decide([], { teams: [team(full, { fallbackUserId: 'chief' })] });
    expect(decision).toMatchObject({
      userId: 'chief',
      teamId: 'team-1',
      ruleId: 'rule-1',
      turn: null,
      overCapacity: true,
    });
    expect(codes(decision)).toEqual({ ann: 'at_capacity', bob: 'quota_reached', chief: 'chosen' });
  });

  it('a member who is the fallback is explained once', () => {
    const decision = decide([], { teams: [team(full, { fallbackUserId: 'ann' })] });
    expect(codes(decision)).toEqual({ ann: 'chosen', bob: 'quota_reached' });
    expect(decision.candidates).toHaveLength(2);
  });

  it('a team without a fallback that is there leaves it to the rules after it', () => {
    const teams = [
      team(full, { fallbackUserId: 'chief' }),
      team([member('cid'), member('chief', { outOfOffice: away(null) })], { id: 'team-2' }),
    ];
    const rules = [rule({ position: 1 }), rule({ id: 'rule-2', position: 2, teamId: 'team-2' })];
    const decision = decide([], { teams, rules });
    expect(decision).toMatchObject({ userId: 'cid', ruleId: 'rule-2' });
    expect(decision.rulesTried[0]?.reason).toBe('the condition holds; nobody in its team has room');
  });

  it('a fallback without the skills does not take it, nor one of whom no skills are known', () => {
    const needs = (fallbackUserId: string, skills: string[] = []) =>
      decide([], {
        requiredSkills: ['german'],
        fallbackUserId: null,
        teams: [team(full, { fallbackUserId }), team([member('chief', { skills, capacity: 0 })], { id: 'team-2' })],
      }).userId;
    expect(needs('chief')).toBeNull();
    expect(needs('stranger')).toBeNull();
    expect(needs('chief', ['german'])).toBe('chief');
  });

  it('the organisation’s fallback takes it in the end', () => {
    expect(decide(full)).toMatchObject({
      userId: 'director',
      ruleId: null,
      overCapacity: true,
      reason: 'fallback of the organisation: nobody in a matching team has room',
    });
    const unmatched = decide([member('ann')], { rules: [rule({ when: 'country == "FR"' })] });
    expect(unmatched).toMatchObject({
      userId: 'director',
      teamId: null,
      overCapacity: false,
      reason: 'fallback of the organisation: no rule matches',
    });
    expect(decide(full, { fallbackUserId: null })).toMatchObject({
      userId: null,
      reason: expect.stringContaining('there is no fallback'),
    });
    expect(decide(full, { rules: [rule({ teamId: 'gone' })] }).rulesTried[0]?.reason).toContain(
      'its team does not exist',
    );
    expect(decide([], { teams: [team(full, { fallbackUserId: 'chief' })], excludeUserIds: ['chief'] }).userId).toBe(
      'director',
    );
  });
});
