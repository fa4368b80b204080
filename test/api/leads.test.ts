import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { inOrganization } from '../../db/database.ts';
import { makeTeam, makeUser, suffix } from '../support/factories.ts';
import { type LeadDesk, type LeadJson, openLeadDesk, person } from './lead-desk.ts';
import { problemOf, testApi, token } from './support.ts';

let desk: LeadDesk;
beforeAll(async () => void (desk = await openLeadDesk()), 120_000);
afterAll(() => desk?.close());

describe('leads over HTTP, with a process behind them', () => {
  it('captures: 201 with the lead itself, scored and assigned', async () => {
    const key = uuidv7();
    const request = { body: person({ phone: '030 901820' }), headers: { 'idempotency-key': key } };
    const response = await desk.send('POST', '/v1/leads/capture', request);
    const lead = (await response.json()) as LeadJson & { phone: string };
    expect([response.status, response.headers.get('location')]).toEqual([201, `/crm/v1/leads/${lead.id}`]);
    expect(lead).toMatchObject({
      status: 'open',
      stage: 'assigned',
      phone: '+4930901820',
      process: { workflowId: `lead:${lead.id}`, href: `/crm/v1/leads/${lead.id}/process` },
    });
    expect([desk.rep.id, desk.otherRep.id]).toContain(lead.assignedUserId);
    const again = await desk.send('POST', '/v1/leads/capture', request);
    expect([again.status, again.headers.get('idempotency-replayed'), ((await again.json()) as LeadJson).id]).toEqual([
      201,
      'true',
      lead.id,
    ]);
    const other = await desk.send('POST', '/v1/leads/capture', { ...request, body: person() });
    expect([other.status, (await problemOf(other)).code]).toEqual([422, 'idempotency_key_reused']);
  });

  it('answers 200 with the survivor when the person is known', async () => {
    const body = person();
    const first = await desk.captured(body);
    const second = await desk.send('POST', '/v1/leads/capture', { body });
    expect([second.status, ((await second.json()) as LeadJson).id]).toEqual([200, first.id]);
  });

  it('lets a website form capture by scope, and tells it no more of the person than needed', async () => {
    const bearer = await token(desk.api.keys, {
      sub: 'website',
      organizationId: desk.org.id,
      scope: 'crm:leads:capture',
    });
    const headers = { authorization: `Bearer ${bearer}` };
    const response = await desk.send('POST', '/v1/leads/capture', { body: person(), headers });
    expect(response.status).toBe(201);
    const lead = (await response.json()) as LeadJson;
    expect(lead.person).toEqual({ id: expect.any(String) });
    expect(lead).not.toHaveProperty('email');
    expect((await problemOf(await desk.send('GET', `/crm/v1/leads/${lead.id}`, { headers }))).code).toBe('forbidden');
    expect(
      (await problemOf(await desk.send('POST', '/v1/leads/capture', { body: person(), roles: ['marketing'] }))).code,
    ).toBe('forbidden');
  });

  it.each([
    [{ fullName: 'A' }, 'email'],
    [{ email: 'a@example.com' }, 'fullName'],
    [{ fullName: 'A', email: 'not a mail' }, 'email'],
    [{ fullName: 'A', phone: '12' }, 'phone'],
    [{ fullName: 'A', phone: '+999 12345678' }, 'phone'],
    [{ fullName: 'A\u0007', email: 'a@example.com' }, 'fullName'],
    [{ fullName: 'A'.repeat(201), email: 'a@example.com' }, 'fullName'],
    [{ fullName: 'A', email: 'a@example.com', stage: 'assigned' }, 'stage'],
    [{ fullName: 'A', email: 'a@example.com', country: 'Germany' }, 'country'],
  ])('refuses the capture %j', async (body, path) => {
    const response = await desk.send('POST', '/v1/leads/capture', { body });
    expect(response.status).toBe(400);
    expect(await problemOf(response)).toMatchObject({
      code: 'invalid',
      errors: expect.arrayContaining([expect.objectContaining({ path })]),
    });
  });

  it('carries commands to the process and answers the new state', async () => {
    const lead = await desk.captured();
    const touched = await desk.command(lead, 'touch', { channel: 'call', note: 'Reached her.' });
    expect([touched.status, ((await touched.json()) as LeadJson).stage]).toEqual([200, 'touched']);
    const empty = await desk.send('POST', `/crm/v1/leads/${lead.id}/rescore`);
    expect(empty.status).toBe(200);
    const given = await desk.command(lead, 'reassign', { userId: desk.otherRep.id, reason: 'Knows her.' });
    expect(((await given.json()) as LeadJson).assignedUserId).toBe(desk.otherRep.id);
    const disqualified = await desk.command(lead, 'disqualify', { reason: 'no_budget' });
    expect(await disqualified.json()).toMatchObject({ status: 'disqualified', stage: 'disqualified' });
    const late = await desk.command(lead, 'touch');
    expect([late.status, (await problemOf(late)).code]).toEqual([409, 'illegal_stage']);
  });

  it('qualifies with evidence', async () => {
    const lead = await desk.captured(person({ company: `Engines ${suffix()}` }));
    expect((await problemOf(await desk.command(lead, 'qualify', {}))).code).toBe('invalid');
    const evidence = { statement: 'Said so.', reference: 'call of today' };
    const body = { evidence: { budget: evidence, authority: evidence, need: evidence, timing: evidence } };
    expect((await problemOf(await desk.command(lead, 'unmerge'))).code).toBe('illegal_stage');
    const qualified = await desk.command(lead, 'qualify', body);
    expect(await qualified.json()).toMatchObject({ status: 'qualified', accountId: expect.any(String) });
  });

  it('refuses commands by schema, permission and row', async () => {
    const lead = await desk.captured();
    expect((await problemOf(await desk.command(lead, 'touch', { channel: 'pigeon' }))).errors).toMatchObject([
      { path: 'channel' },
    ]);
    expect(
      (
        await problemOf(
          await desk.command(lead, 'reassign', {}, { roles: ['sales_rep'], userId: lead.assignedUserId ?? '' }),
        )
      ).code,
    ).toBe('forbidden');
    expect((await problemOf(await desk.command(lead, 'touch', {}, { roles: ['marketing'] }))).code).toBe('forbidden');
    const stranger = [desk.rep.id, desk.otherRep.id].find((id) => id !== lead.assignedUserId);
    expect(
      (await problemOf(await desk.command(lead, 'touch', {}, { roles: ['sales_rep'], userId: stranger }))).code,
    ).toBe('not_found');
    const elsewhere = await makeUser(desk.org);
    expect((await problemOf(await desk.command(lead, 'touch', {}, { userId: elsewhere.id }))).code).toBe('forbidden');
    expect((await problemOf(await desk.command(lead, 'touch', {}, { organizationId: uuidv7() }))).code).toBe(
      'not_found',
    );
    expect((await problemOf(await desk.command({ ...lead, id: uuidv7() }, 'touch'))).code).toBe('not_found');
    expect(
      (await desk.command(lead, 'touch', {}, { roles: ['sales_rep'], userId: lead.assignedUserId ?? '' })).status,
    ).toBe(200);
  });

  it('gives a repeated command its first answer, even to one who has lost the lead since', async () => {
    const lead = await desk.captured();
    const owner = { roles: ['sales_rep'], userId: lead.assignedUserId ?? '' };
    const keyed = { ...owner, headers: { 'idempotency-key': uuidv7() } };
    const first = await desk.command(lead, 'touch', { channel: 'call' }, keyed);
    const answer: unknown = await first.json();
    const other = [desk.rep.id, desk.otherRep.id].find((id) => id !== lead.assignedUserId);
    expect((await desk.command(lead, 'reassign', { userId: other })).status).toBe(200);

    const repeated = await desk.command(lead, 'touch', { channel: 'call' }, keyed);
    expect([repeated.status, repeated.headers.get('idempotency-replayed')]).toEqual([200, 'true']);
    expect(await repeated.json()).toEqual(answer);
    for (const options of [owner, { ...keyed, userId: (await makeUser(desk.org)).id }])
      expect((await problemOf(await desk.command(lead, 'touch', { channel: 'call' }, options))).code).toBe('not_found');
    expect((await problemOf(await desk.command(lead, 'touch', { channel: 'email' }, keyed))).code).toBe('not_found');
  });

  it('gives a repeated capture its first answer, even if it would be refused by now', async () => {
    const setRegion = (region: string) =>
      inOrganization(desk.database, desk.org.id, (em) =>
        em.execute('update crm_core.core_organizations set default_region = ?', [region]),
      );
    const request = {
      body: person({ country: undefined, phone: '030 901820' }),
      headers: { 'idempotency-key': uuidv7() },
    };
    const first = (await (await desk.send('POST', '/v1/leads/capture', request)).json()) as LeadJson;
    await setRegion('US');
    // It has not read the organisation's region yet.
    const fresh = await testApi(desk.stored.url, { deliver: desk.deliver });
    const sent = { organizationId: desk.org.id, userId: desk.manager, roles: ['manager'], ...request };
    try {
      expect((await fresh.send('POST', '/v1/leads/capture', { ...sent, headers: {} })).status).toBe(400);
      const repeated = await fresh.send('POST', '/v1/leads/capture', sent);
      expect([repeated.status, ((await repeated.json()) as LeadJson).id]).toEqual([201, first.id]);
    } finally {
      await setRegion('DE');
      await fresh.close();
    }
  });

  it('refuses to change what belongs to the process', async () => {
    const lead = await desk.captured();
    const response = await desk.send('PATCH', `/crm/v1/leads/${lead.id}`, {
      body: { stage: 'touched' },
      headers: { 'if-match': '*' },
    });
    expect([response.status, await problemOf(response)]).toMatchObject([
      422,
      { code: 'process_owned', errors: [{ path: 'stage' }] },
    ]);
  });

  it('tells where a process stands, what may be sent, and why', async () => {
    const lead = await desk.captured();
    const response = await desk.send('GET', `/crm/v1/leads/${lead.id}/process`);
    const process = (await response.json()) as {
      workflow: object;
      messages: { name: string; href: string; roles: string[]; schema: object }[];
      waitsFor: object;
      explanation: object;
    };
    expect(process).toMatchObject({
      workflow: { id: `lead:${lead.id}`, type: 'leadIntake', live: true, state: 'running', runId: expect.any(String) },
      stage: 'assigned',
      status: 'open',
      waitsFor: { step: 'remind_owner', userId: lead.assignedUserId ?? '' },
    });
    expect(process.messages.find(({ name }) => name === 'reassign')).toMatchObject({
      method: 'POST',
      href: `/crm/v1/leads/${lead.id}/reassign`,
      roles: ['admin', 'manager'],
      schema: { type: 'object' },
    });
    expect(process.messages.map(({ name }) => name)).not.toContain('unmerge');
    expect(Object.keys(process.explanation)).toEqual(
      expect.arrayContaining(['normalization', 'duplicates', 'score', 'assignment']),
    );
    expect((await desk.send('GET', `/crm/v1/leads/${uuidv7()}/process`)).status).toBe(404);
  });

  it('takes identifiers in capitals for what they name', async () => {
    const lead = await desk.captured();
    const itself = await problemOf(await desk.command(lead, 'merge', { intoLeadId: lead.id.toUpperCase() }));
    expect(itself).toMatchObject({ code: 'rule_violation', errors: [{ message: 'is the lead itself' }] });
    const other = desk.otherRep.id === lead.assignedUserId ? desk.rep.id : desk.otherRep.id;
    const given = await desk.command(lead, 'reassign', { userId: other.toUpperCase() });
    expect(await given.json()).toMatchObject({ assignedUserId: other });
  });

  it('merges only into a lead that the caller may work on as well', async () => {
    const [own, foreign] = [await desk.captured(), await desk.captured()];
    const otherTeam = await makeTeam(desk.org);
    await inOrganization(desk.database, desk.org.id, (em) =>
      em.execute('update crm_core.crm_leads set team_id = ?, version = version + 1 where lead_id = ?', [
        otherTeam.id,
        foreign.id,
      ]),
    );
    const before = await (await desk.send('GET', `/crm/v1/leads/${foreign.id}`)).json();
    expect((await problemOf(await desk.command(own, 'merge', { intoLeadId: foreign.id }))).code).toBe('forbidden');
    const unknown = await problemOf(await desk.command(own, 'merge', { intoLeadId: uuidv7() }));
    expect(unknown).toMatchObject({ code: 'reference_not_found', errors: [{ path: 'intoLeadId' }] });
    expect(await (await desk.send('GET', `/crm/v1/leads/${foreign.id}`)).json()).toEqual(before);
    const merged = await desk.command(own, 'merge', { intoLeadId: foreign.id }, { roles: ['admin'] });
    expect(merged.status).toBe(200);
  });

  it('takes a merge back only for who may work on all that it changes', async () => {
    const [last, survivor] = [await desk.captured(), await desk.captured()];
    const captured = await desk.send('POST', '/v1/leads/capture', {
      body: person({ email: (await desk.read(survivor)).email, phone: '+4930907654' }),
    });
    expect([captured.status, ((await captured.json()) as LeadJson).id]).toEqual([200, survivor.id]);
    const [{ id }] = (
      (await (
        await desk.send('GET', `/crm/v1/leads?filter[status][eq]=merged&filter[phone][eq]=%2B4930907654`)
      ).json()) as { data: [LeadJson] }
    ).data;
    await desk.command(survivor, 'merge', { intoLeadId: last.id });
    // The captured lead is of no team: every manager may work on that, but not on what it went into.
    const stranger = String((await makeTeam(desk.org))['managerUserId']);
    const refused = await desk.command({ id }, 'unmerge', {}, { userId: stranger });
    expect((await problemOf(refused)).code).toBe('forbidden');
    expect(await desk.read(last)).toMatchObject({ phone: '+4930907654' });
    // What was deleted is nobody's to work on.
    await desk.send('DELETE', `/crm/v1/leads/${last.id}`, { headers: { 'if-match': '*' } });
    expect((await desk.command({ id }, 'unmerge')).status).toBe(200);
  });

  it('projects a route without writing anything', async () => {
    const count = async () =>
      ((await (await desk.send('GET', '/crm/v1/leads?limit=200')).json()) as { data: unknown[] }).data.length;
    const before = await count();
    const response = await desk.send('POST', '/crm/v1/leads/route-projection', { body: person() });
    expect(await response.json()).toMatchObject({ outcome: 'assigned', assignedUserId: expect.any(String) });
    expect(
      (
        await problemOf(
          await desk.send('POST', '/crm/v1/leads/route-projection', { body: person(), roles: ['sales_rep'] }),
        )
      ).code,
    ).toBe('forbidden');
    expect(await count()).toBe(before);
  });

  it('logs an activity, which touches the lead through the relay', async () => {
    const lead = await desk.captured();
    const body = { subjectType: 'lead', subjectId: lead.id, activityType: 'call', notes: 'Will call back.' };
    const response = await desk.send('POST', '/v1/activity/log', { body });
    expect(response.status).toBe(201);
    expect(await response.json()).toMatchObject({ activityType: 'call', userId: desk.manager });
    await desk.relayOwed();
    expect(await (await desk.send('GET', `/crm/v1/leads/${lead.id}`)).json()).toMatchObject({ stage: 'touched' });
    expect(
      (await problemOf(await desk.send('POST', '/v1/activity/log', { body: { ...body, subjectId: uuidv7() } }))).code,
    ).toBe('reference_not_found');
    expect(
      (await problemOf(await desk.send('POST', '/v1/activity/log', { body: { ...body, activityType: 'dance' } })))
        .errors,
    ).toMatchObject([{ path: 'activityType' }]);
  });
});
