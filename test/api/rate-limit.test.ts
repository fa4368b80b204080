import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RateLimit } from '../../api/rate-limit.ts';

function clocked(perSecond: number, burst: number) {
  const clock = { now: 0 };
  return { clock, limit: new RateLimit({ perSecond, burst }, () => clock.now) };
}

describe('the rate limit', () => {
  it('admits the whole burst at once, then one request for each token that grows', () => {
    const { clock, limit } = clocked(50, 1_000);
    const admitted = Array.from({ length: 1_001 }, () => limit.admit('a').admitted);
    expect(admitted.filter(Boolean)).toHaveLength(1_000);
    expect(limit.admit('a')).toEqual({ admitted: false, remaining: 0, resetSeconds: 20, retryAfterSeconds: 1 });
    clock.now += 20;
    expect(limit.admit('a').admitted).toBe(true);
    expect(limit.admit('a').admitted).toBe(false);
  });

  it('never refuses a steady stream at the limit, however it jitters', () => {
    const { clock, limit } = clocked(50, 1_000);
    for (let index = 0; index < 20_000; index++) {
      clock.now = index * 20 + (index % 7) * 2;
      expect(limit.admit('a').admitted).toBe(true);
    }
  });

  it('keeps callers apart', () => {
    const { limit } = clocked(1, 1);
    expect(limit.admit('a').admitted).toBe(true);
    expect(limit.admit('a').admitted).toBe(false);
    expect(limit.admit('b').admitted).toBe(true);
  });

  it('forgets callers whose bucket is full again', () => {
    const { clock, limit } = clocked(50, 10);
    for (let index = 0; index < 25_000; index++) {
      clock.now += 1_000;
      expect(limit.admit(`caller ${index}`).remaining).toBe(9);
    }
  });

  it('admits at most burst + rate × time in any stretch', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 300 }),
        (perSecond, burst, gaps) => {
          const { clock, limit } = clocked(perSecond, burst);
          let admitted = 0;
          for (const gap of gaps) {
            clock.now += gap;
            if (limit.admit('a').admitted) admitted++;
            expect(admitted).toBeLessThanOrEqual(burst + (perSecond * clock.now) / 1_000 + 1e-6);
          }
        },
      ),
    );
  });
});
