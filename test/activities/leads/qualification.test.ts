import { describe, expect, it } from '@jest/globals';
import { databaseFixture, refusalOf } from '../../db/database-fixture.ts';
import { leads } from '../../../db/leads/lead.ts';
import { makeAccount, writeAs } from '../../support/factories.ts';
import { form, type House, makeHouse } from './house.ts';

const fixture = databaseFixture();

const proof = (statement: string) => ({ statement, reference: 'call of today' });
const evidence = { budget: proof('20 k'), authority: proof('signs'), need: proof('now'), timing: proof('spring') };

async function touched(house: House, overrides: Parameters<typeof form>[0] = {}) {
  const { leadId } = await house.capture(form(overrides));
  await house.send(leadId, 'touch');
  return leadId;
}

describe('qualify', () => {
  it('stores the evidence, makes account and contact, and carries the references', async () => {
    const house = await makeHouse(fixture.app);
    const leadId = await touched(house, {
      company: 'Engines GmbH',
      email: 'ada@engines.example',
      externalRefs: [
        { system: 'cms', externalId: '1' },
        { system: 'shop', externalId: '2' },
      ],
    });
    const { state, answer } = await house.send(leadId, 'qualify', { evidence });
    expect(state).toMatchObject({ stage: 'qualified', status: 'qualified', next: undefined });
    const [account] = await house.sql<Record<string, unknown>>('select * from crm_core.crm_accounts');
    expect(account).toMatchObject({
      account_name: 'Engines GmbH',
      normalized_name: 'engines',
      domain: 'engines.example',
      owner_user_id: state.assignedUserId,
      account_type: 'prospect',
    });
    expect(answer.body).toMatchObject({ accountId: account?.['account_id'], closedAt: expect.any(String) });
    const { person_id: personId } = await house.lead(leadId);
    const [contact] = await house.sql<Record<string, unknown>>('select * from crm_core.crm_contacts');
    expect(contact).toMatchObject({ person_id: personId, account_id: account?.['account_id'], lifecycle: 'qualified' });
    const stored = await house.sql(
      'select criterion, statement, reference from crm_core.crm_qualification_evidence where lead_id = ? order by criterion',
      [leadId],
    );
    expect(stored).toEqual([
      { criterion: 'authority', ...evidence.authority },
      { criterion: 'budget', ...evidence.budget },
      { criterion: 'need', ...evidence.need },
      { criterion: 'timing', ...evidence.timing },
    ]);
    const refs = await house.sql(
      "select system, external_id from crm_core.crm_external_refs where subject_type = 'contact' and subject_id = ? order by system",
      [contact?.['contact_id']],
    );
    expect(refs).toEqual([
      { system: 'cms', external_id: '1' },
      { system: 'shop', external_id: '2' },
    ]);
  });

  it('matches the account of the same name, and the contact of the same person there', async () => {
    const house = await makeHouse(fixture.app);
    const first = await touched(house, { email: 'ada@gmail.com', company: 'Engines GmbH' });
    await house.send(first, 'qualify', { evidence });
    const second = await touched(house, { email: 'ada@gmail.com', company: 'ENGINES Ltd.' });
    await house.send(second, 'qualify', { evidence });
    const third = await touched(house, { company: 'Other AG' });
    await house.send(third, 'qualify', { evidence, accountName: 'Engines' });
    expect(await house.count('crm_accounts')).toBe(1);
    expect(await house.count('crm_contacts')).toBe(2);
    expect(await house.sql('select domain from crm_core.crm_accounts')).toEqual([{ domain: null }]);
  });

  it('makes a new account when the one recognised was removed', async () => {
    const house = await makeHouse(fixture.app);
    await house.send(await touched(house, { company: 'Engines GmbH' }), 'qualify', { evidence });
    const leadId = await touched(house, { company: 'Engines GmbH' });
    await house.sql('update crm_core.crm_accounts set deleted_at = now()');
    await house.send(leadId, 'qualify', { evidence });
    expect(await house.count('crm_accounts', 'deleted_at is null')).toBe(1);
  });

  it('goes by the company that somebody corrected, not by the account of the one before', async () => {
    const house = await makeHouse(fixture.app);
    const [engines, mills] = [
      await makeAccount(house.org, { accountName: 'Engines' }),
      await makeAccount(house.org, { accountName: 'Mills' }),
    ];
    const correct = (leadId: string, company: string) =>
      house.org.records.patch(writeAs(house.admin), leads, leadId, '*', { company });
    const accountOf = async (leadId: string) => (await house.lead(leadId))['account_id'];
    const [first, second, third] = [
      await touched(house, { company: 'Engines GmbH' }),
      await touched(house, { company: 'Engines GmbH' }),
      await touched(house, { company: 'Engines GmbH' }),
    ];
    await correct(first, 'Mills');
    await house.send(first, 'qualify', { evidence });
    expect(await accountOf(first)).toBe(mills.id);
    await correct(second, 'Mills');
    await house.signal(second, 'changed');
    expect(await accountOf(second)).toBe(mills.id);
    await correct(third, 'ENGINES Ltd.');
    expect(await accountOf(third)).toBe(engines.id);
    // What is closed keeps the account that it closed with.
    await correct(first, 'Engines');
    expect(await accountOf(first)).toBe(mills.id);
  });

  it('needs the name of an account when the lead names no company', async () => {
    const house = await makeHouse(fixture.app);
    const leadId = await touched(house);
    expect(await refusalOf(house.send(leadId, 'qualify', { evidence }))).toMatchObject({
      code: 'rule_violation',
      errors: [{ path: 'accountName' }],
    });
    expect(await house.count('crm_qualification_evidence')).toBe(0);
    expect((await house.send(leadId, 'qualify', { evidence, accountName: 'Engines' })).state.stage).toBe('qualified');
  });

  it('is illegal for a lead that nobody has', async () => {
    const house = await makeHouse(fixture.app, { users: () => Promise.resolve([]) });
    const { leadId } = await house.capture(form({ company: 'Engines' }));
    expect(await refusalOf(house.send(leadId, 'qualify', { evidence }))).toMatchObject({ code: 'illegal_stage' });
  });

  it('happens once, however many send it at the same time', async () => {
    const house = await makeHouse(fixture.app);
    const leadId = await touched(house, { company: 'Engines' });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 6 }, () => house.send(leadId, 'qualify', { evidence })),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'illegal_stage' });
    expect([
      await house.count('crm_accounts'),
      await house.count('crm_contacts'),
      await house.count('crm_qualification_evidence'),
    ]).toEqual([1, 1, 4]);
  });

  it('of several leads of one company at the same time makes one account', async () => {
    const house = await makeHouse(fixture.app);
    const leads = await Promise.all(Array.from({ length: 6 }, () => touched(house, { company: 'Engines' })));
    await Promise.all(leads.map((leadId) => house.send(leadId, 'qualify', { evidence })));
    expect([await house.count('crm_accounts'), await house.count('crm_contacts')]).toEqual([1, 6]);
  });
});
