import { describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { Actor } from '../../../db/access/actor.ts';
import { readLeadProcess } from '../../../db/leads/process.queries.ts';
import { databaseFixture, refusalCode } from '../../db/database-fixture.ts';
import { makeUser, marketer, salesRep, supporter } from '../../support/factories.ts';
import { after, berlin, form, makeHouse } from './house.ts';

const fixture = databaseFixture();

const evidence = Object.fromEntries(
  ['budget', 'authority', 'need', 'timing'].map((criterion) => [criterion, { statement: 'yes', reference: 'call' }]),
);

/** A lead with a whole life behind it, and one merged into it. */
async function houseWithHistory() {
  const house = await makeHouse(fixture.app);
  const { leadId, state } = await house.capture({
    fullName: ' Ada Lovelace ',
    email: 'ADA@example.com',
    phone: berlin(31),
  });
  const merged = await house.capture({ fullName: 'Ada Lovelace', email: 'ada@example.com' });
  await house.takeDue(leadId);
  await house.send(leadId, 'reassign');
  const { state: touched } = await house.send(
    leadId,
    'touch',
    { channel: 'call' },
    { receivedAt: after(new Date(), 60) },
  );
  return { house, leadId, merged, first: state, touched };
}

describe('the process of a lead', () => {
  it('tells from the rows what it waits for, and how everything came about', async () => {
    const { house, leadId, merged, first, touched } = await houseWithHistory();
    const { explanation, ...process } = await readLeadProcess(house.database, house.admin, leadId);
    expect(process).toEqual({
      stage: 'touched',
      status: 'open',
      waitsFor: { step: 'remind_idle', dueAt: touched.next?.dueAt, userId: touched.assignedUserId },
    });
    expect(explanation).toMatchObject({
      score: { cause: 'engaged', score: touched.score, model: { version: 1 }, contributions: expect.any(Array) },
      earlierScores: [{ cause: 'assigned' }, { cause: 'captured' }],
      assignment: {
        round: 2,
        userId: touched.assignedUserId,
        rule: { id: house.rule.id, version: 1 },
        rulesTried: [{ matched: true }],
      },
      earlierAssignments: [{ round: 1, userId: first.assignedUserId }],
      steps: [{ step: 'remind_owner', round: 1, outcome: 'owner reminded', userId: first.assignedUserId }],
      merges: [{ survivorId: leadId, mergedId: merged.leadId, undoneAt: null }],
      evidence: [],
    });
    const { candidates } = explanation['assignment'] as { candidates: { code: string }[] };
    expect(candidates.map(({ code }) => code).toSorted()).toEqual(['chosen', 'previous_owner']);
    expect((explanation['normalization'] as { field: string }[]).map(({ field }) => field)).toContain('email');

    await house.send(leadId, 'qualify', { evidence, accountName: 'Engines' });
    const ended = await readLeadProcess(house.database, house.admin, leadId);
    expect(ended).toMatchObject({ stage: 'qualified', waitsFor: null });
    expect(ended.explanation['evidence']).toHaveLength(4);
  });

  it('tells a merged lead where it went, and which fields matched', async () => {
    const { house, leadId, merged } = await houseWithHistory();
    const { explanation, ...process } = await readLeadProcess(house.database, house.admin, merged.leadId);
    expect(process).toEqual({ stage: 'merged', status: 'merged', waitsFor: null });
    expect(explanation['duplicates']).toMatchObject([
      { leadId, verdict: 'exact', fields: expect.arrayContaining([{ field: 'email', similarity: 1, matched: true }]) },
    ]);
    expect(explanation).toMatchObject({ score: null, assignment: null });
  });

  it('tells its owner what somebody wrote who was merged into it, until that is taken back', async () => {
    const { house, leadId, touched } = await houseWithHistory();
    const ada = { fullName: 'Ada Lovelace', email: 'ada@example.com' };
    const again = await house.capture({ ...ada, source: 'fair', message: 'Please call me today.' });
    const owner = house.users.find(({ id }) => id === touched.assignedUserId);
    if (!owner) throw new Error('The lead has no owner');
    const writtenTo = async (actor: Actor) => {
      const { merges } = (await readLeadProcess(house.database, actor, leadId)).explanation;
      return (merges as { mergedId: string; captured?: object | null }[]).find(
        ({ mergedId }) => mergedId === again.leadId,
      )?.captured;
    };
    expect(await writtenTo(salesRep(house.org, owner))).toMatchObject({
      message: 'Please call me today.',
      source: 'fair',
      capturedAt: expect.any(String),
    });
    expect(await writtenTo(marketer(house.org))).toBeUndefined();
    await house.send(again.leadId, 'unmerge');
    expect(await writtenTo(salesRep(house.org, owner))).toBeNull();
  });

  it('shows marketing no contact data', async () => {
    const { house, leadId } = await houseWithHistory();
    await house.send(leadId, 'qualify', { evidence, accountName: 'Engines' });
    const process = await readLeadProcess(house.database, marketer(house.org), leadId);
    expect(process.explanation).toMatchObject({ normalization: [], evidence: [], score: { cause: 'engaged' } });
    expect(JSON.stringify(process)).not.toMatch(/Lovelace|ada@|900031/);
  });

  it('hides a lead from another organisation, from a colleague, and from roles without leads', async () => {
    const { house, leadId, touched } = await houseWithHistory();
    const other = await makeHouse(fixture.app);
    const owner = house.users.find(({ id }) => id === touched.assignedUserId);
    if (!owner) throw new Error('The lead has no owner');
    expect(await readLeadProcess(house.database, salesRep(house.org, owner), leadId)).toMatchObject({
      stage: 'touched',
    });
    expect(
      await refusalCode(readLeadProcess(house.database, salesRep(house.org, await makeUser(house.org)), leadId)),
    ).toBe('not_found');
    expect(await refusalCode(readLeadProcess(house.database, other.admin, leadId))).toBe('not_found');
    expect(await refusalCode(readLeadProcess(house.database, supporter(house.org), leadId))).toBe('forbidden');
    for (const unknown of [uuidv7(), 'no-identifier'])
      expect(await refusalCode(readLeadProcess(house.database, house.admin, unknown))).toBe('not_found');
    await house.sql('update crm_core.crm_leads set deleted_at = now() where lead_id = ?', [leadId]);
    expect(await refusalCode(readLeadProcess(house.database, house.admin, leadId))).toBe('not_found');
  });

  it('of a capture that is not decided yet is known from the ledger, to its sender and to who reads all leads', async () => {
    const house = await makeHouse(fixture.app);
    const form1 = {
      kind: 'service' as const,
      organizationId: house.org.id,
      clientId: 'website',
      scopes: ['crm:leads:capture'],
    };
    const { leadId } = await house.receive(form(), { actor: form1 });
    const underway = { stage: 'captured', status: 'open', waitsFor: null, explanation: {} };
    expect(await readLeadProcess(house.database, form1, leadId)).toEqual(underway);
    expect(await readLeadProcess(house.database, house.admin, leadId)).toEqual(underway);
    expect(
      await refusalCode(readLeadProcess(house.database, salesRep(house.org, await makeUser(house.org)), leadId)),
    ).toBe('not_found');
    expect(await refusalCode(readLeadProcess(house.database, { ...form1, clientId: 'another' }, leadId))).toBe(
      'forbidden',
    );
    expect(await refusalCode(readLeadProcess(house.database, (await makeHouse(fixture.app)).admin, leadId))).toBe(
      'not_found',
    );
  });
});
