import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { inOrganization } from '../../db/database.ts';
import { baseColumns } from '../../db/model/changes.ts';
import { insertRows } from '../../db/model/set-based.ts';
import { SlaClock } from '../../db/tickets/sla-clock.ts';
import { slaPolicies } from '../../db/tickets/sla-policy.ts';
import { TicketAssignment } from '../../db/tickets/ticket-assignment.ts';
import { Ticket } from '../../db/tickets/ticket.ts';
import { slaReport, type SlaReport } from '../../workflows/tickets/sla-report.ts';
import {
  adminOf,
  type Made,
  make,
  makeCalendar,
  makeOrganization,
  makePerson,
  makeTeam,
  makeUser,
  type TestOrganization,
} from '../support/factories.ts';
import { databaseFixture } from '../db/database-fixture.ts';
import { problemOf, testApi, type TestApi } from './support.ts';

const fixture = databaseFixture();
let api: TestApi;
let org: TestOrganization;
let requester: Made;
let gold: Made;
let silver: Made;
let number: number;

beforeAll(async () => {
  api = await testApi(fixture.url);
});
afterAll(() => api.close());

beforeEach(async () => {
  org = await makeOrganization(fixture.app);
  requester = await makePerson(org);
  const targets = { P1: { first_response: 60, resolution: 480 } };
  gold = await make(org, slaPolicies, { name: 'Gold', position: 1, when: 'priority == "P1"', targets });
  silver = await make(org, slaPolicies, { name: 'Silver', position: 2, when: 'true', targets });
  number = 0;
});

const base = () => baseColumns({ organizationId: org.id, actor: adminOf(org), at: new Date() });

async function makeTicket(overrides: Record<string, unknown> = {}): Promise<string> {
  const id = uuidv7();
  number += 1;
  const row = {
    id,
    ...base(),
    number,
    subject: 'A question',
    requesterPersonId: requester.id,
    channel: 'web',
    priority: 'P3',
    skills: [],
    status: 'open',
    stage: 'assigned',
    round: 1,
    openedAt: new Date(),
    reopenCount: 0,
    ...overrides,
  };
  await inOrganization(fixture.app, org.id, (em) => insertRows(em, [{ into: Ticket, rows: [row] }]));
  return id;
}

/** Gives a ticket to an agent of a team at an instant. */
async function give(ticketId: string, round: number, team: Made, agent: Made, decidedAt: string): Promise<void> {
  const who = { userId: agent.id, teamId: team.id, reason: 'next', candidates: [], rulesTried: [] };
  const row = { id: uuidv7(), ...base(), ticketId, round, ...who, decidedAt: new Date(decidedAt) };
  await inOrganization(fixture.app, org.id, (em) => insertRows(em, [{ into: TicketAssignment, rows: [row] }]));
}

interface ClockPlan {
  target?: string;
  state?: string;
  breached?: boolean;
  policy?: Made;
  priority?: string;
  startedAt?: string;
  dueAt?: string;
  breachedAt?: string;
  /** Business minutes until what was promised was done. */
  took?: number;
}

let ordinal = 0;
async function makeClock(ticketId: string, plan: ClockPlan = {}): Promise<void> {
  const {
    target = 'first_response',
    state = 'met',
    breached = false,
    policy = gold,
    priority = 'P1',
    dueAt,
    took,
  } = plan;
  ordinal += 1;
  const startedAt = new Date(plan.startedAt ?? '2026-11-02T09:00:00Z');
  const row = {
    id: uuidv7(),
    ...base(),
    ticketId,
    target,
    ordinal,
    state,
    breached,
    priority,
    targetMinutes: 60,
    slaPolicyId: policy.id,
    slaPolicyVersion: 1,
    startedAt,
    intervals: [],
    changes: [],
    dueAt: dueAt === undefined ? null : new Date(dueAt),
    breachedAt: plan.breachedAt === undefined ? null : new Date(plan.breachedAt),
    metAt: took === undefined ? null : new Date(startedAt.getTime() + took * 60_000),
    elapsedMinutes: took ?? null,
    life: 0,
  };
  await inOrganization(fixture.app, org.id, (em) => insertRows(em, [{ into: SlaClock, rows: [row] }]));
}

const november = 'from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z';

async function report(query = november, roles = ['support']): Promise<SlaReport> {
  const response = await api.send('GET', `/crm/v1/reports/sla?${query}`, { organizationId: org.id, roles });
  const body: unknown = await response.json();
  expect([response.status, body]).toEqual([200, expect.anything()]);
  return slaReport.strict().parse(body);
}

