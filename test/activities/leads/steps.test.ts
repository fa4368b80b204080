import { describe, expect, it } from '@jest/globals';
import { databaseFixture } from '../../db/database-fixture.ts';
import { makeCalendar, makeUser } from '../../support/factories.ts';
import { chasedLead, monday, notificationsOf, stepsOf } from './chased-lead.ts';
import { after, form, type House } from './house.ts';

const fixture = databaseFixture();
const houseWithLead = (users?: (org: House['org']) => Promise<House['users']>) => chasedLead(fixture.app, users);

describe('an untouched lead', () => {
  it('reminds its owner, tells the manager, goes to somebody else, and tells the manager again after the last round', async () => {
    const { house, leadId, state: first } = await houseWithLead();
    const reminded = await house.takeDue(leadId);
    expect(reminded).toMatchObject({
      stage: 'assigned',
      next: { step: 'tell_manager', dueAt: after(monday, 20).toISOString() },
    });
    const told = await house.takeDue(leadId);
    expect(told.next).toMatchObject({ step: 'reassign', dueAt: after(monday, 30).toISOString() });
    const given = await house.takeDue(leadId);
    expect(given).toMatchObject({ round: 2, next: { step: 'remind_owner', dueAt: after(monday, 40).toISOString() } });
    expect(given.assignedUserId).not.toBe(first.assignedUserId);
    await house.takeDue(leadId);
    expect(await house.takeDue(leadId)).toMatchObject({
      round: 2,
      assignedUserId: given.assignedUserId,
      next: { step: 'tell_manager_again', dueAt: after(monday, 70).toISOString() },
    });
    expect((await house.takeDue(leadId)).next).toMatchObject({
      step: 'tell_manager_again',
      dueAt: after(monday, 90).toISOString(),
    });

    const manager = house.team['managerUserId'];
    expect(await notificationsOf(house, leadId)).toEqual([
      { kind: 'lead.assigned', user_id: first.assignedUserId },
      { kind: 'lead.remind_owner', user_id: first.assignedUserId },
      { kind: 'lead.tell_manager', user_id: manager },
      { kind: 'lead.assigned', user_id: given.assignedUserId },
      { kind: 'lead.reassigned_away', user_id: first.assignedUserId },
      { kind: 'lead.remind_owner', user_id: given.assignedUserId },
      { kind: 'lead.tell_manager', user_id: manager },
      { kind: 'lead.tell_manager_again', user_id: manager },
    ]);
    const steps = await stepsOf(house, leadId);
    expect(steps.map(({ step, round }) => [step, round])).toEqual([
      ['remind_owner', 1],
      ['tell_manager', 1],
      ['reassign', 1],
      ['remind_owner', 2],
      ['tell_manager', 2],
      ['tell_manager_again', 2],
    ]);
    expect(steps[2]).toMatchObject({ user_id: first.assignedUserId, outcome: 'given to somebody else' });
  });

  it('is chased until it is closed as stale, and never again once it is touched', async () => {
    const { house, leadId } = await houseWithLead(async (org) => [await makeUser(org)]);
    const { leadId: touched } = await house.capture(form(), { receivedAt: monday });
    const taken: string[] = [];
    let state;
    do {
      state = await house.takeDue(leadId);
      taken.push(state.taken.step);
    } while (state.next);
    expect(taken).toEqual([
      'remind_owner',
      'tell_manager',
      'reassign',
      ...Array<string>(8).fill('tell_manager_again'),
      'close_stale',
    ]);
    expect(state).toMatchObject({ stage: 'disqualified', status: 'disqualified' });
    expect(await house.lead(leadId)).toMatchObject({ disqualify_reason: 'stale' });

    for (const _ of ['remind_owner', 'tell_manager', 'reassign', 'tell_manager_again']) await house.takeDue(touched);
    const met = await house.send(touched, 'touch', {}, { receivedAt: after(monday, 80) });
    expect(met.state).toMatchObject({ stage: 'touched', next: { step: 'remind_idle' } });
  });

  it('stays with its owner when nobody else can get it, whose manager hears of it', async () => {
    const { house, leadId, state } = await houseWithLead(async (org) => [await makeUser(org)]);
    await house.sql('update crm_core.core_organizations set fallback_user_id = ?', [state.assignedUserId]);
    for (const _ of ['remind_owner', 'tell_manager']) await house.takeDue(leadId);
    expect(await house.takeDue(leadId)).toMatchObject({
      round: 1,
      assignedUserId: state.assignedUserId,
      next: { step: 'tell_manager_again', dueAt: after(monday, 50).toISOString() },
    });
    expect((await stepsOf(house, leadId)).at(-1)).toMatchObject({
      step: 'reassign',
      outcome: 'nobody else can get it; it stays',
    });
  });

  it('tells the fallback of the organisation where the lead is in no team, and nobody where there is none', async () => {
    const { house, leadId } = await houseWithLead();
    const [named, fallback] = [await makeUser(house.org), await makeUser(house.org)];
    await house.send(leadId, 'reassign', { userId: named.id }, { receivedAt: monday });
    await house.takeDue(leadId);
    await house.takeDue(leadId);
    expect((await stepsOf(house, leadId)).at(-1)).toMatchObject({
      step: 'tell_manager',
      outcome: 'there is no manager to tell',
    });

    const { leadId: second } = await house.capture(form(), { receivedAt: monday });
    await house.sql('update crm_core.core_organizations set fallback_user_id = ?', [fallback.id]);
    await house.send(second, 'reassign', { userId: named.id }, { receivedAt: monday });
    await house.takeDue(second);
    await house.takeDue(second);
    expect((await notificationsOf(house, second)).at(-1)).toEqual({ kind: 'lead.tell_manager', user_id: fallback.id });
  });
});

