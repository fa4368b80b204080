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

/** What a thread says of a mail: that it begins with it, then how that ended: read, refused, or failed as nobody thought of. */
export type ThreadAnswer =
  | 'begun'
  | { read: ReadMail }
  | { problem: { code: ProblemCode; detail: string; errors: readonly ProblemEntry[] } }
  | { failure: unknown };

interface Reading {
  source: Uint8Array<ArrayBuffer>;
  settle: (mail: ReadMail) => void;
  refuse: (error: unknown) => void;
}

const mostThreads = 2;
/** Two threads read so many within the patience of a mail server, even if each takes all the time that it may. */
const mostWaiting = 4;
/** The largest honest mail takes less than two seconds on a slow machine. */
const honestMilliseconds = 10_000;
const resourceLimits = { maxOldGenerationSizeMb: 256 };

/** Makes a reader with threads of its own, started as they are needed; each mail has `patienceMilliseconds`. */
export function createMailReader(patienceMilliseconds = honestMilliseconds): MailReader {
  const waiting: Reading[] = [];
  const idle: Worker[] = [];
  const ends = new Map<Worker, Promise<unknown>>();

  function start(): Worker {
    const thread = new Worker(new URL('reading-thread.ts', import.meta.url), { resourceLimits });
    ends.set(
      thread,
      new Promise((ended) => thread.once('exit', ended)).then(() => ends.delete(thread)),
    );
    return thread;
  }

  function beginNext(): void {
    const thread = waiting.length === 0 ? undefined : (idle.pop() ?? (ends.size < mostThreads ? start() : undefined));
    const reading = thread && waiting.shift();
    if (reading) begin(thread, reading);
  }

  function begin(thread: Worker, { source, settle, refuse }: Reading): void {
    let deadline: NodeJS.Timeout | undefined;
    const finish = (isFit: boolean) => {
      clearTimeout(deadline);
      thread.removeAllListeners('message').removeAllListeners('error');
      // A thread that is of no use any more says nothing that anybody hears.
      thread.on('error', () => undefined);
      if (isFit) idle.push(thread);
      else void thread.terminate().then(beginNext);
      // Only a mail that is being read keeps the process alive.
      thread.unref();
      beginNext();
    };
    const giveUp = () => {
      finish(false);
      refuse(new Problem('rule_violation', `The mail cannot be read within ${patienceMilliseconds / 1_000} seconds.`));
    };
    thread.on('message', (answer: ThreadAnswer) => {
      if (answer === 'begun') {
        deadline = setTimeout(giveUp, patienceMilliseconds);
        return;
      }
      finish(true);
      if ('read' in answer) settle(answer.read);
      else if ('problem' in answer)
        refuse(new Problem(answer.problem.code, answer.problem.detail, answer.problem.errors));
      else refuse(answer.failure);
    });
    thread.once('error', (error: NodeJS.ErrnoException) => {
      finish(false);
      const isTooMuch = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      refuse(isTooMuch ? new Problem('rule_violation', 'The mail takes too much memory to be read.') : error);
    });
    thread.ref();
    thread.postMessage(source, [source.buffer]);
  }

  return {
    read: (source) =>
      new Promise((settle, refuse) => {
        if (waiting.length >= mostWaiting)
          throw new Problem('unavailable', 'Too many mails wait to be read. Try again shortly.');
        // A copy can go over to the thread, where the bytes of a request may share their memory with others.
        waiting.push({ source: new Uint8Array(source), settle, refuse });
        beginNext();
      }),
    async close() {
      idle.length = 0;
      await Promise.all([...ends].map(async ([thread, ended]) => (await thread.terminate(), ended)));
    },
  };
}
