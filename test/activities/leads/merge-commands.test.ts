import { describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { databaseFixture, refusalOf } from '../../db/database-fixture.ts';
import { after, berlin, form, type House, makeHouse } from './house.ts';

const fixture = databaseFixture();

async function houseWithTwo() {
  const house = await makeHouse(fixture.app);
  const survivor = await house.capture({ fullName: 'Ada Lovelace', email: 'ada@example.com' });
  const other = await house.capture({
    fullName: 'Augusta King',
    email: 'augusta@example.com',
    phone: berlin(21),
    company: 'Engines Ltd',
    externalRefs: [{ system: 'cms', externalId: '1' }],
  });
  return { house, survivor, other };
}

describe('merge', () => {
  it('closes the lead; the survivor takes over what it did not know, references too', async () => {
    const { house, survivor, other } = await houseWithTwo();
    const { state, answer } = await house.send(other.leadId, 'merge', { intoLeadId: survivor.leadId });
    expect(state).toMatchObject({ stage: 'merged', mergedIntoLeadId: survivor.leadId, next: undefined });
    expect(answer).toMatchObject({ status: 200, body: { id: other.leadId, status: 'merged' } });
    expect(await house.lead(survivor.leadId)).toMatchObject({
      email: 'ada@example.com',
      phone: berlin(21),
      normalized_company: 'engines',
      engagement_count: 1,
    });
    expect(await house.count('crm_external_refs', "subject_id = ? and system = 'cms'", [survivor.leadId])).toBe(1);
    const [merge] = await house.sql<{ evidence: unknown }>(
      'select evidence from crm_core.crm_merges where merged_id = ?',
      [other.leadId],
    );
    expect(merge?.evidence).toEqual({ rule: 'by command', stage: 'assigned', filled: ['phone', 'company'] });
  });

  it('is refused into itself, into a closed lead, and into one that is foreign or unknown', async () => {
    const { house, survivor, other } = await houseWithTwo();
    await house.send(survivor.leadId, 'disqualify', { reason: 'spam' });
    const foreign = await (await makeHouse(fixture.app)).capture(form());
    for (const [intoLeadId, message] of [
      [other.leadId, 'is the lead itself'],
      [other.leadId.toUpperCase(), 'is the lead itself'],
      [survivor.leadId, 'is not open any more'],
      [foreign.leadId, 'is not a lead of this organisation'],
      [uuidv7(), 'is not a lead of this organisation'],
    ]) {
      const refusal = await refusalOf(house.send(other.leadId, 'merge', { intoLeadId }));
      expect(refusal).toMatchObject({ code: 'rule_violation', errors: [{ path: 'intoLeadId', message }] });
    }
    expect(await house.lead(other.leadId)).toMatchObject({ status: 'open' });
  });

  it('of two leads into each other leaves one open', async () => {
    const { house, survivor, other } = await houseWithTwo();
    const each = [
      house.send(survivor.leadId, 'merge', { intoLeadId: other.leadId }),
      house.send(other.leadId, 'merge', { intoLeadId: survivor.leadId }),
    ];
    const outcomes = await Promise.allSettled(each);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await house.count('crm_leads', "status = 'open'")).toBe(1);
  });
});

