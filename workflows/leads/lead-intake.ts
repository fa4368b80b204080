import { continueAsNew, getExternalWorkflowHandle, log, proxyLocalActivities } from '@temporalio/workflow';
import type { LeadActivities, LeadRef, LeadState, PlannedStep } from '../../activities/leads.types.ts';
import type { AppliedMessage } from '../processes/envelope.ts';
import type { RefusedMessage } from '../processes/inbox.ts';
import { publishProgress } from '../processes/progress.ts';
import { rowActivities } from '../processes/row-activities.ts';
import { runProcess } from '../processes/run-process.ts';
import { utcMinute } from '../text/utc-minute.ts';
import { leadProcess } from './messages.ts';
import { firstTouchSla, stepClauses } from './policy.ts';

const leads = proxyLocalActivities<LeadActivities>(rowActivities);

/**
 * The life of a lead from its capture until it is qualified, disqualified or merged (DOMAIN, process 1).
 * Every run begins with the rows: a new lead is decided on, one that has been is taken up where it stands.
 */
export function leadIntake(lead: LeadRef): Promise<LeadState> {
  return runProcess<LeadState, PlannedStep>({
    process: leadProcess,
    record: { organizationId: lead.organizationId, recordId: lead.leadId },
    decision: decide(lead),
    apply: (message) => apply(lead, message),
    next: ({ next }) => next,
    take: (step, { round }) => take(lead, round, step),
    clause: ({ step }) => stepClauses[step],
    lookAgain: () => replan(lead, 'no step planned'),
    onEnd: (state) => tellSurvivor(lead, state),
    publish,
    rollOver: () => continueAsNew<typeof leadIntake>(lead),
  });
}

function decide(lead: LeadRef): Promise<LeadState> {
  return leads.decideIntake.executeWithOptions({ summary: 'find duplicates, score, assign' }, [
    { ...lead, at: new Date().toISOString() },
  ]);
}

const plansAgain: ReadonlySet<string> = new Set(['configurationChanged', 'capacityFreed', 'deleted']);

async function apply(lead: LeadRef, message: AppliedMessage): Promise<LeadState> {
  // Of these, capacityFreed alone names a user.
  if (plansAgain.has(message.name))
    return await replan(lead, message.name, message.payload['userId'] as string | undefined);
  return await leads.applyMessage.executeWithOptions({ summary: message.name }, [{ ...lead, message }]);
}

async function take(lead: LeadRef, round: number, { step, dueAt }: PlannedStep): Promise<LeadState> {
  const detectedAt = new Date().toISOString();
  const summary = `${stepClauses[step]} · due ${utcMinute(dueAt)}`;
  return await leads.takeStep.executeWithOptions({ summary }, [{ ...lead, round, step, dueAt, detectedAt }]);
}

async function replan(lead: LeadRef, why: string, freedUserId?: string): Promise<LeadState> {
  return await leads.replan.executeWithOptions({ summary: `plan again · ${why}` }, [
    { ...lead, at: new Date().toISOString(), freedUserId },
  ]);
}

/** The lead that a merged one went into hears of it; one that has ended in the meantime need not. */
async function tellSurvivor({ leadId }: LeadRef, { stage, mergedIntoLeadId }: LeadState): Promise<void> {
  if (stage !== 'merged' || !mergedIntoLeadId) return;
  try {
    await getExternalWorkflowHandle(leadProcess.workflowId(mergedIntoLeadId)).signal('engaged', { leadId });
  } catch (error) {
    log.info('The surviving lead is not in intake any more', { mergedIntoLeadId, error });
  }
}

function publish(state: LeadState, refused: readonly RefusedMessage[]): void {
  const { stage, status, round, assignedUserId, priority, next, score, band, mergedIntoLeadId } = state;
  publishProgress({
    stage,
    assignee: assignedUserId ?? null,
    priority: priority ?? null,
    sla: firstTouchSla(stage, next?.step ?? null),
    dueAt: next?.dueAt ?? null,
    details: [
      ['state', `${stage} (${status}), assignment ${round}${state.isDeleted ? ', deleted' : ''}`],
      ['score', score === undefined ? 'none' : `${score}${band ? ` (${band})` : ''}`],
      ['next action', next ? stepClauses[next.step] : 'none'],
      ['due', next ? utcMinute(next.dueAt) : 'never'],
      ['waits for', next ? (assignedUserId ? `user ${assignedUserId}` : 'somebody who can take it') : 'nobody'],
      ...(mergedIntoLeadId ? [['merged into', `lead ${mergedIntoLeadId}`] as const] : []),
    ],
    refused,
  });
}