describe('the report of service levels', () => {
  it('counts compliance and times as one does by hand', async () => {
    const ticketId = await makeTicket();
    // First responses of Gold: 10, 20, 30 and 100 minutes, the last too late; 3 of 4 in time.
    for (const took of [10, 20, 30]) await makeClock(ticketId, { took });
    await makeClock(ticketId, { state: 'breached', breached: true, took: 100 });
    // Late and never answered: breached, and no time. One open, one paused, one that nobody waits for any more.
    await makeClock(ticketId, { target: 'resolution', state: 'breached', breached: true });
    await makeClock(ticketId, { target: 'resolution', state: 'running' });
    await makeClock(ticketId, { target: 'resolution', state: 'paused' });
    await makeClock(ticketId, { target: 'next_response', state: 'cancelled' });
    // Breached, and cancelled after that: it stays a breach.
    await makeClock(ticketId, { target: 'next_response', state: 'cancelled', breached: true });
    await makeClock(ticketId, { policy: silver, priority: 'P2', took: 7.5 });

    const { total, groups, groupBy } = await report();
    expect(groupBy).toBe('policy');
    expect(groups.map(({ name }) => name)).toEqual(['Gold', 'Silver']);
    const [goldGroup, silverGroup] = groups;
    expect(goldGroup).toMatchObject({
      key: gold.id,
      compliance: {
        all: { met: 3, breached: 3, running: 2, metPercent: 50 },
        first_response: { met: 3, breached: 1, running: 0, metPercent: 75 },
        next_response: { met: 0, breached: 1, running: 0, metPercent: 0 },
        resolution: { met: 0, breached: 1, running: 2, metPercent: 0 },
      },
      // Sorted 10, 20, 30, 100: the median lies half-way at 25, the 90th percentile 0.7 of the way from 30 to 100.
      firstResponseMinutes: { count: 4, median: 25, p90: 79 },
      resolutionMinutes: { count: 0, median: null, p90: null },
    });
    expect(silverGroup?.firstResponseMinutes).toEqual({ count: 1, median: 7.5, p90: 7.5 });
    expect(total.compliance.first_response).toEqual({ met: 4, breached: 1, running: 0, metPercent: 80 });
    expect(total.compliance.all).toEqual({ met: 4, breached: 3, running: 2, metPercent: 57.1 });
  });

  it('counts as breached what was due and is not done, noticed or not', async () => {
    const ticketId = await makeTicket();
    const due = (milliseconds: number) => new Date(Date.now() + milliseconds).toISOString();
    await makeClock(ticketId, { state: 'running', dueAt: due(-1_000) });
    await makeClock(ticketId, { state: 'running', dueAt: due(60_000) });
    expect((await report()).total.compliance.all).toEqual({ met: 0, breached: 1, running: 1, metPercent: 0 });
  });

  it('takes the clocks that started in the range, and leaves out deleted tickets and other organisations', async () => {
    const ticketId = await makeTicket();
    await makeClock(ticketId, { startedAt: '2026-11-01T00:00:00Z', took: 1 });
    await makeClock(ticketId, { startedAt: '2026-10-31T23:59:59.999Z', took: 1 });
    await makeClock(ticketId, { startedAt: '2026-12-01T00:00:00Z', took: 1 });
    await makeClock(await makeTicket({ deletedAt: new Date() }), { took: 1 });
    expect((await report()).total.compliance.all.met).toBe(1);
    expect((await report(november.replaceAll('Z', '%2B00:00'))).total.compliance.all.met).toBe(1);
    const other = await makeOrganization(fixture.app);
    const response = await api.send('GET', `/crm/v1/reports/sla?${november}`, { organizationId: other.id });
    expect(((await response.json()) as SlaReport).total.compliance.all.met).toBe(0);
  });

  it('groups by team, agent, priority, and week of the organisation', async () => {
    const agent = await makeUser(org, { fullName: 'Ada Agent' });
    const team = await makeTeam(org, [agent], { name: 'Care' });
    const calendar = await makeCalendar(org);
    await inOrganization(fixture.app, org.id, (em) =>
      em.execute('update crm_core.core_organizations set calendar_id = ?', [calendar.id]),
    );
    const ticketId = await makeTicket({ teamId: team.id, assignedUserId: agent.id });
    await give(ticketId, 1, team, agent, '2026-11-08T23:30:00Z');
    // In Berlin it is Monday already.
    await makeClock(ticketId, { startedAt: '2026-11-08T23:30:00Z', took: 1 });
    await makeClock(await makeTicket(), { startedAt: '2026-11-08T22:30:00Z', priority: 'P4', took: 1 });
    const namesBy = async (groupBy: string) =>
      (await report(`${november}&groupBy=${groupBy}`)).groups.map(({ name, compliance }) => [name, compliance.all.met]);
    expect(await namesBy('team')).toEqual([
      ['Care', 1],
      [null, 1],
    ]);
    expect(await namesBy('agent')).toEqual([
      ['Ada Agent', 1],
      [null, 1],
    ]);
    expect(await namesBy('priority')).toEqual([
      ['P1', 1],
      ['P4', 1],
    ]);
    expect(await namesBy('week')).toEqual([
      ['2026-W45', 1],
      ['2026-W46', 1],
    ]);
  });

  it('counts a clock for the team and the agent who had the ticket when it was done or fell due', async () => {
    const [late, rescuer] = [await makeUser(org, { fullName: 'Late' }), await makeUser(org, { fullName: 'Rescuer' })];
    const first = await makeTeam(org, [late], { name: 'First line' });
    const second = await makeTeam(org, [rescuer], { name: 'Second line' });
    const ticketId = await makeTicket({ teamId: second.id, assignedUserId: rescuer.id });
    await give(ticketId, 1, first, late, '2026-11-02T09:00:00Z');
    await makeClock(ticketId, { target: 'first_response', took: 30 });
    const breach = { target: 'resolution', state: 'breached', breached: true, breachedAt: '2026-11-02T17:00:00Z' };
    // The ladder gave it away at the very instant of the breach.
    await give(ticketId, 2, second, rescuer, '2026-11-02T17:00:00Z');
    await makeClock(ticketId, { ...breach, took: 600 });
    await makeClock(ticketId, { target: 'next_response', startedAt: '2026-11-02T17:30:00Z', took: 5 });
    await makeClock(ticketId, { target: 'resolution', state: 'running', startedAt: '2026-11-02T18:00:00Z' });
    const by = async (groupBy: string) =>
      (await report(`${november}&groupBy=${groupBy}`)).groups.map(({ name, compliance: { all } }) => [
        name,
        all.met,
        all.breached,
        all.running,
      ]);
    expect(await by('agent')).toEqual([
      ['Late', 1, 1, 0],
      ['Rescuer', 1, 0, 1],
    ]);
    expect(await by('team')).toEqual([
      ['First line', 1, 1, 0],
      ['Second line', 1, 0, 1],
    ]);
  });

  it('ages the tickets that are open', async () => {
    const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000);
    await makeTicket({ openedAt: ago(3.9), priority: 'P1' });
    await makeTicket({ openedAt: ago(4.1), priority: 'P1' });
    await makeTicket({ openedAt: ago(23), priority: 'P2', status: 'on_hold' });
    await makeTicket({ openedAt: ago(1_000), priority: 'P4', status: 'waiting_for_customer' });
    await makeTicket({ openedAt: ago(1_000), status: 'resolved', stage: 'resolved' });
    const { backlog } = await report();
    expect(backlog.open).toBe(4);
    expect(backlog.bands.map(({ fromHours, toHours, open }) => [fromHours, toHours, open])).toEqual([
      [0, 4, 1],
      [4, 24, 2],
      [24, 72, 0],
      [72, 168, 0],
      [168, 720, 0],
      [720, null, 1],
    ]);
    expect(backlog.bands[1]?.byPriority).toEqual({ P1: 1, P2: 1, P3: 0, P4: 0 });
  });

  it('says that there is nothing', async () => {
    const before = Date.now();
    const { total, groups, backlog, from, to } = await report('groupBy=team');
    expect(groups).toEqual([]);
    expect(total.compliance.all).toEqual({ met: 0, breached: 0, running: 0, metPercent: null });
    expect(total.firstResponseMinutes).toEqual({ count: 0, median: null, p90: null });
    expect(backlog.open).toBe(0);
    expect(Date.parse(to)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(to) - Date.parse(from)).toBe(28 * 86_400_000);
  });

  it.each([
    ['from=2026-12-01T00:00:00Z&to=2026-11-01T00:00:00Z', 'from'],
    ['from=2026-11-01T00:00:00Z&to=2026-11-01T00:00:00Z', 'from'],
    ['from=2020-01-01T00:00:00Z&to=2026-11-01T00:00:00Z', 'from'],
    ['from=2026-11-01', 'from'],
    ['to=yesterday', 'to'],
    ['groupBy=colour', 'groupBy'],
    ['since=2026-11-01T00:00:00Z', 'since'],
  ])('refuses %s', async (query, path) => {
    const response = await api.send('GET', `/crm/v1/reports/sla?${query}`, { organizationId: org.id });
    expect(response.status).toBe(400);
    expect((await problemOf(response)).errors.map((error) => error.path)).toEqual([path]);
  });

  it.each([
    ['admin', 200],
    ['manager', 200],
    ['support', 200],
    ['sales_rep', 403],
    ['marketing', 403],
  ])('answers %s with %i', async (role, status) => {
    const response = await api.send('GET', '/crm/v1/reports/sla', { organizationId: org.id, roles: [role] });
    expect(response.status).toBe(status);
  });
});
