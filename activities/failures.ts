import { log } from '@temporalio/activity';
import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import { Problem, type ProblemCode } from '../db/model/problem.ts';

/** A later attempt may succeed without anybody doing anything. */
const passing: ReadonlySet<ProblemCode> = new Set(['unavailable', 'in_progress', 'internal']);
/** Final as the product's own refusal; from PostgreSQL (with a cause) it is a lost race, which the next attempt settles. */
const racing: ReadonlySet<ProblemCode> = new Set(['conflict', 'duplicate']);

/**
 * Wraps every activity so that its errors leave it mapped once, by `failureOf`. What was not expected goes to the
 * worker's log in full, where personal data is masked; histories keep no more than its name.
 */
export function withFailures<A extends object>(activities: A): A {
  const wrapped = Object.entries(activities).map(([name, run]: [string, (...input: unknown[]) => Promise<unknown>]) => [
    name,
    async (...input: unknown[]) => {
      try {
        return await run(...input);
      } catch (error) {
        if (!(error instanceof Problem || error instanceof TemporalFailure)) log.error('activity failed', { error });
        throw failureOf(error);
      }
    },
  ]);
  return Object.fromEntries(wrapped) as A;
}

/**
 * An error as Temporal keeps it: a Problem becomes an ApplicationFailure whose type is its code and whose first detail
 * lists the wrong places, non-retryable when it is a refusal. Messages never carry row values.
 */
export function failureOf(error: unknown): TemporalFailure {
  if (error instanceof TemporalFailure) return error;
  if (error instanceof Problem) {
    const { code, message, errors, cause } = error;
    const nonRetryable = !passing.has(code) && !(racing.has(code) && cause !== undefined);
    return ApplicationFailure.create({ type: code, message, nonRetryable, details: [errors] });
  }
  const type = error instanceof Error ? error.name : typeof error;
  return ApplicationFailure.retryable(`Unexpected ${type}; the worker's log has the cause.`, type);
}
