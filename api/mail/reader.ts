import { Worker } from 'node:worker_threads';
import { Problem, type ProblemCode, type ProblemEntry } from '../../db/model/problem.ts';
import type { ReadMail } from './message.ts';

/** Reads mails beside the event loop, so that nothing a mail holds keeps other requests waiting. */
export interface MailReader {
  /**
   * As `readMail` does. Problems besides: `rule_violation` for a mail that takes longer or more memory than any honest
   * one, `unavailable` when too many wait to be read.
   */
  read(source: Uint8Array): Promise<ReadMail>;
  /** Ends the threads; another mail would start one again. */
  close(): Promise<void>;
}

/** What a thread says of a mail: that it begins with it, having used so many milliseconds of a processor, then how that ended: read, refused, or failed as nobody thought of. */
export type ThreadAnswer =
  | { begun: number }
  | { read: ReadMail }
  | { problem: { code: ProblemCode; detail: string; errors: readonly ProblemEntry[] } }
  | { failure: unknown };

interface Reading {
  source: Uint8Array<ArrayBuffer>;
  settle: (mail: ReadMail) => void;
  refuse: (error: unknown) => void;
  /** Ends the wait for a thread. */
  patience: NodeJS.Timeout;
}

const mostThreads = 2;
const mostWaitingBytes = 64 * 1024 * 1024;
// Together within the patience of the support mailbox.
const longestWaitMilliseconds = 8_000;
const longestReadMilliseconds = 20_000;
/** Of a processor. The largest honest mail takes less than four seconds. */
const honestMilliseconds = 10_000;
const resourceLimits = { maxOldGenerationSizeMb: 256 };

/**
 * Makes a reader with threads of its own, started as they are needed. Each mail has `patienceMilliseconds` of a processor;
 * one that does not get them in time, since the machine is busy, is put off instead of refused.
 */
export function createMailReader(patienceMilliseconds = honestMilliseconds): MailReader {
  const waiting: Reading[] = [];
  const idle: Worker[] = [];
  const ends = new Map<Worker, Promise<unknown>>();

  function start(): Worker {
    const thread = new Worker(new URL('reading-thread.ts', import.meta.url), { resourceLimits });
    // What a thread says after its mail was given up is heard by nobody else.
    thread.on('error', () => undefined);
    const forget = () => {
      ends.delete(thread);
      if (idle.includes(thread)) idle.splice(idle.indexOf(thread), 1);
    };
    ends.set(thread, new Promise((ended) => thread.once('exit', ended)).then(forget));
    return thread;
  }

  function beginNext(): void {
    const thread = waiting.length === 0 ? undefined : (idle.pop() ?? (ends.size < mostThreads ? start() : undefined));
    const reading = thread && waiting.shift();
    if (reading) begin(thread, reading);
  }

  function begin(thread: Worker, { source, settle, refuse, patience }: Reading): void {
    clearTimeout(patience);
    let deadline: NodeJS.Timeout | undefined;
    const finish = (isFit: boolean) => {
      clearTimeout(deadline);
      thread.off('message', hear).off('error', fail).off('exit', fail);
      if (isFit) idle.push(thread);
      else void thread.terminate().then(beginNext);
      // Only a mail that is being read keeps the process alive.
      thread.unref();
      beginNext();
    };
    const watch = (before: number, begunAt: number, left: number) => {
      deadline = setTimeout(() => void judge(before, begunAt), left);
    };
    const judge = async (before: number, begunAt: number) => {
      const used = (await processorMilliseconds(thread)) - before;
      // It may have answered meanwhile.
      if (!thread.listeners('message').includes(hear)) return;
      const isTooMuch = used >= patienceMilliseconds;
      const isLate = performance.now() - begunAt >= longestReadMilliseconds;
      if (!isTooMuch && !isLate) return watch(before, begunAt, Math.max(patienceMilliseconds - used, 100));
      finish(false);
      refuse(isTooMuch ? tooMuch(`more than ${patienceMilliseconds / 1_000} seconds`) : busy());
    };
    const hear = (answer: ThreadAnswer) => {
      if ('begun' in answer) return watch(answer.begun, performance.now(), patienceMilliseconds);
      finish(true);
      if ('read' in answer) settle(answer.read);
      else if ('problem' in answer)
        refuse(new Problem(answer.problem.code, answer.problem.detail, answer.problem.errors));
      else refuse(answer.failure);
    };
    const fail = (error: NodeJS.ErrnoException | number) => {
      finish(false);
      const isOutOfMemory = typeof error === 'object' && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      refuse(
        isOutOfMemory
          ? tooMuch('too much memory')
          : new Error('The thread that reads mail has ended', { cause: error }),
      );
    };
    thread.on('message', hear).on('error', fail).on('exit', fail);
    thread.ref();
    thread.postMessage(source, [source.buffer]);
  }

  function waitFor(source: Uint8Array, settle: Reading['settle'], refuse: Reading['refuse']): void {
    const bytes = waiting.reduce((sum, each) => sum + each.source.length, source.length);
    if (bytes > mostWaitingBytes) throw busy();
    // A copy can go over to the thread, where the bytes of a request may share their memory with others.
    const reading: Reading = {
      source: new Uint8Array(source),
      settle,
      refuse,
      patience: setTimeout(giveUp, longestWaitMilliseconds),
    };
    waiting.push(reading);
    beginNext();

    function giveUp(): void {
      waiting.splice(waiting.indexOf(reading), 1);
      refuse(busy());
    }
  }

  return {
    read: (source) => new Promise((settle, refuse) => waitFor(source, settle, refuse)),
    async close() {
      idle.length = 0;
      await Promise.all([...ends].map(async ([thread, ended]) => (await thread.terminate(), ended)));
    },
  };
}

const tooMuch = (what: string) => new Problem('rule_violation', `The mail takes ${what} to be read.`);
const busy = () => new Problem('unavailable', 'Too many mails wait to be read. Try again shortly.');

/** What a thread has used of a processor; without end when it does not even stop to tell. */
async function processorMilliseconds(thread: Worker): Promise<number> {
  const used = thread.cpuUsage().then(({ user, system }) => (user + system) / 1_000);
  const silence = new Promise<number>((settle) => setTimeout(settle, longestReadMilliseconds, Infinity).unref());
  return Promise.race([used, silence]).catch(() => Infinity);
}
