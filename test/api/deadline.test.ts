import { afterAll, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { DeadlinePassed, withinDeadline } from '../../api/processes/deadline.ts';

// Without its retries, a connection to nowhere can be closed at once.
const connection = Connection.lazy({ address: '127.0.0.1:1', interceptors: [] });
const client = new Client({ connection });

afterAll(() => connection.close());

describe('a call to Temporal with a deadline', () => {
  it('ends when the server never answers', async () => {
    await expect(withinDeadline(client, 100, () => new Promise(() => undefined))).rejects.toThrow(DeadlinePassed);
  });

  it('answers and fails as the call does', async () => {
    expect(await withinDeadline(client, 5_000, () => Promise.resolve('done'))).toBe('done');
    await expect(withinDeadline(client, 5_000, () => Promise.reject(new TypeError('no')))).rejects.toThrow(TypeError);
  });
});
