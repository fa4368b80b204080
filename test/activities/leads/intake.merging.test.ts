import { describe, expect, it } from '@jest/globals';
import { createLeadActivities } from '../../../activities/leads.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { berlin, form, makeHouse } from './house.ts';

const fixture = databaseFixture();

describe('the person behind it', () => {
  it('is the one on record once the first lead has closed, completed with what is new', async () => {
    const house = await makeHouse(fixture.app);
    const first = await house.capture({ fullName: 'Ada Lovelace', email: 'ada@example.com' });
    await house.send(first.leadId, 'disqualify', { reason: 'no_need' });
    const second = await house.capture({ fullName: 'Ada King', email: 'ada@example.com', phone: berlin(7) });
    expect(second.state).toMatchObject({ stage: 'assigned', status: 'open' });
    expect(second.answer.body?.['person']).toMatchObject({ fullName: 'Ada Lovelace', primaryPhone: berlin(7) });
    const people = await house.sql<{ person_id: string; version: number }>(
      'select person_id, version from crm_core.crm_people',
    );
    expect(people).toHaveLength(1);
    expect(await house.lead(second.leadId)).toMatchObject({ person_id: people[0]?.person_id });
    const trail = await house.sql(
      "select field, subject_version from crm_core.crm_auditlog where subject_type = 'person'",
    );
    expect(trail).toEqual([{ field: 'primaryPhone', subject_version: people[0]?.version }]);
    const third = await house.capture({ fullName: 'Ada Lovelace', phone: berlin(7) });
    expect(third.answer).toMatchObject({ status: 201 });
    expect(await house.count('crm_people')).toBe(1);
  });

  it('gets the status that a later look-up of their mail tells', async () => {
    const house = await makeHouse(fixture.app, { emailStatus: 'unknown' });
    const { leadId } = await house.capture(form({ email: 'ada@example.com' }));
    await house.send(leadId, 'disqualify', { reason: 'no_need' });
    const known = createLeadActivities({
      database: fixture.app,
      mailExchange: { lookup: () => Promise.resolve('rejects') },
    });
    const next = await house.receive(form({ email: 'ada@example.com' }));
    await known.decideIntake({ organizationId: house.org.id, leadId: next.leadId, at: new Date().toISOString() });
    expect(await house.sql('select email_status from crm_core.crm_people')).toEqual([{ email_status: 'rejects' }]);
  });
});

describe('a capture of somebody whose lead is open', () => {
  it('merges into it: 200 with the survivor, which takes over what it did not know', async () => {
    const house = await makeHouse(fixture.app);
    const first = await house.capture({ fullName: 'Ada Lovelace', email: 'ada@example.com', source: 'fair' });
    const refs = [{ system: 'cms', externalId: '4711' }];
    const second = await house.capture({
      fullName: 'A. Lovelace',
      email: 'ADA@example.com',
      phone: berlin(3),
      company: 'Engines Ltd',
      source: 'website',
      externalRefs: refs,
    });
    expect(second.state).toMatchObject({
      stage: 'merged',
      status: 'merged',
      mergedIntoLeadId: first.leadId,
      next: undefined,
    });
    expect(second.answer).toMatchObject({
      status: 200,
      body: {
        id: first.leadId,
        status: 'open',
        phone: berlin(3),
        company: 'Engines Ltd',
        source: 'fair',
        engagementCount: 1,
      },
    });
    expect(second.answer.body?.['person']).toMatchObject({ primaryPhone: berlin(3) });
    expect(await house.lead(first.leadId)).toMatchObject({ normalized_company: 'engines', version: 2 });

    const [merge] = await house.sql<{ evidence: Record<string, unknown> }>('select * from crm_core.crm_merges');
    expect(merge).toMatchObject({ survivor_id: first.leadId, merged_id: second.leadId, undone_at: null });
    expect(merge?.evidence).toMatchObject({
      rule: 'same person',
      filled: ['phone', 'company'],
      duplicate: { verdict: 'exact', leadId: first.leadId },
    });
    const told = await house.sql<{ subject_id: string; kind: string }>(
      "select subject_id, kind from crm_core.crm_timeline where kind in ('lead.absorbed', 'lead.merged') order by kind",
    );
    expect(told).toEqual([
      { subject_id: first.leadId, kind: 'lead.absorbed' },
      { subject_id: second.leadId, kind: 'lead.merged' },
    ]);
    const trail = await house.sql<{ field: string }>(
      "select field from crm_core.crm_auditlog where subject_id = ? and subject_type = 'lead' order by field",
      [first.leadId],
    );
    expect(trail.map(({ field }) => field)).toEqual(['company', 'engagementCount', 'normalizedCompany', 'phone']);
    expect(await house.count('crm_external_refs', 'subject_id = ?', [first.leadId])).toBe(1);
    expect(await house.count('crm_people')).toBe(1);
    expect(await house.decide(second.leadId)).toEqual(second.state);
  });

  it('finds it by phone and name among many open leads of the same company', async () => {
    const house = await makeHouse(fixture.app);
    for (let number = 0; number < 60; number++)
      await house.capture(
        form({
          fullName: `Colleague ${number}`,
          email: undefined,
          phone: berlin(100 + number),
          company: 'Engines Ltd',
        }),
      );
    const first = await house.capture({ fullName: 'Ada Lovelace', phone: berlin(5), company: 'Engines Ltd' });
    const second = await house.capture({ fullName: 'Ada Lovelace', phone: berlin(5), company: 'Engines Ltd' });
    expect(second.state.mergedIntoLeadId).toBe(first.leadId);
  });

  it('does not make the survivor a duplicate of a third lead', async () => {
    const house = await makeHouse(fixture.app);
    const first = await house.capture({ fullName: 'Ada Lovelace', email: 'ada@example.com' });
    await house.capture({ fullName: 'Ada Lovelace', phone: berlin(9) });
    const both = await house.capture({ fullName: 'Ada Lovelace', email: 'ada@example.com', phone: berlin(9) });
    expect(both.state.mergedIntoLeadId).toBe(first.leadId);
    expect(await house.lead(first.leadId)).toMatchObject({ phone: null });
  });

  it('is only flagged when it is merely alike, and goes its way', async () => {
    const house = await makeHouse(fixture.app);
    const first = await house.capture({ fullName: 'Ada Lovelace', email: 'ada@example.com', phone: berlin(11) });
    const second = await house.capture({
      fullName: 'Charles Babbage',
      email: 'charles@example.com',
      phone: berlin(11),
    });
    expect(second.state.stage).toBe('assigned');
    expect((await house.lead(second.leadId))['duplicates']).toMatchObject([
      { leadId: first.leadId, verdict: 'likely' },
    ]);
  });
});
