import { describe, expect, it } from '@jest/globals';
import { readAffectedProcesses } from '../../db/automation/affected-processes.queries.ts';
import {
  type Made,
  makeCalendar,
  makeLead,
  makeOrganization,
  makePerson,
  makeTicket,
  makeUser,
} from '../support/factories.ts';
import { makeSlaPolicy } from '../activities/tickets/ticket-house.ts';
import { databaseFixture } from './database-fixture.ts';

const fixture = databaseFixture();
const elsewhere = '01990000-0000-7000-8000-000000000000';

describe('processes that a change concerns', () => {
  it('are those that depend on it, and whoever waits in a queue; page by page, first leads, then tickets', async () => {
    const org = await makeOrganization(fixture.app);
    const [agent, other, requester] = [await makeUser(org), await makeUser(org), await makePerson(org)];
    const calendar = await makeCalendar(org);
    const policy = await makeSlaPolicy(org, { calendarId: calendar.id });
    const terms = JSON.stringify({ calendarId: calendar.id });
    const promised = { slaPolicyId: policy.id, slaPolicyVersion: 1, slaTerms: JSON.parse(terms) };
    const ticket = (values: object) =>
      makeTicket(org, requester, { stage: 'assigned', assignedUserId: other.id, ...values });
    const [own, ofPolicy, queued] = [
      await ticket({ assignedUserId: agent.id }),
      await ticket(promised),
      await ticket({ stage: 'queued', assignedUserId: null }),
    ];
    await ticket({ ...promised, stage: 'closed', status: 'closed' });
    await ticket({ ...promised, deletedAt: new Date() });
    const lead = await makeLead(org, requester, { assignedUserId: agent.id, stage: 'assigned' });
    const all = async (kind: Parameters<typeof readAffectedProcesses>[1]['kind'], id: string, limit = 10) => {
      const found: string[] = [];
      for (let cursor: string | null = null, pages = 0; pages < 10; pages += 1) {
        const page = await readAffectedProcesses(fixture.app, { organizationId: org.id, kind, id }, cursor, limit);
        expect(page.workflowIds.length).toBeLessThanOrEqual(limit);
        found.push(...page.workflowIds);
        cursor = page.cursor;
        if (cursor === null) return found;
      }
      throw new Error('There is no last page');
    };
    const tickets = (...made: Made[]) => made.map(({ id }) => `ticket:${id}`);

    expect(await all('user', agent.id)).toEqual([`lead:${lead.id}`, ...tickets(own, queued)]);
    expect(await all('user', agent.id, 1)).toEqual([`lead:${lead.id}`, ...tickets(own, queued)]);
    expect(await all('calendar', calendar.id)).toEqual(tickets(ofPolicy, queued));
    expect(await all('organization', org.id)).toEqual([`lead:${lead.id}`, ...tickets(queued)]);
    expect(await all('sla_policy', policy.id)).toEqual(tickets(ofPolicy));
    expect(await all('ticket_routing_rule', elsewhere)).toEqual(tickets(queued));
    expect(await all('assignment_rule', elsewhere)).toEqual([]);
    const waiting = await makeLead(org, requester, { stage: 'scored' });
    expect(await all('team_member', elsewhere)).toEqual([`lead:${waiting.id}`, ...tickets(queued)]);
  });

  it('are the tickets of absent agents, too, when the hours change by which these are back', async () => {
    const org = await makeOrganization(fixture.app);
    const calendar = await makeCalendar(org);
    const absent = { outOfOfficeFrom: '2026-01-01T00:00:00Z' };
    const [own, byDefault] = [await makeUser(org, { ...absent, calendarId: calendar.id }), await makeUser(org, absent)];
    const requester = await makePerson(org);
    const ofOwn = await makeTicket(org, requester, { stage: 'assigned', assignedUserId: own.id });
    const ofDefault = await makeTicket(org, requester, { stage: 'assigned', assignedUserId: byDefault.id });
    const affected = async (kind: 'calendar' | 'organization', id: string) =>
      (await readAffectedProcesses(fixture.app, { organizationId: org.id, kind, id }, null, 10)).workflowIds;
    expect(await affected('calendar', calendar.id)).toEqual([`ticket:${ofOwn.id}`]);
    expect(await affected('organization', org.id)).toEqual([`ticket:${ofDefault.id}`]);
  });
});
