import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '@temporalio/client';

/** Temporal did not answer within the time; whether the call had an effect is not known. */
export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed';
}

// Beyond the call's own deadline, so that the server's answer to it wins.
const graceMilliseconds = 100;

/** A call to Temporal that ends within so many milliseconds: rejects with `DeadlinePassed`, or as the call itself does. */
export async function withinDeadline<T>(client: Client, milliseconds: number, call: () => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const { signal } = stop;
  // A deadline does not end a call while the connection itself is down, hence the race of our own.
  const late = pause(milliseconds + graceMilliseconds, undefined, { signal, ref: false }).then(() => {
    throw new DeadlinePassed(`Temporal did not answer within ${milliseconds} ms`);
  });
  try {
    return await Promise.race([client.withDeadline(Date.now() + milliseconds, call), late]);
  } finally {
    stop.abort();
  }
}
