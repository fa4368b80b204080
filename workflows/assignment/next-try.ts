import type { Team } from './team-choice.ts';

/** Longest wait before who gets something is decided again, in case that nothing told of free capacity. */
const longestWaitMs = 60 * 60_000;

/**
 * When to decide again on what nobody of these teams can be given at the instant `at`: the first return of somebody who
 * is away, at most an hour from then.
 */
export function nextTry(at: Date, teams: readonly Team[]): Date {
  const returns = teams
    .flatMap(({ members }) => members.flatMap(({ outOfOffice }) => outOfOffice?.until ?? []))
    .map((text) => Date.parse(text))
    .filter((back) => back > at.getTime());
  return new Date(Math.min(at.getTime() + longestWaitMs, ...returns));
}
