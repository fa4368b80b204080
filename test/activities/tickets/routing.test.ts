import { describe, expect, it } from '@jest/globals';
import { teamMembers } from '../../../db/access/team-member.ts';
import type { Problem } from '../../../db/model/problem.ts';
import { readTicketTakers } from '../../../db/tickets/queue.queries.ts';
import { databaseFixture, refusalOf } from '../../db/database-fixture.ts';
import { adminOf, type Made, makeOrganization, makeTeam, makeUser, writeAs } from '../../support/factories.ts';
import { type Desk, makeDesk, makeRoutingRule } from './routing-house.ts';

const fixture = databaseFixture();
const past = '2026-01-01T00:00:00Z';
const errorsOf = async (route: Promise<unknown>): Promise<Problem['errors']> => (await refusalOf(route)).errors;

interface Decision {
  round: number;
  user_id: string | null;
  team_id: string | null;
  routing_rule_id: string | null;
  reason: string;
  took_turn: boolean;
  over_capacity: boolean;
  candidates: { userId: string; outcome: string; code: string; reason: string }[];
  rules_tried: { ruleId: string; matched: boolean }[];
}
const decisionsOn = ({ sql }: Desk, ticketId: string) =>
  sql<Decision>('select * from crm_core.crm_ticket_assignments where ticket_id = ? order by round', [ticketId]);
const eventsOf = ({ sql }: Desk) =>
  sql<{ subject_id: string; payload: { userId: string } }>(
    `select subject_id, payload from crm_core.crm_outbox where kind = 'ticket.capacity_freed' order by event_id`,
  );
const takersFor = ({ org }: Desk, userId: string, limit = 50) =>
  readTicketTakers(fixture.app, org.id, userId, new Date(), limit);

describe('routing a ticket', () => {
  it('goes by the first rule that holds to the member with the skills and the next turn, everybody explained', async () => {
    const desk = await makeDesk(fixture.app, {
      agents: [{ skills: ['billing'] }, { skills: ['billing', 'german'] }, { skills: ['german'], active: false }],
    });
    await makeRoutingRule(desk.org, await makeTeam(desk.org, []), { position: 50, when: 'priority == "P1"' });
    const ticketId = await desk.open({ skills: ['german'] });
    const routed = await desk.route(ticketId);
    expect(routed).toMatchObject({ userId: desk.agents[1]?.id, retryAt: null });
    expect(await desk.ticket(ticketId)).toMatchObject({
      stage: 'assigned',
      assigned_user_id: desk.agents[1]?.id,
      team_id: desk.team.id,
      routing_rule_id: desk.rule.id,
      routing_rule_version: 1,
      round: 1,
    });
    const [decision] = await decisionsOn(desk, ticketId);
    expect(decision).toMatchObject({ round: 1, took_turn: true, reason: expect.stringContaining('by round_robin') });
    expect(decision?.rules_tried.map(({ matched }) => matched)).toEqual([false, true]);
    expect(decision?.candidates.map(({ userId, code }) => [userId, code])).toEqual([
      [desk.agents[0]?.id, 'lacks_skill'],
      [desk.agents[1]?.id, 'chosen'],
      [desk.agents[2]?.id, 'inactive'],
    ]);
  });

  it('counts open tickets, not leads, and queues what nobody can take, once', async () => {
    const desk = await makeDesk(fixture.app, { agents: [{ ticketCapacity: 1, capacity: 0 }] });
    const [first, second] = [await desk.open(), await desk.open()];
    expect((await desk.route(first)).userId).toBe(desk.agents[0]?.id);
    const before = Date.now();
    const routed = await desk.route(second);
    expect(routed.userId).toBeNull();
    expect(routed.retryAt?.getTime()).toBeGreaterThanOrEqual(before + 60 * 60_000);
    expect(await desk.ticket(second)).toMatchObject({
      stage: 'queued',
      assigned_user_id: null,
      team_id: desk.team.id,
      round: 1,
    });
    const again = await desk.route(second);
    expect([again.values, again.rows]).toEqual([{}, []]);
    const decisions = await decisionsOn(desk, second);
    expect(decisions).toHaveLength(1);
    expect(decisions[0]).toMatchObject({ user_id: null, took_turn: false, routing_rule_id: desk.rule.id });
    expect(decisions[0]?.candidates[0]).toMatchObject({
      code: 'at_capacity',
      reason: 'has 1 of at most 1 open tickets',
    });
  });

  it('waits in nobody’s queue when no rule holds', async () => {
    const desk = await makeDesk(fixture.app, { rule: { when: 'priority == "P1"' } });
    const ticketId = await desk.open();
    await desk.route(ticketId);
    expect(await desk.ticket(ticketId)).toMatchObject({ stage: 'queued', team_id: null, routing_rule_id: null });
    expect((await decisionsOn(desk, ticketId))[0]?.reason).toBe('no rule gives it to a team');
  });

  it('looks again when somebody who is away comes back', async () => {
    const back = new Date(Date.now() + 20 * 60_000);
    const desk = await makeDesk(fixture.app, {
      agents: [{ outOfOfficeFrom: past, outOfOfficeUntil: back.toISOString() }],
    });
    expect((await desk.route(await desk.open())).retryAt).toEqual(back);
  });

  it('gives it to a team’s own fallback with the skills, never to the organisation’s', async () => {
    const desk = await makeDesk(fixture.app, { agents: [{ ticketCapacity: 0 }] });
    const fallback = await makeUser(desk.org, { skills: ['billing'], ticketCapacity: 0 });
    await desk.sql('update crm_core.core_organizations set fallback_user_id = ?', [fallback.id]);
    const ticketId = await desk.open({ skills: [] });
    expect((await desk.route(ticketId)).userId).toBeNull();
    const outsiders = await makeTeam(desk.org, [fallback], { fallbackUserId: fallback.id });
    await makeRoutingRule(desk.org, outsiders, { position: 200 });
    expect(await desk.route(ticketId)).toMatchObject({
      userId: fallback.id,
      reason: expect.stringContaining('fallback'),
    });
    expect((await desk.route(await desk.open({ skills: ['welding'] }))).userId).toBeNull();
  });

  it('tells of the capacity that it frees when somebody else gets the ticket', async () => {
    const desk = await makeDesk(fixture.app);
    const [one, other] = desk.agents.map(({ id }) => id);
    const ticketId = await desk.open();
    await desk.route(ticketId);
    await desk.route(ticketId, { excludeUserIds: [String(one)] });
    expect(await desk.ticket(ticketId)).toMatchObject({ assigned_user_id: other, round: 2 });
    expect(await eventsOf(desk)).toEqual([{ subject_id: ticketId, payload: { userId: one } }]);
    const [, second] = await decisionsOn(desk, ticketId);
    expect(second?.candidates.find(({ userId }) => userId === one)?.code).toBe('previous_owner');
  });
});

