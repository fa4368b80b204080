import { describe, expect, it } from '@jest/globals';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { failureOf, withFailures } from '../../activities/failures.ts';
import { databaseProblem } from '../../db/database.ts';
import { Problem } from '../../db/model/problem.ts';

const fromDatabase = (code: string) =>
  databaseProblem(Object.assign(new Error('Key (email)=(ada@example.com) exists'), { code }));

describe('failureOf', () => {
  it.each(['invalid', 'illegal_stage', 'rule_violation', 'not_found', 'forbidden', 'conflict', 'duplicate'] as const)(
    'makes a refusal final: %s',
    (code) => {
      const entries = [{ path: 'userId', message: 'is not active' }];
      expect(failureOf(new Problem(code, 'Not so.', entries))).toMatchObject({
        type: code,
        message: 'Not so.',
        nonRetryable: true,
        details: [entries],
      });
    },
  );

  it.each(['unavailable', 'in_progress', 'internal'] as const)('lets %s be tried again', (code) => {
    expect(failureOf(new Problem(code, 'Away.'))).toMatchObject({ type: code, nonRetryable: false });
  });

  it.each([
    ['a deadlock', '40P01', 'conflict'],
    ['a lost serialisation', '40001', 'conflict'],
    ['a unique index that another writer filled first', '23505', 'duplicate'],
    ['a database that is away', '57P01', 'unavailable'],
  ])('lets %s be tried again, without row values', (_what, sqlState, type) => {
    const failure = failureOf(fromDatabase(sqlState));
    expect(failure).toMatchObject({ type, nonRetryable: false });
    expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain('ada@example.com');
  });

  it('keeps no more than the name of what nobody expected', () => {
    const failure = failureOf(new TypeError('Cannot read ada@example.com'));
    expect(failure).toMatchObject({ type: 'TypeError', nonRetryable: false });
    expect(failure.message).not.toContain('ada');
    expect(failureOf('ada@example.com').message).toBe(`Unexpected string; the worker's log has the cause.`);
  });

  it('passes on what is Temporal’s own', () => {
    const cancelled = new CancelledFailure('cancelled');
    expect(failureOf(cancelled)).toBe(cancelled);
  });
});

describe('withFailures', () => {
  const activities = withFailures({
    double: async (value: number) => value * 2,
    refuse: async () => {
      throw new Problem('forbidden', 'Not you.');
    },
    break: async () => {
      throw new RangeError('broken');
    },
  });

  it('passes arguments and results through', async () => {
    await expect(activities.double(21)).resolves.toBe(42);
  });

  it('maps what an activity throws, and logs what nobody expected', async () => {
    const logged: unknown[] = [];
    const environment = new MockActivityEnvironment(undefined, {
      logger: new DefaultLogger('ERROR', ({ meta }) => logged.push(meta?.['error'])),
    });
    await expect(environment.run(activities.refuse)).rejects.toThrow(ApplicationFailure);
    await expect(environment.run(activities.break)).rejects.toMatchObject({ type: 'RangeError' });
    expect(logged).toEqual([new RangeError('broken')]);
  });
});
