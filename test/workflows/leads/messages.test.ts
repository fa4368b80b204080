import { describe, expect, it } from '@jest/globals';
import { leadProcess } from '../../../workflows/leads/messages.ts';
import { leadStages } from '../../../workflows/leads/policy.ts';
import { legalMessages, travellingSchema, type PayloadOf } from '../../../workflows/processes/messages.ts';
import { processes } from '../../../workflows/processes/registry.ts';

const legal = (stage: string) => legalMessages(leadProcess, stage).map(({ name }) => name);
const evidence = { statement: 'Has 50,000 this year.', reference: 'call of 3 March' };
const qualification: PayloadOf<typeof leadProcess, 'qualify'> = {
  evidence: { budget: evidence, authority: evidence, need: evidence, timing: evidence },
  accountName: 'Ames & Co',
};

describe('the messages of a lead', () => {
  it('are legal where DOMAIN says', () => {
    expect(Object.fromEntries(leadStages.map((stage) => [stage, legal(stage)]))).toEqual({
      captured: [],
      scored: ['rescore', 'reassign', 'disqualify', 'merge'],
      assigned: ['touch', 'rescore', 'reassign', 'qualify', 'disqualify', 'merge'],
      touched: ['touch', 'rescore', 'reassign', 'qualify', 'disqualify', 'merge'],
      qualified: [],
      disqualified: [],
      merged: ['unmerge'],
    });
  });

  it('keep what people wrote out of Temporal', () => {
    const travelling = Object.values(leadProcess.messages).flatMap((message) =>
      Object.keys(travellingSchema(message).shape),
    );
    expect(travelling).toEqual(['channel', 'userId', 'reason', 'intoLeadId']);
    expect(Object.keys(travellingSchema(leadProcess.messages.reassign).shape)).toEqual(['userId']);
  });

  it('take evidence for all four questions, each with its reference', () => {
    const { payload } = leadProcess.messages.qualify;
    expect(payload.parse(qualification)).toEqual(qualification);
    const { budget: _, ...rest } = qualification.evidence;
    expect(payload.safeParse({ evidence: rest }).success).toBe(false);
    expect(payload.safeParse({ evidence: { ...rest, budget: { statement: 'x' } } }).success).toBe(false);
  });

  it('refuse unknown fields, wrong channels and wrong identifiers', () => {
    const { touch, reassign, disqualify, merge, rescore } = leadProcess.messages;
    expect(touch.payload.safeParse({ channel: 'pigeon' }).success).toBe(false);
    expect(rescore.payload.safeParse({ score: 100 }).success).toBe(false);
    expect(reassign.payload.safeParse({ userId: 'ann' }).success).toBe(false);
    expect(disqualify.payload.safeParse({ reason: 'stale' }).success).toBe(false);
    expect(merge.payload.safeParse({}).success).toBe(false);
  });

  it('take an identifier in capitals for the same as in small letters', () => {
    const { reassign, merge } = leadProcess.messages;
    const id = '0199aaaa-0000-7000-8000-00000000abcd';
    expect(merge.payload.parse({ intoLeadId: id.toUpperCase() })).toEqual({ intoLeadId: id });
    expect(reassign.payload.parse({ userId: id.toUpperCase() })).toEqual({ userId: id });
  });

  it('belong to a registered process whose ID holds the record alone', () => {
    expect(processes).toContain(leadProcess);
    expect(leadProcess.workflowId('0199')).toBe('lead:0199');
  });
});