describe('a person’s choice', () => {
  it('gives it to the agent named, over capacity too, in the team that it is with', async () => {
    const desk = await makeDesk(fixture.app, { agents: [{}, { ticketCapacity: 0, skills: ['billing'] }] });
    const other = await makeTeam(desk.org, [desk.agents[1] as never]);
    const userId = String(desk.agents[1]?.id);
    const ticketId = await desk.open({ skills: ['billing'], teamId: other.id });
    expect(await desk.route(ticketId, { userId })).toMatchObject({
      userId,
      reason: 'given by a person',
      values: { teamId: other.id, routingRuleId: null, stage: 'assigned' },
    });
    expect(await decisionsOn(desk, ticketId)).toMatchObject([{ over_capacity: true, took_turn: false }]);
    expect(await desk.route(ticketId, { userId, teamId: desk.team.id })).toMatchObject({
      values: { teamId: desk.team.id },
    });
  });

  it('gives it to a member of the team named, or queues it there', async () => {
    const desk = await makeDesk(fixture.app);
    const agent = await makeUser(desk.org, { ticketCapacity: 1 });
    const special = await makeTeam(desk.org, [agent]);
    const routed = await desk.route(await desk.open(), { teamId: special.id });
    expect(routed).toMatchObject({ userId: agent.id, values: { teamId: special.id, routingRuleId: null } });
    const second = await desk.open();
    await desk.route(second, { teamId: special.id });
    expect(await desk.ticket(second)).toMatchObject({ stage: 'queued', team_id: special.id });
  });

  it('of a team holds at every later look, also when its agent goes away, until somebody decides otherwise', async () => {
    const desk = await makeDesk(fixture.app);
    const away = (user: Made | undefined, from: string | null) =>
      desk.sql('update crm_core.crm_users set out_of_office_from = ? where user_id = ?', [from, user?.id]);
    const [one, other] = [await makeUser(desk.org), await makeUser(desk.org)];
    const chosen = await makeTeam(desk.org, [one, other]);
    for (const user of [one, other]) await away(user, past);
    const ticketId = await desk.open();
    await desk.route(ticketId);
    await desk.route(ticketId, { teamId: chosen.id });
    const reason = `team "${String(chosen['name'])}" was chosen by a person`;
    const waits = { stage: 'queued', team_id: chosen.id, routing_rule_id: null, round: 2 };
    expect(await desk.ticket(ticketId)).toMatchObject(waits);
    expect(await desk.route(ticketId)).toMatchObject({ userId: null, reason });
    expect(await desk.ticket(ticketId)).toMatchObject(waits);

    await away(one, null);
    expect(await desk.route(ticketId)).toMatchObject({ userId: one.id, reason });
    await away(one, past);
    await away(other, null);
    expect(await desk.route(ticketId)).toMatchObject({ userId: other.id, reason });
    expect(await desk.route(ticketId, { teamId: null })).toMatchObject({ values: { teamId: desk.team.id } });

    await desk.route(ticketId, { teamId: chosen.id });
    await desk.sql('update crm_core.crm_teams set deleted_at = now() where team_id = ?', [chosen.id]);
    expect(await desk.route(ticketId)).toMatchObject({ values: { teamId: desk.team.id, routingRuleId: desk.rule.id } });
  });

  it('of an agent is one of their team, too, unless the ticket is with that team already', async () => {
    const desk = await makeDesk(fixture.app);
    const [specialist, colleague] = [await makeUser(desk.org), await makeUser(desk.org)];
    const special = await makeTeam(desk.org, [specialist, colleague]);
    const [inside, outside] = [await desk.open(), await desk.open()];
    for (const ticketId of [inside, outside]) await desk.route(ticketId);
    await desk.route(inside, { userId: String(desk.agents[1]?.id), teamId: null });
    expect(await desk.ticket(inside)).toMatchObject({ team_id: desk.team.id, routing_rule_id: desk.rule.id });
    await desk.route(outside, { userId: specialist.id, teamId: null });
    expect(await desk.ticket(outside)).toMatchObject({ team_id: special.id, routing_rule_id: null });
    await desk.sql('update crm_core.crm_users set active = false where user_id = ?', [specialist.id]);
    expect((await desk.route(outside)).userId).toBe(colleague.id);
  });

  it('is refused, and nothing written, for somebody who cannot be given it', async () => {
    const desk = await makeDesk(fixture.app, {
      agents: [{ active: false }, { outOfOfficeFrom: past }, { skills: ['english'] }],
    });
    const [inactive, away, unskilled] = desk.agents.map(({ id }) => id);
    const foreign = await makeUser(await makeOrganization(fixture.app));
    const ticketId = await desk.open({ skills: ['english'] });
    const refused = async (wish: { userId?: string; teamId?: string }) =>
      (await errorsOf(desk.route(ticketId, wish)))[0]?.message;
    expect(await refused({ userId: foreign.id })).toBe('is not a user of this organisation');
    expect(await refused({ userId: String(inactive) })).toBe('is not active');
    expect(await refused({ userId: String(away) })).toBe('lacks "english", which the ticket needs');
    await desk.sql(`update crm_core.crm_users set skills = '{english}' where user_id = ?`, [away]);
    expect(await refused({ userId: String(away) })).toBe('is out of office until further notice');
    const other = await makeTeam(desk.org);
    expect(await refused({ userId: String(unskilled), teamId: other.id })).toBe('is not in this team');
    expect(await refused({ teamId: foreign.id })).toBe('is not a team of this organisation');
    expect(await decisionsOn(desk, ticketId)).toEqual([]);
  });
});

