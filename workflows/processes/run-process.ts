import { allHandlersFinished, condition, workflowInfo } from '@temporalio/workflow';
import { becomesTrue } from './becomes-true.ts';
import { utcMinute } from '../text/utc-minute.ts';
import type { AppliedMessage } from './envelope.ts';
import { receiveMessages, receiveStart, type ProcessRecord } from './handlers.ts';
import type { Inbox, RefusedMessage } from './inbox.ts';
import type { Process } from './messages.ts';

/** What a process says of its record, whatever else it says. */
interface ProcessState {
  readonly stage: string;
  readonly isDeleted?: true;
}

/** Something that a process does by itself when its time has come. */
export interface DueStep {
  /** UTC instant, ISO 8601. */
  readonly dueAt: string;
}

/** What one process brings to the loop that all share: how it decides, acts, ends, and what it shows of itself. */
export interface Life<State extends ProcessState, Step extends DueStep> {
  readonly process: Process;
  readonly record: ProcessRecord;
  /** Reads the rows: a new record is decided on, one that has been is taken up where it stands. */
  readonly decision: Promise<State>;
  readonly apply: (message: AppliedMessage) => Promise<State>;
  readonly next: (state: State) => Step | undefined;
  readonly take: (step: Step, state: State) => Promise<State>;
  /** The clause of a step, for the timer that waits for it. */
  readonly clause: (step: Step) => string;
  /** Looks at everything again, since nothing was planned for a long time. */
  readonly lookAgain: () => Promise<State>;
  /** Called when it has ended, before the run closes; called again should a message have reopened it. */
  readonly onEnd: (state: State) => Promise<void>;
  readonly publish: (state: State, refused: readonly RefusedMessage[]) => void;
  /** Continues as new with the same arguments. */
  readonly rollOver: () => Promise<never>;
}

/** A process without a planned step is looked at again after this time: every wait has an end. */
const longestWait = '7 days';

/**
 * The life of a process: messages in the order of their coming, steps when they fall due (what was received in time goes
 * first), until it has ended. Each run begins with the rows, so that a roll-over or a reopening loses nothing.
 */
export async function runProcess<State extends ProcessState, Step extends DueStep>(
  life: Life<State, Step>,
): Promise<State> {
  let known: State | undefined;
  receiveStart(life.process, life.decision);
  const inbox: Inbox = receiveMessages(life.process, life.record, {
    stage: () => known?.stage,
    onRefusal: () => known && life.publish(known, inbox.refused),
  });
  // A handler waits until its message was dealt with, so what arrives meanwhile goes first, or both would wait for ever.
  const handlersFinished = () => condition(() => allHandlersFinished() || !inbox.isEmpty);
  let state = await life.decision;
  let endTold: State | undefined;
  for (;;) {
    known = state;
    life.publish(state, inbox.refused);
    const next = life.next(state);
    const ended = hasEnded(life.process, state);
    // What has ended has no deadline that a message could have missed: each is taken, and its sender answered.
    const due = !ended && next && Date.parse(next.dueAt) <= Date.now() ? next : null;
    const message = inbox.take(due?.dueAt ?? null);
    if (message) {
      state = (await inbox.settle(message, life.apply)) ?? state;
    } else if (ended) {
      if (endTold !== state) await life.onEnd(state);
      endTold = state;
      await handlersFinished();
      if (inbox.isEmpty) return state;
    } else if (due) {
      state = await life.take(due, state);
    } else if (workflowInfo().continueAsNewSuggested) {
      await handlersFinished();
      if (inbox.isEmpty) await life.rollOver();
    } else if (!(await somethingArrives(inbox, life, next)) && !next) {
      state = await life.lookAgain();
    }
  }
}

function hasEnded({ finalStages }: Process, { stage, isDeleted }: ProcessState): boolean {
  return isDeleted === true || finalStages.includes(stage);
}

/** Waits for a message until the next step falls due; false when the time came first. */
function somethingArrives<State extends ProcessState, Step extends DueStep>(
  inbox: Inbox,
  { clause }: Life<State, Step>,
  next: Step | undefined,
): Promise<boolean> {
  const arrived = () => !inbox.isEmpty;
  if (!next) return becomesTrue(arrived, longestWait, 'look again · no step planned');
  const summary = `${clause(next)} · due ${utcMinute(next.dueAt)}`;
  return becomesTrue(arrived, Date.parse(next.dueAt) - Date.now(), summary);
}
