import { ApplicationFailure } from '@temporalio/common';
import type { LeadActivities, LeadRef, LeadState, StepDue } from '../../../activities/leads.types.ts';
import type { AppliedMessage } from '../../../workflows/processes/envelope.ts';
import { statusOf, type LeadStage, type LeadStep } from '../../../workflows/leads/policy.ts';

/** Minutes from one step of the ladder to the next, in this double's plain time. */
export const ladderMinutes: Readonly<Record<LeadStep, number>> = {
  find_owner: 60,
  remind_owner: 30,
  tell_manager: 60,
  reassign: 120,
  tell_manager_again: 60,
  remind_idle: 7 * 24 * 60,
  close_stale: 7 * 24 * 60,
};

/** The step after one that leaves the lead with its owner. */
const following: Partial<Readonly<Record<LeadStep, LeadStep>>> = {
  remind_owner: 'tell_manager',
  tell_manager: 'reassign',
  tell_manager_again: 'tell_manager_again',
  remind_idle: 'close_stale',
};

type Call = { activity: 'decideIntake' | 'replan' } | ({ activity: 'takeStep' } & StepDue) | MessageCall;
type MessageCall = { activity: 'applyMessage' } & AppliedMessage;

/** The intake's activities on a map in memory, with everything they were asked: what a workflow test looks at. */
export class RecordedLeads implements LeadActivities {
  readonly calls: Call[] = [];
  /** How long a minute of the ladder lasts; shorter where the server cannot skip time. */
  minuteMs = 60_000;
  /** Minutes by which a changed calendar moves the next step, at the next `replan`. */
  shiftMinutes = 0;
  /** Throws while the database is away. */
  interruption: () => Promise<void> = async () => undefined;
  private readonly applied = new Set<string>();
  private readonly states = new Map<string, LeadState>();
  private readonly startedAt: number;

  /** `startedAt` is the time of the server under test, milliseconds since 1970. */
  constructor(startedAt: number) {
    this.startedAt = startedAt;
  }

  get steps(): StepDue[] {
    return this.calls.filter((call) => call.activity === 'takeStep');
  }

  get messages(): MessageCall[] {
    return this.calls.filter((call) => call.activity === 'applyMessage');
  }

  stateOf(leadId: string): LeadState {
    const state = this.states.get(leadId);
    if (!state) throw new Error(`No lead ${leadId}`);
    return state;
  }

  /** Gives a lead the outcome that its decision is to have. */
  place(leadId: string, changes: Partial<LeadState>): void {
    const stage: LeadStage = changes.stage ?? 'assigned';
    this.states.set(leadId, {
      stage,
      status: statusOf(stage),
      score: 62,
      band: 'warm',
      priority: 'high',
      assignedUserId: 'user-1',
      round: 1,
      next: stage === 'assigned' ? this.plan('remind_owner', this.startedAt) : undefined,
      ...changes,
    });
  }

  async decideIntake({ leadId }: LeadRef): Promise<LeadState> {
    this.calls.push({ activity: 'decideIntake' });
    await this.interruption();
    if (!this.states.has(leadId)) this.place(leadId, {});
    return this.stateOf(leadId);
  }

  async applyMessage({ leadId, message }: LeadRef & { message: AppliedMessage }): Promise<LeadState> {
    await this.interruption();
    if (this.applied.has(message.key)) return this.stateOf(leadId);
    this.applied.add(message.key);
    this.calls.push({ activity: 'applyMessage', ...message });
    return this.change(leadId, this.outcome(message));
  }

  async takeStep({ leadId, round, step, dueAt, detectedAt }: LeadRef & StepDue): Promise<LeadState> {
    await this.interruption();
    this.calls.push({ activity: 'takeStep', round, step, dueAt, detectedAt });
    if (step === 'close_stale')
      return this.change(leadId, { stage: 'disqualified', status: 'disqualified', next: undefined });
    const then = following[step];
    if (then) return this.change(leadId, { next: this.plan(then, Date.parse(detectedAt)) });
    const next = this.plan('remind_owner', Date.parse(detectedAt));
    return this.change(leadId, { round: round + 1, assignedUserId: `user-${round + 1}`, next });
  }

  async replan({ leadId }: LeadRef): Promise<LeadState> {
    await this.interruption();
    this.calls.push({ activity: 'replan' });
    const { next } = this.stateOf(leadId);
    if (!next) return this.stateOf(leadId);
    const dueAt = new Date(Date.parse(next.dueAt) + this.shiftMinutes * this.minuteMs).toISOString();
    return this.change(leadId, { next: { ...next, dueAt } });
  }

  private outcome({ name, payload, receivedAt }: AppliedMessage): Partial<LeadState> {
    const receipt = Date.parse(receivedAt);
    switch (name) {
      case 'touch':
        return { stage: 'touched', next: this.plan('remind_idle', receipt) };
      case 'reassign':
        if (payload['userId'] === '00000000-0000-7000-8000-000000000000') {
          throw ApplicationFailure.nonRetryable('This user has left.', 'rule_violation', []);
        }
        return { assignedUserId: String(payload['userId']), next: this.plan('remind_owner', receipt) };
      case 'qualify':
        return { stage: 'qualified', status: 'qualified', next: undefined };
      case 'disqualify':
        return { stage: 'disqualified', status: 'disqualified', next: undefined };
      case 'merge':
        return { stage: 'merged', status: 'merged', next: undefined, mergedIntoLeadId: String(payload['intoLeadId']) };
      case 'unmerge':
        return {
          stage: 'assigned',
          status: 'open',
          mergedIntoLeadId: undefined,
          next: this.plan('remind_owner', receipt),
        };
      default:
        return { score: 70 };
    }
  }

  private change(leadId: string, changes: Partial<LeadState>): LeadState {
    const state = { ...this.stateOf(leadId), ...changes };
    this.states.set(leadId, state);
    return state;
  }

  private plan(step: LeadStep, from: number) {
    return { step, dueAt: new Date(from + ladderMinutes[step] * this.minuteMs).toISOString() };
  }
}