describe('the queue', () => {
  it('has for somebody as many places as they have room, and the tickets that fit, oldest first', async () => {
    const desk = await makeDesk(fixture.app, { agents: [{ ticketCapacity: 2, skills: ['german'] }] });
    const userId = String(desk.agents[0]?.id);
    const [held, alsoHeld] = [await desk.open(), await desk.open()];
    await desk.route(held);
    await desk.route(alsoHeld);
    const foreignSkill = await desk.open({ skills: ['french'] });
    const ids = [await desk.open({ skills: ['german'] }), await desk.open(), await desk.open()];
    for (const ticketId of [foreignSkill, ...ids]) await desk.route(ticketId);
    const none = { room: 0, ids: [] };
    expect(await takersFor(desk, userId)).toEqual(none);
    await desk.resolve(held);
    expect(await takersFor(desk, userId)).toEqual({ room: 1, ids });
    await desk.resolve(alsoHeld);
    expect(await takersFor(desk, userId, 2)).toEqual({ room: 2, ids: ids.slice(0, 2) });
    await desk.sql('update crm_core.crm_users set daily_quota = 3 where user_id = ?', [userId]);
    expect(await takersFor(desk, userId)).toEqual({ room: 1, ids });
    await desk.sql('update crm_core.crm_users set daily_quota = 2 where user_id = ?', [userId]);
    expect(await takersFor(desk, userId)).toEqual(none);
    await desk.sql('update crm_core.crm_users set daily_quota = null, out_of_office_from = ? where user_id = ?', [
      past,
      userId,
    ]);
    expect(await takersFor(desk, userId)).toEqual(none);
  });

  it('is for the members of every team that a rule of the ticket leads to, newcomers too, and for nobody else', async () => {
    const desk = await makeDesk(fixture.app, { agents: [{ ticketCapacity: 0 }] });
    const [stranger, newcomer, other] = [await makeUser(desk.org), await makeUser(desk.org), await makeUser(desk.org)];
    const [second, unasked] = [await makeTeam(desk.org, []), await makeTeam(desk.org, [stranger])];
    await makeRoutingRule(desk.org, second, { position: 200, when: 'priority == "P3"' });
    await makeRoutingRule(desk.org, unasked, { position: 300, when: 'priority == "P1"' });
    const ticketId = await desk.open();
    await desk.route(ticketId);
    const join = (team: Made, user: Made) =>
      desk.org.records.create(writeAs(adminOf(desk.org)), teamMembers, { teamId: team.id, userId: user.id });
    expect((await takersFor(desk, stranger.id)).ids).toEqual([]);
    await join(desk.team, newcomer);
    await join(second, other);
    expect((await takersFor(desk, newcomer.id)).ids).toEqual([ticketId]);
    expect((await takersFor(desk, other.id)).ids).toEqual([ticketId]);
  });

  it('is for whoever stands in for an absent member, with the skills of both', async () => {
    const desk = await makeDesk(fixture.app, { agents: [{ skills: ['german', 'billing'] }] });
    const absent = String(desk.agents[0]?.id);
    const delegate = await makeUser(desk.org, { skills: ['german'], ticketCapacity: 0 });
    await makeTeam(desk.org, [delegate]);
    await desk.sql('update crm_core.crm_users set out_of_office_from = ?, delegate_user_id = ? where user_id = ?', [
      past,
      delegate.id,
      absent,
    ]);
    const [german, billing] = [await desk.open({ skills: ['german'] }), await desk.open({ skills: ['billing'] })];
    for (const ticketId of [german, billing]) await desk.route(ticketId);
    await desk.sql('update crm_core.crm_users set ticket_capacity = 5 where user_id = ?', [delegate.id]);
    expect(await takersFor(desk, delegate.id)).toEqual({ room: 5, ids: [german] });
    expect((await desk.route(german)).userId).toBe(delegate.id);
    expect((await desk.route(billing)).userId).toBeNull();
    await desk.sql('update crm_core.crm_users set out_of_office_from = null where user_id = ?', [absent]);
    expect((await takersFor(desk, delegate.id)).ids).toEqual([]);
  });

  it('decides anew when other rules hold, since free places go by them', async () => {
    const desk = await makeDesk(fixture.app, { agents: [{ ticketCapacity: 0 }] });
    const newcomer = await makeUser(desk.org, { ticketCapacity: 0 });
    const ticketId = await desk.open();
    await desk.route(ticketId);
    await makeRoutingRule(desk.org, await makeTeam(desk.org, [newcomer]), { position: 200 });
    await desk.sql('update crm_core.crm_users set ticket_capacity = 1 where user_id = ?', [newcomer.id]);
    expect((await takersFor(desk, newcomer.id)).ids).toEqual([]);
    await desk.sql('update crm_core.crm_users set ticket_capacity = 0 where user_id = ?', [newcomer.id]);
    await desk.route(ticketId);
    expect(await desk.ticket(ticketId)).toMatchObject({ stage: 'queued', team_id: desk.team.id, round: 2 });
    await desk.sql('update crm_core.crm_users set ticket_capacity = 1 where user_id = ?', [newcomer.id]);
    expect((await takersFor(desk, newcomer.id)).ids).toEqual([ticketId]);
  });
});
