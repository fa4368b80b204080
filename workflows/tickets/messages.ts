import { z } from 'zod';
import { defineProcess, message } from '../processes/messages.ts';
import { prose } from '../processes/text.ts';
import { recordId } from '../processes/record-id.ts';
import { messageIdText } from './mail/message-id.ts';
import { finalTicketStages, openTicketStages, ticketPriorities, ticketStages, workingStatuses } from './policy.ts';

/** What somebody writes to or about a ticket, plain text. */
const text = prose(20_000);

/** Messages that change a clock, or whether the ticket is worked on: received in time, they go before a step that falls due. */
export const forestalling = [
  'reply',
  'customerReply',
  'setPriority',
  'setStatus',
  'resolve',
  'reopen',
  'merge',
  'close',
] as const;

/** Everything that can be told to a ticket's process (DOMAIN, process 6). */
export const ticketProcess = defineProcess({
  name: 'ticket',
  workflowType: 'ticketSla',
  startUpdate: 'opened',
  path: 'tickets',
  workflowId: (ticketId) => `ticket:${ticketId}`,
  stages: ticketStages,
  finalStages: finalTicketStages,
  messages: {
    reply: message({
      summary: 'Answers the customer; ends the clocks of first and next response.',
      payload: z.strictObject({ text, html: z.string().min(1).max(100_000).optional() }),
      kept: ['text', 'html'],
      permission: 'tickets:work',
      stages: [...openTicketStages, 'resolved'],
    }),
    customerReply: message({
      summary:
        'The customer wrote: a clock of next response begins. Within the policy’s window it reopens the ticket, later it opens a follow-up ticket, or goes on to the one that was opened; of a merged one it goes on to where that went.',
      payload: z.strictObject({
        messageId: messageIdText().describe('The same mail counts once; angle brackets around it do not.').optional(),
        text: text.optional(),
      }),
      kept: ['text'],
      permission: 'tickets:work',
      stages: [...openTicketStages, 'resolved', 'closed', 'merged'],
      reopens: true,
    }),
    note: message({
      summary: 'Adds a note that stays in the house; no clock changes.',
      payload: z.strictObject({ text }),
      kept: ['text'],
      permission: 'tickets:work',
      stages: [...openTicketStages, 'resolved'],
    }),
    setPriority: message({
      summary: 'Changes the priority; every open clock is computed again from its start, pauses kept.',
      payload: z.strictObject({ priority: z.enum(ticketPriorities) }),
      permission: 'tickets:work',
      stages: openTicketStages,
    }),
    setStatus: message({
      summary:
        'Says whom the ticket waits for; in a pausing status the clocks stand still. It waits for its customer, or on hold, for as long as its policy lets it.',
      payload: z.strictObject({ status: z.enum(workingStatuses) }),
      permission: 'tickets:work',
      stages: openTicketStages,
    }),
    assign: message({
      summary:
        'Gives the ticket to an agent or a team, which then holds against the routing rules; without either, to whom these choose.',
      payload: z.strictObject({ userId: recordId('User').optional(), teamId: recordId('Team').optional() }),
      permission: 'tickets:work',
      stages: openTicketStages,
    }),
    resolve: message({
      summary:
        'Resolves the ticket; its clocks end, those of answers that nobody gave as cancelled, and it closes by itself after the policy’s time.',
      payload: z.strictObject({ note: text.optional() }),
      kept: ['note'],
      permission: 'tickets:work',
      stages: openTicketStages,
    }),
    reopen: message({
      summary: 'Opens a resolved or closed ticket again; a new clock of resolution begins.',
      payload: z.strictObject({ reason: text.optional() }),
      kept: ['reason'],
      permission: 'tickets:work',
      stages: ['resolved', 'closed'],
      reopens: true,
    }),
    merge: message({
      summary:
        'Merges the ticket into another one, which takes over its conversation and owes its customer the answer; this process ends. Refused into a closed or merged one, and into a resolved one while this one is not.',
      payload: z.strictObject({ intoTicketId: recordId('Ticket') }),
      alsoChanges: ['intoTicketId'],
      permission: 'tickets:work',
      stages: [...openTicketStages, 'resolved'],
    }),
    close: message({
      summary: 'Closes the ticket; clocks that still run are cancelled.',
      payload: z.strictObject({}),
      permission: 'tickets:work',
      stages: [...openTicketStages, 'resolved'],
    }),
  },
  signals: {
    configurationChanged: {
      summary: 'A policy, a calendar, a team or an absence that this ticket depends on has changed: plan again.',
      payload: z.strictObject({}),
    },
    factsChanged: {
      summary: 'What policies and routing rules ask of this ticket was changed: choose its policy and plan again.',
      payload: z.strictObject({}),
    },
    capacityFreed: {
      summary:
        'Somebody has room again: a queued ticket is routed again. If it does not take the place, the next one hears.',
      payload: z.strictObject({ userId: z.uuid().optional() }),
    },
    absorbed: {
      summary: 'Another ticket was merged into this one: its conversation and what it owes are here now.',
      payload: z.strictObject({ ticketId: z.uuid() }),
    },
    deleted: {
      summary: 'The ticket was deleted: its process ends.',
      payload: z.strictObject({}),
    },
  },
});
