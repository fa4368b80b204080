import { Temporal } from 'temporal-polyfill';

/** A stretch of time `[from, to)` (epoch milliseconds) during which a zone's clock keeps one offset from UTC. */
export interface OffsetPeriod {
  from: number;
  to: number;
  offset: number;
}

// Zone rules change only with the runtime's time-zone data, so what was found stays true for the whole process.
const knownPeriods = new Map<string, OffsetPeriod[]>();

function findPeriod(timeZone: string, at: number): OffsetPeriod {
  const moment = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone);
  // A search backwards excludes its own starting instant, and `at` may be the very first one of its period.
  const began = moment.add({ milliseconds: 1 }).getTimeZoneTransition('previous');
  const ends = moment.getTimeZoneTransition('next');
  return {
    from: began?.epochMilliseconds ?? -Infinity,
    to: ends?.epochMilliseconds ?? Infinity,
    offset: moment.offsetNanoseconds / 1e6,
  };
}

/**
 * The period around the instant `at` (epoch milliseconds); within it, local reading = instant + `offset`.
 * Throws RangeError for an unknown zone.
 */
export function offsetPeriodAt(timeZone: string, at: number): OffsetPeriod {
  const periods = knownPeriods.get(timeZone) ?? [];
  const known = periods.find((period) => period.from <= at && at < period.to);
  if (known !== undefined) return known;
  const found = findPeriod(timeZone, at);
  knownPeriods.set(timeZone, [...periods, found]);
  return found;
}
