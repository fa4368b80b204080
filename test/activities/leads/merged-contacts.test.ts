import { describe, expect, it } from '@jest/globals';
import { databaseFixture } from '../../db/database-fixture.ts';
import { berlin, form, type House, makeHouse } from './house.ts';

const fixture = databaseFixture();

/** Two open leads of one human, who is known by another mail in each. */
async function houseWithTwo() {
  const house = await makeHouse(fixture.app);
  const survivor = await house.capture({ fullName: 'Ada Lovelace', email: 'ada@work.example' });
  const other = await house.capture({ fullName: 'Ada King', email: 'ada@home.example', phone: berlin(41) });
  return { house, survivor, other };
}

const openLeads = (house: House) => house.count('crm_leads', "status = 'open' and deleted_at is null");

describe('the mail and phone of a merged lead', () => {
  it('lead later captures to the lead that it was merged into by a person', async () => {
    const { house, survivor, other } = await houseWithTwo();
    await house.send(other.leadId, 'merge', { intoLeadId: survivor.leadId });
    const byMail = await house.capture({ fullName: 'A. K.', email: 'ada@home.example' });
    const byPhone = await house.capture({ fullName: 'Ada King', phone: berlin(41) });
    for (const { answer, state } of [byMail, byPhone]) {
      expect(answer).toMatchObject({ status: 200, body: { id: survivor.leadId } });
      expect(state.mergedIntoLeadId).toBe(survivor.leadId);
    }
    expect((await house.lead(byMail.leadId))['duplicates']).toMatchObject([
      { leadId: survivor.leadId, throughLeadId: other.leadId, verdict: 'exact', reason: 'same e-mail' },
    ]);
    expect(await openLeads(house)).toBe(1);
  });

  it('lead later captures to the lead that a capture was merged into by itself', async () => {
    const house = await makeHouse(fixture.app);
    const first = await house.capture({ fullName: 'Ada Lovelace', email: 'ada@work.example', phone: berlin(42) });
    await house.capture({ fullName: 'Ada Lovelace', email: 'ada@home.example', phone: berlin(42) });
    const third = await house.capture({ fullName: 'Ada Lovelace', email: 'ada@home.example' });
    expect(third.state.mergedIntoLeadId).toBe(first.leadId);
    expect(await openLeads(house)).toBe(1);
  });

  it('are followed from merge to merge, also past a merged lead that was deleted', async () => {
    const { house, survivor, other } = await houseWithTwo();
    const last = await house.capture(form());
    await house.send(other.leadId, 'merge', { intoLeadId: survivor.leadId });
    await house.send(survivor.leadId, 'merge', { intoLeadId: last.leadId });
    await house.sql('update crm_core.crm_leads set deleted_at = now() where lead_id = ?', [survivor.leadId]);
    const next = await house.capture({ fullName: 'Ada', email: 'ada@home.example' });
    expect(next.state.mergedIntoLeadId).toBe(last.leadId);
  });

  it('are forgotten once the lead that has them has closed, and stand behind what an open lead has itself', async () => {
    const { house, survivor, other } = await houseWithTwo();
    await house.send(other.leadId, 'merge', { intoLeadId: survivor.leadId });
    await house.send(survivor.leadId, 'disqualify', { reason: 'no_need' });
    const next = await house.capture({ fullName: 'Ada King', email: 'ada@home.example' });
    expect(next.answer.status).toBe(201);
    await house.send(other.leadId, 'unmerge');
    await house.send(next.leadId, 'merge', { intoLeadId: (await house.capture(form())).leadId });
    expect((await house.capture({ fullName: 'Ada', email: 'ada@home.example' })).state.mergedIntoLeadId).toBe(
      other.leadId,
    );
  });

  it('do not make two people of one: each mail stays with the person who had it first', async () => {
    const house = await makeHouse(fixture.app);
    const survivor = await house.capture({ fullName: 'Augusta King', phone: berlin(43) });
    const other = await house.capture({ fullName: 'Ada King', email: 'ada@home.example' });
    await house.send(other.leadId, 'merge', { intoLeadId: survivor.leadId });
    const next = await house.capture({ fullName: 'Ada King', email: 'ada@home.example' });
    expect(await house.count('crm_people', "primary_email = 'ada@home.example'")).toBe(1);
    expect((await house.lead(next.leadId))['person_id']).toBe((await house.lead(other.leadId))['person_id']);
  });
});
