import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineUpdate,
  getExternalWorkflowHandle,
  log,
  proxyLocalActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { LeadActivities, LeadRef, LeadState, PlannedStep } from '../../activities/leads.types.ts';
import { receiveMessages } from '../processes/handlers.ts';
import type { AppliedMessage } from '../processes/envelope.ts';
import type { Inbox } from '../processes/inbox.ts';
import { publishProgress, utcMinute } from '../processes/progress.ts';
import { leadProcess } from './messages.ts';
import { firstTouchSla, stepClauses } from './policy.ts';

const capturedUpdate = defineUpdate<LeadState>(leadProcess.startUpdate);

/** A lead without a planned step is looked at again after this time: every wait has an end. */
const longestWait = '7 days';

// A database that is away is waited for, however long: short pauses in the worker, longer ones as timers on the server.
const leads = proxyLocalActivities<LeadActivities>({
  startToCloseTimeout: '10 seconds',
  localRetryThreshold: '5 seconds',
  retry: { initialInterval: '200 milliseconds', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

/**
 * The life of a lead from its capture until it is qualified, disqualified or merged (DOMAIN, process 1).
 * Every run begins with the rows: a new lead is decided on, one that has been is taken up where it stands.
 */
export async function leadIntake(lead: LeadRef): Promise<LeadState> {
  let state: LeadState | undefined;
  const record = { organizationId: lead.organizationId, recordId: lead.leadId };
  const inbox: Inbox<LeadState> = receiveMessages(leadProcess, record, {
    stage: () => state?.stage,
    onRefusal: () => state && publish(state, inbox),
  });
  const decision = decide(lead);
  setHandler(capturedUpdate, () => decision, { description: 'Answers with the decision on this lead.' });

  state = await decision;
  for (;;) {
    publish(state, inbox);
    const due = dueStep(state);
    const message = inbox.take(due?.dueAt ?? null);
    if (message) {
      state = (await inbox.settle(message, (received) => apply(lead, received))) ?? state;
    } else if (hasEnded(state)) {
      await tellSurvivor(lead, state);
      await condition(allHandlersFinished);
      if (inbox.isEmpty) return state;
    } else if (due) {
      state = await take(lead, state.round, due);
    } else if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      if (inbox.isEmpty) await continueAsNew<typeof leadIntake>(lead);
    } else if (!(await somethingArrives(inbox, state.next)) && !state.next) {
      state = await replan(lead, 'no step planned');
    }
  }
}

function decide(lead: LeadRef): Promise<LeadState> {
  return leads.decideIntake.executeWithOptions({ summary: 'find duplicates, score, assign' }, [
    { ...lead, at: new Date().toISOString() },
  ]);
}

async function apply(lead: LeadRef, message: AppliedMessage): Promise<LeadState> {
  if (message.name === 'configurationChanged' || message.name === 'deleted') return await replan(lead, message.name);
  return await leads.applyMessage.executeWithOptions({ summary: message.name }, [{ ...lead, message }]);
}

async function take(lead: LeadRef, round: number, { step, dueAt }: PlannedStep): Promise<LeadState> {
  const detectedAt = new Date().toISOString();
  const summary = `${stepClauses[step]} · due ${utcMinute(dueAt)}`;
  return await leads.takeStep.executeWithOptions({ summary }, [{ ...lead, round, step, dueAt, detectedAt }]);
}

async function replan(lead: LeadRef, why: string): Promise<LeadState> {
  return await leads.replan.executeWithOptions({ summary: `plan again · ${why}` }, [
    { ...lead, at: new Date().toISOString() },
  ]);
}

/** Waits for a message until the next step falls due; false when the time came first. */
async function somethingArrives(inbox: Inbox<LeadState>, next: PlannedStep | null): Promise<boolean> {
  const arrived = () => !inbox.isEmpty;
  if (!next) return await condition(arrived, longestWait, { summary: 'look again · no step planned' });
  const summary = `${stepClauses[next.step]} · due ${utcMinute(next.dueAt)}`;
  return await condition(arrived, Date.parse(next.dueAt) - Date.now(), { summary });
}

/** The lead that a merged one went into hears of it; one that has ended in the meantime need not. */
async function tellSurvivor({ leadId }: LeadRef, { stage, mergedIntoLeadId }: LeadState): Promise<void> {
  if (stage !== 'merged' || mergedIntoLeadId === null) return;
  try {
    await getExternalWorkflowHandle(leadProcess.workflowId(mergedIntoLeadId)).signal('engaged', { leadId });
  } catch (error) {
    log.info('The surviving lead is not in intake any more', { mergedIntoLeadId, error });
  }
}

function hasEnded({ stage, isDeleted }: LeadState): boolean {
  return isDeleted || leadProcess.finalStages.some((final) => final === stage);
}

function dueStep({ next }: LeadState): PlannedStep | null {
  return next && Date.parse(next.dueAt) <= Date.now() ? next : null;
}

function publish(state: LeadState, { refused }: Inbox<LeadState>): void {
  const { stage, status, round, assignedUserId, priority, next, score, band, mergedIntoLeadId } = state;
  publishProgress({
    stage,
    assignee: assignedUserId,
    priority,
    sla: firstTouchSla(stage, next?.step ?? null),
    dueAt: next?.dueAt ?? null,
    details: [
      ['state', `${stage} (${status}), assignment ${round}${state.isDeleted ? ', deleted' : ''}`],
      ['score', score === null ? 'none' : `${score}${band ? ` (${band})` : ''}`],
      ['next action', next ? stepClauses[next.step] : 'none'],
      ['due', next ? utcMinute(next.dueAt) : 'never'],
      ['waits for', next?.waitsFor ? `user ${next.waitsFor}` : 'nobody'],
      ...(mergedIntoLeadId ? [['merged into', `lead ${mergedIntoLeadId}`] as const] : []),
    ],
    refused,
  });
}