describe('a step that is noticed late', () => {
  it('is on record with the instants at which it was due and at which it was noticed', async () => {
    const { house, leadId } = await houseWithLead();
    const noticed = after(monday, 500);
    await house.takeDue(leadId, noticed);
    const [step] = await stepsOf(house, leadId);
    expect([new Date(String(step?.['due_at'])), new Date(String(step?.['detected_at']))]).toEqual([
      after(monday, 10),
      noticed,
    ]);
  });

  it('begins the next round when it was noticed, not when it was due', async () => {
    const { house, leadId } = await houseWithLead();
    const noticed = after(monday, 500);
    await house.takeDue(leadId, noticed);
    await house.takeDue(leadId, noticed);
    expect((await house.takeDue(leadId, noticed)).next?.dueAt).toBe(after(noticed, 10).toISOString());
  });
});

describe('a step that comes again, or too early', () => {
  it('is taken once', async () => {
    const { house, leadId } = await houseWithLead();
    const { taken, ...state } = await house.takeDue(leadId);
    const step = { organizationId: house.org.id, leadId, round: 1, detectedAt: taken.dueAt, ...taken };
    const again = await Promise.all(Array.from({ length: 4 }, () => house.activities.takeStep(step)));
    for (const outcome of again) expect(outcome).toEqual(state);
    expect(await stepsOf(house, leadId)).toHaveLength(1);
    expect(await notificationsOf(house, leadId)).toHaveLength(2);
  });

  it('is taken once as well where the same step comes again later', async () => {
    const { house, leadId } = await houseWithLead(async (org) => [await makeUser(org)]);
    for (const _ of ['remind_owner', 'tell_manager', 'reassign']) await house.takeDue(leadId);
    const { taken, ...state } = await house.takeDue(leadId);
    const step = { organizationId: house.org.id, leadId, round: 1, detectedAt: taken.dueAt, ...taken };
    expect(taken.step).toBe('tell_manager_again');
    expect(await house.activities.takeStep(step)).toEqual(state);
    expect(await stepsOf(house, leadId)).toHaveLength(4);
  });

  it('of another round, or another step than the one it waits for, changes nothing', async () => {
    const { house, leadId, state } = await houseWithLead();
    const late = after(monday, 5_000).toISOString();
    for (const wrong of [
      { round: 2, step: 'remind_owner' },
      { round: 1, step: 'close_stale' },
      { round: 1, step: 'reassign' },
    ] as const) {
      expect(
        await house.activities.takeStep({
          organizationId: house.org.id,
          leadId,
          ...wrong,
          dueAt: late,
          detectedAt: late,
        }),
      ).toEqual(state);
    }
    expect(await stepsOf(house, leadId)).toEqual([]);
  });

  it('is only moved when a calendar has changed in the meantime', async () => {
    const { house, leadId } = await houseWithLead();
    const calendar = await makeCalendar(house.org, {
      timeZone: 'UTC',
      hours: { monday: [{ from: '14:00', to: '18:00' }] },
    });
    await house.sql('update crm_core.core_organizations set calendar_id = ?', [calendar.id]);
    const moved = await house.takeDue(leadId);
    expect(moved).toMatchObject({ next: { step: 'remind_owner', dueAt: '2026-11-23T14:10:00.000Z' } });
    expect(await house.lead(leadId)).toMatchObject({ version: 2 });
    expect(await stepsOf(house, leadId)).toEqual([]);
    expect(await house.count('crm_auditlog', "subject_id = ? and field = 'nextDueAt'", [leadId])).toBe(1);
    expect((await house.takeDue(leadId)).next?.step).toBe('tell_manager');
  });

  it('is nothing to a lead that has ended', async () => {
    const { house, leadId, state } = await houseWithLead();
    const ended = await house.send(leadId, 'disqualify', { reason: 'spam' });
    const due = { step: 'remind_owner' as const, dueAt: state.next?.dueAt ?? '', detectedAt: state.next?.dueAt ?? '' };
    expect(await house.activities.takeStep({ organizationId: house.org.id, leadId, round: 1, ...due })).toEqual(
      ended.state,
    );
  });
});

describe('a touched lead', () => {
  it('is reminded of when idle, then closed as stale', async () => {
    const { house, leadId, state } = await houseWithLead();
    await house.send(leadId, 'touch', {}, { receivedAt: after(monday, 5) });
    const reminded = await house.takeDue(leadId);
    expect(reminded).toMatchObject({
      stage: 'touched',
      taken: { step: 'remind_idle', dueAt: after(monday, 105).toISOString() },
      next: { step: 'close_stale' },
    });
    const closed = await house.takeDue(leadId);
    expect(closed).toMatchObject({ stage: 'disqualified', status: 'disqualified', next: undefined });
    expect(await house.lead(leadId)).toMatchObject({ disqualify_reason: 'stale' });
    expect((await notificationsOf(house, leadId)).slice(1)).toEqual([
      { kind: 'lead.remind_idle', user_id: state.assignedUserId },
      { kind: 'lead.close_stale', user_id: state.assignedUserId },
    ]);
  });

  it('begins to be idle anew with each touch', async () => {
    const { house, leadId } = await houseWithLead();
    await house.send(leadId, 'touch', {}, { receivedAt: after(monday, 5) });
    await house.takeDue(leadId);
    const { state } = await house.send(leadId, 'touch', {}, { receivedAt: after(monday, 150) });
    expect(state.next).toMatchObject({ step: 'remind_idle', dueAt: after(monday, 250).toISOString() });
  });
});