describe('unmerge', () => {
  it('gives a lead that had an owner back to them, where it stood, and the survivor gives back what it took', async () => {
    const { house, survivor, other } = await houseWithTwo();
    await house.send(other.leadId, 'touch');
    const { assignedUserId } = (await house.send(other.leadId, 'merge', { intoLeadId: survivor.leadId })).state;
    const { state } = await house.send(other.leadId, 'unmerge');
    expect(state).toMatchObject({
      stage: 'touched',
      status: 'open',
      assignedUserId,
      mergedIntoLeadId: undefined,
      round: 1,
      next: { step: 'remind_idle' },
    });
    expect(await house.lead(survivor.leadId)).toMatchObject({
      phone: null,
      company: null,
      normalized_company: null,
      engagement_count: 0,
    });
    expect(await house.count('crm_merges', 'undone_at is not null')).toBe(1);
    expect(await house.lead(other.leadId)).toMatchObject({ closed_at: null });
  });

  it('puts a lead that was assigned anew after a touch back into its ladder', async () => {
    const { house, survivor, other } = await houseWithTwo();
    await house.send(other.leadId, 'touch');
    await house.send(other.leadId, 'reassign');
    await house.send(other.leadId, 'merge', { intoLeadId: survivor.leadId });
    expect((await house.send(other.leadId, 'unmerge')).state).toMatchObject({
      stage: 'assigned',
      round: 2,
      next: { step: 'remind_owner' },
    });
  });

  it('leaves with the survivor what somebody has changed since', async () => {
    const { house, survivor, other } = await houseWithTwo();
    await house.send(other.leadId, 'merge', { intoLeadId: survivor.leadId });
    await house.sql(
      "update crm_core.crm_leads set company = 'Corrected Ltd', version = version + 1 where lead_id = ?",
      [survivor.leadId],
    );
    await house.send(other.leadId, 'unmerge');
    expect(await house.lead(survivor.leadId)).toMatchObject({ company: 'Corrected Ltd', phone: null });
  });

  it('scores and assigns a lead that was merged at its capture, with a person of its own when the name is another', async () => {
    const { house, survivor } = await houseWithTwo();
    const merged = await house.capture({ fullName: 'Byron Lovelace', email: 'ada@example.com' });
    const same = await house.capture({ fullName: 'Ada Lovelace', email: 'ada@example.com' });
    expect(await house.count('crm_people')).toBe(2);
    const { state } = await house.send(merged.leadId, 'unmerge');
    expect(state).toMatchObject({ stage: 'assigned', status: 'open', round: 1, mergedIntoLeadId: undefined });
    expect(await house.count('crm_lead_scores', "lead_id = ? and cause = 'unmerged'", [merged.leadId])).toBe(1);
    expect(await house.count('crm_people')).toBe(3);
    await house.send(same.leadId, 'unmerge');
    const { person_id: own } = await house.lead(survivor.leadId);
    expect(await house.lead(same.leadId)).toMatchObject({ person_id: own });
    expect((await house.lead(merged.leadId))['person_id']).not.toBe(own);
  });

  it('leaves a lead scored when nobody can get it', async () => {
    const { house } = await houseWithTwo();
    const merged = await house.capture({ fullName: 'Ada Lovelace', email: 'ada@example.com' });
    await house.sql('update crm_core.crm_users set active = false');
    expect((await house.send(merged.leadId, 'unmerge')).state).toMatchObject({
      stage: 'scored',
      assignedUserId: undefined,
      next: { step: 'find_owner' },
    });
  });

  const refsOf = (house: House, leadId: string) =>
    house.sql<{ external_id: string }>(
      'select external_id from crm_core.crm_external_refs where subject_id = ? and deleted_at is null order by external_id',
      [leadId],
    );

  it('takes the references along that came with the lead, but none that the survivor has otherwise', async () => {
    const house = await makeHouse(fixture.app);
    const refs = (...ids: string[]) => ids.map((externalId) => ({ system: 'cms', externalId }));
    const survivor = await house.capture(form({ externalRefs: refs('own') }));
    const leaving = await house.capture(form({ externalRefs: refs('own', 'shared', 'single') }));
    const staying = await house.capture(form({ externalRefs: refs('shared') }));
    for (const { leadId } of [leaving, staying])
      await house.send(leadId, 'merge', { intoLeadId: survivor.leadId }, { receivedAt: after(new Date(), 1) });
    await house.send(leaving.leadId, 'unmerge');
    expect(await refsOf(house, survivor.leadId)).toEqual([{ external_id: 'own' }, { external_id: 'shared' }]);
    expect(await refsOf(house, leaving.leadId)).toHaveLength(3);
    await house.send(staying.leadId, 'unmerge');
    expect(await refsOf(house, survivor.leadId)).toEqual([{ external_id: 'own' }]);
    const trail = await house.sql(
      "select field, subject_version from crm_core.crm_auditlog where subject_type = 'external_reference'",
    );
    expect(trail).toEqual(Array(2).fill({ field: 'deletedAt', subject_version: 2 }));
  });

  it('takes back what went on to further leads, up to the one that is open, whose process hears of it', async () => {
    const house = await makeHouse(fixture.app);
    const leaving = await house.capture({
      fullName: 'Ada Lovelace',
      email: 'ada@example.com',
      urgency: 'high',
      externalRefs: [{ system: 'cms', externalId: '1' }],
    });
    const between = await house.capture({ fullName: 'Augusta King', phone: berlin(22), country: 'DE' });
    const last = await house.capture({ fullName: 'Countess Lovelace', phone: berlin(23) });
    await house.send(leaving.leadId, 'merge', { intoLeadId: between.leadId });
    await house.send(between.leadId, 'merge', { intoLeadId: last.leadId });
    expect(await house.lead(last.leadId)).toMatchObject({ email: 'ada@example.com', urgency: 'high', country: 'DE' });
    await house.send(leaving.leadId, 'unmerge');
    expect(await house.lead(last.leadId)).toMatchObject({
      status: 'open',
      email: null,
      urgency: null,
      country: 'DE',
      phone: berlin(23),
      engagement_count: 1,
    });
    expect(await house.lead(between.leadId)).toMatchObject({
      status: 'merged',
      email: null,
      urgency: null,
      engagement_count: 0,
    });
    expect(await refsOf(house, between.leadId)).toEqual([]);
    expect(await refsOf(house, last.leadId)).toEqual([]);
    const told = await house.sql("select subject_id from crm_core.crm_outbox where kind = 'lead.released'");
    expect(told).toEqual([{ subject_id: last.leadId }]);
    const again = await house.capture({ fullName: 'Ada Lovelace', email: 'ada@example.com' });
    expect(again.state.mergedIntoLeadId).toBe(leaving.leadId);
  });

  it('leaves a survivor that has closed with what it closed with', async () => {
    const { house, survivor, other } = await houseWithTwo();
    await house.send(other.leadId, 'merge', { intoLeadId: survivor.leadId });
    await house.send(survivor.leadId, 'disqualify', { reason: 'spam' });
    const before = await house.lead(survivor.leadId);
    expect((await house.send(other.leadId, 'unmerge')).state.stage).toBe('assigned');
    expect(await house.lead(survivor.leadId)).toEqual(before);
    expect(await house.count('crm_outbox', "kind = 'lead.released'")).toBe(0);
  });
});
