import { z } from 'zod';
import { defineProcess, message } from '../processes/messages.ts';
import { recordId } from '../processes/record-id.ts';
import { line, prose } from '../processes/text.ts';
import { disqualifyReasons, finalLeadStages, leadStages } from './policy.ts';

/** One of the four things to know before a lead is qualified: what was found, and where it can be read or heard. */
const evidence = z.strictObject({
  statement: prose(2_000),
  reference: line(500).describe('Where it comes from: a link, a call, a document.'),
});

/** Messages by which somebody does something with a lead: received in time, they forestall the step that falls due. */
export const forestalling = ['touch', 'reassign', 'qualify', 'disqualify', 'merge'] as const;

/** Everything that can be told to a lead's intake (DOMAIN, processes 1 and 2). */
export const leadProcess = defineProcess({
  name: 'lead',
  workflowType: 'leadIntake',
  startUpdate: 'captured',
  path: 'leads',
  workflowId: (leadId) => `lead:${leadId}`,
  stages: leadStages,
  finalStages: finalLeadStages,
  messages: {
    touch: message({
      summary: 'Records that somebody was in contact with the lead; ends the no-touch ladder.',
      payload: z.strictObject({
        channel: z.enum(['call', 'email', 'meeting', 'message', 'visit', 'other']).optional(),
        note: prose(4_000).optional(),
      }),
      kept: ['note'],
      permission: 'leads:work',
      stages: ['assigned', 'touched'],
    }),
    rescore: message({
      summary: 'Scores the lead again with the scoring model in force.',
      payload: z.strictObject({}),
      permission: 'leads:work',
      stages: ['scored', 'assigned', 'touched'],
    }),
    reassign: message({
      summary: 'Gives the lead to a user, or to whom the assignment rules choose; a new no-touch ladder begins.',
      payload: z.strictObject({ userId: recordId('User').optional(), reason: prose(1_000).optional() }),
      kept: ['reason'],
      permission: 'leads:assign',
      stages: ['scored', 'assigned', 'touched'],
    }),
    qualify: message({
      summary: 'Stores the evidence, makes account and contact, and closes the intake as qualified.',
      payload: z.strictObject({
        evidence: z.strictObject({ budget: evidence, authority: evidence, need: evidence, timing: evidence }),
        accountName: line(200).optional(),
      }),
      kept: ['evidence', 'accountName'],
      permission: 'leads:work',
      stages: ['assigned', 'touched'],
    }),
    disqualify: message({
      summary: 'Closes the intake as disqualified, with a reason.',
      payload: z.strictObject({ reason: z.enum(disqualifyReasons), note: prose(4_000).optional() }),
      kept: ['note'],
      permission: 'leads:work',
      stages: ['scored', 'assigned', 'touched'],
    }),
    merge: message({
      summary: 'Merges the lead into another open lead, which hears of it; closes the intake as merged.',
      payload: z.strictObject({ intoLeadId: recordId('Lead') }),
      alsoChanges: ['intoLeadId'],
      permission: 'leads:assign',
      stages: ['scored', 'assigned', 'touched'],
    }),
    unmerge: message({
      summary: 'Takes a merge back: the lead is open again and its intake goes on.',
      payload: z.strictObject({}),
      leaves: 'mergedIntoLeadId',
      permission: 'leads:assign',
      stages: ['merged'],
      reopens: true,
    }),
  },
  signals: {
    engaged: {
      summary: 'A lead was merged into this one or taken out again, or an activity was logged on it.',
      payload: z.strictObject({ leadId: z.uuid().optional() }),
    },
    changed: {
      summary: 'Somebody has changed what the lead is judged by: score again, and plan.',
      payload: z.strictObject({}),
    },
    configurationChanged: {
      summary: 'A calendar, an absence, a team or a rule that this lead depends on has changed: plan again.',
      payload: z.strictObject({}),
    },
    capacityFreed: {
      summary:
        'Somebody has room again: a lead without an owner is given away. If it does not take the place, the next one hears.',
      payload: z.strictObject({ userId: z.uuid() }),
    },
    deleted: {
      summary: 'The lead was deleted: the intake ends.',
      payload: z.strictObject({}),
    },
  },
});
