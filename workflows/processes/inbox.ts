import { ActivityFailure, ApplicationFailure, Trigger } from '@temporalio/workflow';
import type { AppliedMessage } from './envelope.ts';
import type { Refusal } from './messages.ts';

/** A message that waits for the main function; `answer` belongs to the Update that awaits it. */
interface Waiting {
  readonly message: AppliedMessage;
  readonly answer?: Trigger<string>;
}

/** A message that changed nothing, kept for people to see. */
export interface RefusedMessage {
  readonly name: string;
  readonly at: string;
  readonly why: string;
}

const rememberedRefusals = 10;

/**
 * What was sent to a process and waits for its main function, in the order of arrival. Handlers only put in;
 * activities run from the main function alone, so that an Update whose caller has gone is carried out all the same.
 */
export class Inbox {
  readonly refused: RefusedMessage[] = [];
  private readonly waiting: Waiting[] = [];
  private readonly refuses: (name: string) => Refusal | null;
  private readonly onRefusal: () => void;

  /** `refuses` says whether the process, as it stands now, refuses a message of that name. */
  constructor(refuses: (name: string) => Refusal | null, onRefusal: () => void) {
    this.refuses = refuses;
    this.onRefusal = onRefusal;
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  /** Takes a Signal in. */
  put(message: AppliedMessage): void {
    this.waiting.push({ message });
  }

  /** Takes an internal signal in, unless the same one waits already. */
  putOnce(message: AppliedMessage): void {
    const same = ({ message: { name, payload } }: Waiting) =>
      name === message.name && JSON.stringify(payload) === JSON.stringify(message.payload);
    if (!this.waiting.some(same)) this.put(message);
  }

  /** Takes an Update in and resolves with the stage after its message, once the main function has dealt with it. */
  async putAndAwait(message: AppliedMessage): Promise<string> {
    const answer = new Trigger<string>();
    this.waiting.push({ message, answer });
    return await answer;
  }

  /** Notes a message that is not dealt with: unknown, undecodable, or refused. The latest ten are kept. */
  refuse(name: string, why: string): void {
    this.refused.push({ name: name.slice(0, 60), at: new Date().toISOString(), why: why.slice(0, 200) });
    this.refused.splice(0, this.refused.length - rememberedRefusals);
    this.onRefusal();
  }

  /**
   * Takes out the next message. With a step that has fallen due at `dueAt`, only one that was received in time: it goes
   * first although the timer ran. What came without a receipt (a Signal, the CLI) has the benefit of the doubt.
   */
  take(dueAt: string | null): Waiting | undefined {
    const inTime = ({ message: { commandId, receivedAt } }: Waiting) =>
      dueAt === null || commandId === null || Date.parse(receivedAt) <= Date.parse(dueAt);
    const index = this.waiting.findIndex(inTime);
    return index === -1 ? undefined : this.waiting.splice(index, 1)[0];
  }

  /**
   * Has one message applied and answers its sender. A refusal by a rule (a non-retryable failure of the activity) is
   * passed to the sender, noted, and leaves the process as it was: the result is null then.
   *
   * The sender hears the stage alone: the history has the whole state already, as the outcome of the activity.
   */
  async settle<State extends { readonly stage: string }>(
    { message, answer }: Waiting,
    apply: (message: AppliedMessage) => Promise<State>,
  ): Promise<State | null> {
    try {
      const refusal = this.refuses(message.name);
      if (refusal) throw refusalFailure(refusal);
      const state = await apply(message);
      answer?.resolve(state.stage);
      return state;
    } catch (error) {
      const refusal = ruleRefusal(error);
      if (!refusal) throw error;
      this.refuse(message.name, refusal.message);
      answer?.reject(refusal);
      return null;
    }
  }
}

/** A refusal as callers of an Update receive it: type = problem code, first detail = the wrong places. */
export function refusalFailure({ code, message, errors }: Refusal): ApplicationFailure {
  return ApplicationFailure.create({ type: code, message, nonRetryable: true, details: [errors] });
}

function ruleRefusal(error: unknown): ApplicationFailure | null {
  const failure = error instanceof ActivityFailure ? error.cause : error;
  return failure instanceof ApplicationFailure && failure.nonRetryable ? failure : null;
}
