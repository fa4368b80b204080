import { describe, expect, it } from '@jest/globals';
import { offsetPeriodAt } from '../../../workflows/calendars/local-clock.ts';

const hour = 3_600_000;
const [autumn, spring, nextAutumn] = ['2026-04-04T16:00Z', '2026-10-03T16:00Z', '2027-04-03T16:00Z'].map(Date.parse);

describe('the offset of a zone', () => {
  it('holds from one jump up to the next, whichever instant of it is asked for first', () => {
    // Nobody else asks for Hobart, so that the jump itself is the first that is looked up.
    expect(offsetPeriodAt('Australia/Hobart', Number(spring))).toEqual({
      from: spring,
      to: nextAutumn,
      offset: 11 * hour,
    });
    const before = { from: autumn, to: spring, offset: 10 * hour };
    expect(offsetPeriodAt('Australia/Hobart', Number(spring) - 1)).toEqual(before);
    expect(offsetPeriodAt('Australia/Hobart', Number(autumn))).toEqual(before);
    expect(offsetPeriodAt('Australia/Hobart', Number(spring) + 1).offset).toBe(11 * hour);
  });

  it('holds for ever where clocks never jump', () => {
    expect(offsetPeriodAt('UTC', Number(spring))).toEqual({ from: -Infinity, to: Infinity, offset: 0 });
  });

  it('is refused of a zone that does not exist', () => {
    expect(() => offsetPeriodAt('Europe/Atlantis', 0)).toThrow(RangeError);
  });
});
