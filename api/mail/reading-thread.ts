import { parentPort } from 'node:worker_threads';
import { Problem } from '../../db/model/problem.ts';
import { readMail } from './message.ts';
import type { ThreadAnswer } from './reader.ts';

/** What `reader.ts` starts: reads each mail that it is sent, one after the other, and answers what became of it. */
parentPort?.on('message', (source: Uint8Array) => {
  const { user, system } = process.threadCpuUsage();
  say({ begun: (user + system) / 1_000 });
  void answerTo(source).then(say);
});

function say(answer: ThreadAnswer): void {
  parentPort?.postMessage(answer);
}

async function answerTo(source: Uint8Array): Promise<ThreadAnswer> {
  try {
    return { read: await readMail(Buffer.from(source.buffer)) };
  } catch (error) {
    // Errors lose their class on the way.
    if (error instanceof Problem) return { problem: { code: error.code, detail: error.message, errors: error.errors } };
    return { failure: error };
  }
}
