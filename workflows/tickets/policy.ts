/** How urgent a ticket is; P1 is the most urgent. */
export const ticketPriorities = ['P1', 'P2', 'P3', 'P4'] as const;
export type TicketPriority = (typeof ticketPriorities)[number];

/** How a ticket came in. */
export const ticketChannels = ['email', 'phone', 'chat', 'web', 'api'] as const;
export type TicketChannel = (typeof ticketChannels)[number];

/** Statuses between which people move a ticket at work (`setStatus`). */
export const workingStatuses = ['open', 'waiting_for_customer', 'on_hold'] as const;

/** Working statuses that may stop a policy's clocks. */
export const pausingStatuses = ['waiting_for_customer', 'on_hold'] as const;

/** How a ticket stands, for people: the working statuses, and how it ended. */
export const ticketStatuses = [...workingStatuses, 'resolved', 'closed', 'merged'] as const;
export type TicketStatus = (typeof ticketStatuses)[number];

/** Stages of the process (DOMAIN, process 6); a `queued` ticket waits for an agent with room. */
export const ticketStages = ['received', 'queued', 'assigned', 'resolved', 'closed', 'merged'] as const;
export type TicketStage = (typeof ticketStages)[number];

export const finalTicketStages = ['closed', 'merged'] as const;

/** Stages of a ticket that is worked on: its clocks run, and it counts against its agent's capacity. */
export const openTicketStages = ['queued', 'assigned'] as const;

/** From each stage to those it may change to; a closed ticket is reopened within its policy's window. */
export const ticketTransitions: Readonly<Record<TicketStage, readonly TicketStage[]>> = {
  received: ['queued', 'assigned'],
  queued: ['assigned', 'resolved', 'closed', 'merged'],
  assigned: ['assigned', 'queued', 'resolved', 'closed', 'merged'],
  resolved: ['queued', 'assigned', 'closed', 'merged'],
  closed: ['queued', 'assigned'],
  merged: [],
};

/** Whether a ticket may change from one stage to another. */
export function mayChangeStage(from: TicketStage, to: TicketStage): boolean {
  return ticketTransitions[from].includes(to);
}

/** Whether a ticket in this stage is worked on. */
export function isOpenStage(stage: TicketStage): stage is (typeof openTicketStages)[number] {
  return stage === 'queued' || stage === 'assigned';
}

/** What a policy promises: an answer to the opening, an answer to each later message of the customer, the end of it. */
export const slaTargets = ['first_response', 'next_response', 'resolution'] as const;
export type SlaTarget = (typeof slaTargets)[number];

/**
 * States of a clock. `running` and `paused` while it is neither done nor late; `met` when it was done in time;
 * `breached` from the due instant on, also when it was done later; `cancelled` when nobody waits for it any more: closed, or
 * resolved without an answer.
 */
export const clockStates = ['running', 'paused', 'met', 'breached', 'cancelled'] as const;
export type ClockState = (typeof clockStates)[number];

/** What a rung of the escalation ladder does; the manager is the ticket's team's, which is its lead as well. */
export const escalationActions = [
  'notify_assignee',
  'notify_manager',
  'notify_administrators',
  'reassign',
  'raise_priority',
] as const;
export type EscalationAction = (typeof escalationActions)[number];

/** A target and an action in words, for summaries and notifications. */
export const targetNames: Readonly<Record<SlaTarget, string>> = {
  first_response: 'first response',
  next_response: 'next response',
  resolution: 'resolution',
};

export const actionNames: Readonly<Record<EscalationAction, string>> = {
  notify_assignee: 'notify assignee',
  notify_manager: 'notify manager',
  notify_administrators: 'notify administrators',
  reassign: 'reassign',
  raise_priority: 'raise priority',
};

/** The next more urgent priority; P1 stays. */
export function raised(priority: TicketPriority): TicketPriority {
  return ticketPriorities[Math.max(0, ticketPriorities.indexOf(priority) - 1)] ?? priority;
}
