import { describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { actorLabel } from '../../../db/access/actor.ts';
import type { AppliedMessage } from '../../../workflows/processes/envelope.ts';
import { databaseFixture, refusalOf } from '../../db/database-fixture.ts';
import { form, type House, houseWithLead as withLead, makeHouse, tracesOf } from './house.ts';

const fixture = databaseFixture();
const houseWithLead = () => withLead(fixture.app);

describe('a message that comes again', () => {
  const named: [string, Record<string, unknown>][] = [
    ['touch', { channel: 'email', note: 'Hello.' }],
    ['rescore', {}],
    ['reassign', {}],
    ['disqualify', { reason: 'other', note: 'Twice.' }],
  ];

  it.each(named)('%s is applied once, and answers the same', async (name, payload) => {
    const { house, leadId } = await houseWithLead();
    const first = await house.send(leadId, name, payload);
    const before = await tracesOf(house);
    const again = await house.send(leadId, name, payload, { commandId: first.commandId });
    expect(again).toEqual(first);
    expect(await tracesOf(house)).toEqual(before);
  });

  it('is applied once when it comes at the same time', async () => {
    const { house, leadId } = await houseWithLead();
    const commandId = uuidv7();
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () => house.send(leadId, 'touch', { channel: 'call' }, { commandId })),
    );
    expect(new Set(outcomes.map(({ state }) => JSON.stringify(state))).size).toBe(1);
    expect(await house.lead(leadId)).toMatchObject({ engagement_count: 1 });
    expect(await house.count('crm_activities')).toBe(1);
  });

  it('is applied once as a Signal too, by its key', async () => {
    const { house, leadId } = await houseWithLead();
    for (const key of ['signal:run:1', `update:run:${'x'.repeat(400)}`]) {
      const first = await house.signal(leadId, 'touch', { channel: 'call' }, key);
      const before = await tracesOf(house);
      await house.sql("update crm_core.crm_commands set deleted_at = now() where route = 'signal'");
      expect(await house.signal(leadId, 'touch', { channel: 'call' }, key)).toEqual(first);
      expect(await tracesOf(house)).toEqual(before);
    }
    const noted = await house.sql(
      "select principal, state, message, record_id from crm_core.crm_commands where route = 'signal'",
    );
    expect(noted).toEqual(
      Array(2).fill({ principal: 'temporal', state: 'answered', message: 'touch', record_id: leadId }),
    );
  });
});

describe('an envelope', () => {
  const delivered = (house: House, leadId: string, message: Partial<AppliedMessage>) =>
    house.activities.applyMessage({
      organizationId: house.org.id,
      leadId,
      message: {
        name: 'touch',
        key: uuidv7(),
        payload: { channel: 'call' },
        commandId: uuidv7(),
        actor: { kind: 'user', organizationId: uuidv7(), userId: uuidv7(), roles: ['admin'] },
        receivedAt: '2020-01-01T00:00:00.000Z',
        ...message,
      },
    });

  it('is not believed: sender and time are those of the ledger', async () => {
    const { house, leadId } = await houseWithLead();
    const commandId = await house.receiveMessage(leadId, 'touch', { channel: 'call' });
    await delivered(house, leadId, { commandId });
    const [lead] = await house.sql(
      'select touched_at >= assigned_at as later from crm_core.crm_leads where lead_id = ?',
      [leadId],
    );
    expect(lead).toEqual({ later: true });
    const [written] = await house.sql('select created_by from crm_core.crm_activities where subject_id = ?', [leadId]);
    expect(written).toEqual({ created_by: actorLabel(house.admin) });
  });

  it('is refused for a command that the ledger does not owe to this record', async () => {
    const { house, leadId } = await houseWithLead();
    const { leadId: other } = await house.capture(form());
    const commandId = await house.receiveMessage(leadId, 'touch', { channel: 'call' });
    const before = await tracesOf(house);
    for (const refused of [
      delivered(house, leadId, {}),
      delivered(house, other, { commandId }),
      delivered(house, leadId, { commandId, name: 'rescore', payload: {} }),
    ])
      expect(await refusalOf(refused)).toMatchObject({ code: 'not_found' });
    expect(await tracesOf(house)).toEqual(before);
  });
});

describe('a message that is not possible', () => {
  it('is refused in a stage where it is illegal, and its key stays free', async () => {
    const { house, leadId } = await houseWithLead();
    const commandId = uuidv7();
    expect(await refusalOf(house.send(leadId, 'unmerge', {}, { commandId }))).toMatchObject({ code: 'illegal_stage' });
    expect(
      await house.sql('select state, answer from crm_core.crm_commands where command_id = ?', [commandId]),
    ).toEqual([{ state: 'received', answer: null }]);
    expect(await refusalOf(house.signal(leadId, 'unmerge', {}, 'signal:run:9'))).toMatchObject({
      code: 'illegal_stage',
    });
    expect(await house.count('crm_commands', "route = 'signal'")).toBe(0);
  });

  it('is refused on a lead that is deleted, foreign or unknown', async () => {
    const { house, leadId } = await houseWithLead();
    const other = await makeHouse(fixture.app);
    expect(await refusalOf(other.send(leadId, 'touch'))).toMatchObject({ code: 'not_found' });
    expect(await refusalOf(house.send(uuidv7(), 'touch'))).toMatchObject({ code: 'not_found' });
    await house.sql('update crm_core.crm_leads set deleted_at = now() where lead_id = ?', [leadId]);
    expect(await refusalOf(house.send(leadId, 'touch'))).toMatchObject({ code: 'not_found' });
  });

  it('is refused when a lead knows no such message', async () => {
    const { house, leadId } = await houseWithLead();
    expect(await refusalOf(house.signal(leadId, 'promote'))).toMatchObject({ code: 'illegal_stage' });
  });
});
