import type { AppliedMessage } from '../workflows/processes/envelope.ts';
import type { SlaState } from '../workflows/processes/search-attributes.ts';
import type { ClockState, SlaTarget, TicketPriority, TicketStage, TicketStatus } from '../workflows/tickets/policy.ts';

/** Which ticket: identifiers only. */
export interface TicketRef {
  readonly organizationId: string;
  readonly ticketId: string;
}

/** Something that the ticket does by itself at an instant, unless something happens before. */
export interface PlannedTicketStep {
  /** `first_response.warning_50`, `resolution.breach` or `resolution.rung_reassign_10`; `route`, `resolve`, `resume` or `close` of the ticket itself. */
  readonly step: string;
  /** UTC instant, ISO 8601, computed in the business time of the policy's calendar. */
  readonly dueAt: string;
  /** In words: `first response · P1`. */
  readonly clause: string;
}

/** A clock as people see it in the Temporal UI. */
export interface ClockView {
  readonly target: SlaTarget;
  /** Left out for the first clock of its target. */
  readonly ordinal?: number;
  readonly state: ClockState;
  /** Left out while it stands still. */
  readonly dueAt?: string;
  /** Since when it stands still; left out while it runs, and at its end. */
  readonly pausedSince?: string;
  /** How often it stood still; left out when it never did. */
  readonly pauses?: number;
  /** When what was promised was done. */
  readonly metAt?: string;
}

/**
 * A ticket as its process knows it after a transaction: no personal data. Every change writes it into the history, so
 * what there is none of is left out.
 */
export interface TicketState {
  readonly number: number;
  readonly stage: TicketStage;
  readonly status: TicketStatus;
  readonly priority: TicketPriority;
  readonly sla?: SlaState;
  readonly teamId?: string;
  readonly assignedUserId?: string;
  /** Counts routing decisions from 1; 0 before the first. */
  readonly round: number;
  /** The open clocks and the last few that ended, eight in all; each target's open clock that began first is among them. */
  readonly clocks: readonly ClockView[];
  readonly next?: PlannedTicketStep;
  readonly mergedIntoTicketId?: string;
  /** A deleted ticket's process ends, whatever the stage. */
  readonly isDeleted?: true;
}

/**
 * What the ticket process does to rows, each in one transaction and keyed, so that a repetition changes nothing. A
 * refusal by a rule is a non-retryable ApplicationFailure with the problem code as type; every other failure is tried
 * again for ever.
 */
export interface TicketActivities {
  /** The whole decision on an opening (requester, policy, routing, clocks), keyed on the ticket. */
  decideTicket(input: TicketRef & { at: string }): Promise<TicketState>;
  /** Applies a message: stage checked again under a row lock; keyed on `message.key`. */
  applyTicketMessage(input: TicketRef & { message: AppliedMessage }): Promise<TicketState>;
  /** A step has fallen due: checks again, then takes it, or plans it for later. Once for each clock, step and life. */
  takeTicketStep(input: TicketRef & TicketStepDue): Promise<TicketState>;
  /**
   * Computes its clocks, routes and plans anew, with the configuration in force; its policy is chosen anew when its facts have
   * changed. `at`: the workflow's time, UTC. Of a place that the user `freedUserId` has free the next ticket hears, unless
   * this one took it or still waits for one.
   */
  replanTicket(
    input: TicketRef & { at: string; isFactChange: boolean; freedUserId?: string | undefined },
  ): Promise<TicketState>;
}

/** A step whose due time has come; `detectedAt` is later than `dueAt` by as long as nobody was there to see it. */
export interface TicketStepDue extends Omit<PlannedTicketStep, 'clause'> {
  readonly detectedAt: string;
}
