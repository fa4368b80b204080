import type { AppliedMessage } from '../workflows/processes/envelope.ts';
import type { LeadStage, LeadStatus, LeadStep } from '../workflows/leads/policy.ts';

/** Which lead: identifiers only. */
export interface LeadRef {
  readonly organizationId: string;
  readonly leadId: string;
}

/** A step that falls due unless something happens before. */
export interface PlannedStep {
  readonly step: LeadStep;
  /** UTC instant, ISO 8601, computed in the business time of the assignee's calendar. */
  readonly dueAt: string;
}

/**
 * A lead as its process knows it after a transaction: no personal data. Every change writes it into the history, so what
 * there is none of is left out.
 */
export interface LeadState {
  readonly stage: LeadStage;
  readonly status: LeadStatus;
  readonly score?: number;
  readonly band?: string;
  readonly priority?: string;
  readonly assignedUserId?: string;
  /** Counts assignments from 1; 0 before the first. */
  readonly round: number;
  readonly next?: PlannedStep;
  readonly mergedIntoLeadId?: string;
  /** A deleted lead's process ends, whatever the stage. */
  readonly isDeleted?: true;
}

/**
 * What the intake does to rows, each in one transaction and keyed, so that a repetition changes nothing. A refusal by a
 * rule is a non-retryable ApplicationFailure with the problem code as type; every other failure is tried again for ever.
 */
export interface LeadActivities {
  /** The whole decision (duplicates, score, assignment), keyed on the lead; called again: the present state. */
  decideIntake(lead: LeadRef & DecidedAt): Promise<LeadState>;
  /** Applies a message: stage checked again under a row lock; keyed on `message.key`. */
  applyMessage(input: LeadRef & { message: AppliedMessage }): Promise<LeadState>;
  /** A step has fallen due: checks again, then takes it, or plans it for later. Keyed on round and step. */
  takeStep(input: LeadRef & StepDue): Promise<LeadState>;
  /**
   * Plans the next step again, with the configuration in force. Of a place that the user `freedUserId` has free the next
   * lead hears, unless this one took it or still waits for one.
   */
  replan(lead: LeadRef & DecidedAt & { freedUserId?: string | undefined }): Promise<LeadState>;
}

/** The workflow's time at which a decision is made: UTC, ISO 8601. */
interface DecidedAt {
  readonly at: string;
}

/** A step whose due time has come; `detectedAt` is later than `dueAt` by as long as nobody was there to see it. */
export interface StepDue {
  readonly round: number;
  readonly step: LeadStep;
  readonly dueAt: string;
  readonly detectedAt: string;
}
