import { continueAsNew, getExternalWorkflowHandle, log, proxyLocalActivities } from '@temporalio/workflow';
import type {
  ClockView,
  PlannedTicketStep,
  TicketActivities,
  TicketRef,
  TicketState,
} from '../../activities/tickets.types.ts';
import type { AppliedMessage } from '../processes/envelope.ts';
import type { RefusedMessage } from '../processes/inbox.ts';
import { publishProgress } from '../processes/progress.ts';
import { rowActivities } from '../processes/row-activities.ts';
import { runProcess } from '../processes/run-process.ts';
import { utcMinute } from '../text/utc-minute.ts';
import { ticketProcess } from './messages.ts';
import { targetNames } from './policy.ts';

const tickets = proxyLocalActivities<TicketActivities>(rowActivities);

/**
 * The life of a ticket from its opening until it is closed or merged (DOMAIN, process 6): routed, answered within its
 * promises or escalated, resolved, closed after a while. Its clocks are rows; this waits for the next thing they do.
 */
export function ticketSla(ticket: TicketRef): Promise<TicketState> {
  return runProcess<TicketState, PlannedTicketStep>({
    process: ticketProcess,
    record: { organizationId: ticket.organizationId, recordId: ticket.ticketId },
    decision: decide(ticket),
    apply: (message) => apply(ticket, message),
    next: ({ next }) => next,
    take: (step) => take(ticket, step),
    clause: ({ clause }) => clause,
    lookAgain: () => replan(ticket, 'no step planned'),
    onEnd: (state) => tellSurvivor(ticket, state),
    publish,
    rollOver: () => continueAsNew<typeof ticketSla>(ticket),
  });
}

function decide(ticket: TicketRef): Promise<TicketState> {
  return tickets.decideTicket.executeWithOptions({ summary: 'choose policy, route, start clocks' }, [
    { ...ticket, at: new Date().toISOString() },
  ]);
}

async function apply(ticket: TicketRef, message: AppliedMessage): Promise<TicketState> {
  if (message.name in ticketProcess.signals) {
    // Of the signals, capacityFreed alone names a user.
    return await replan(ticket, message.name, message.payload['userId'] as string | undefined);
  }
  return await tickets.applyTicketMessage.executeWithOptions({ summary: message.name }, [{ ...ticket, message }]);
}

async function take(ticket: TicketRef, { clause, ...step }: PlannedTicketStep): Promise<TicketState> {
  const summary = `${clause} · due ${utcMinute(step.dueAt)}`;
  const detectedAt = new Date().toISOString();
  return await tickets.takeTicketStep.executeWithOptions({ summary }, [{ ...ticket, ...step, detectedAt }]);
}

async function replan(ticket: TicketRef, cause: string, freedUserId?: string): Promise<TicketState> {
  return await tickets.replanTicket.executeWithOptions({ summary: `plan again · ${cause}` }, [
    { ...ticket, at: new Date().toISOString(), isFactChange: cause === 'factsChanged', freedUserId },
  ]);
}

/** The ticket that a merged one went into hears of it; one that has ended in the meantime need not. */
async function tellSurvivor({ ticketId }: TicketRef, { stage, mergedIntoTicketId }: TicketState): Promise<void> {
  if (stage !== 'merged' || !mergedIntoTicketId) return;
  try {
    await getExternalWorkflowHandle(ticketProcess.workflowId(mergedIntoTicketId)).signal('absorbed', { ticketId });
  } catch (error) {
    log.info('The surviving ticket has ended', { mergedIntoTicketId, error });
  }
}

function publish(state: TicketState, refused: readonly RefusedMessage[]): void {
  const { number, stage, status, priority, sla, teamId, assignedUserId, round, clocks, next, mergedIntoTicketId } =
    state;
  publishProgress({
    stage,
    assignee: assignedUserId ?? null,
    team: teamId ?? null,
    priority,
    sla: sla ?? null,
    dueAt: next?.dueAt ?? null,
    details: [
      ['ticket', `#${number}, ${priority}, ${stage} (${status})${state.isDeleted ? ', deleted' : ''}`],
      ['assignee', assignedUserId ? `user ${assignedUserId}, routing ${round}` : `nobody, routing ${round}`],
      ...clocks.map((clock) => [clockName(clock), clockInWords(clock)] as const),
      ['next step', next ? next.clause : 'none'],
      ['due', next ? utcMinute(next.dueAt) : 'never'],
      ...(mergedIntoTicketId ? [['merged into', `ticket ${mergedIntoTicketId}`] as const] : []),
    ],
    refused,
  });
}

function clockName({ target, ordinal = 1 }: ClockView): string {
  return ordinal === 1 ? targetNames[target] : `${targetNames[target]} ${ordinal}`;
}

function clockInWords(clock: ClockView): string {
  const { state, dueAt, metAt } = clock;
  const parts = [
    state,
    ...(dueAt ? [`due ${utcMinute(dueAt)}`] : []),
    ...pausesInWords(clock),
    ...(metAt ? [`done ${utcMinute(metAt)}`] : []),
  ];
  return parts.join(', ');
}

function pausesInWords({ pausedSince, pauses = 0 }: ClockView): string[] {
  if (pausedSince) return [`paused since ${utcMinute(pausedSince)}`];
  if (pauses === 0) return [];
  return [`paused ${pauses === 1 ? 'once' : `${pauses} times`} before`];
}
