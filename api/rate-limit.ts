export interface RateLimitOptions {
  /** Requests a second that a caller may send for ever. */
  perSecond: number;
  /** Requests that a caller may send at once after a pause. */
  burst: number;
}

/** What the bucket of one caller says about the present request. */
export interface Admission {
  admitted: boolean;
  /** Requests that would be admitted now. */
  remaining: number;
  /** Seconds until the whole burst is there again. */
  resetSeconds: number;
  /** Seconds until one request is admitted; 0 when this one was. */
  retryAfterSeconds: number;
}

const sweepEvery = 10_000;

/**
 * A token bucket for each caller, in memory. Windows of fixed length would either refuse a steady stream at the limit
 * for its jitter or admit twice the rate; a bucket gives exactly `perSecond` in the long run and `burst` at once.
 */
export class RateLimit {
  private readonly perSecond: number;
  private readonly burst: number;
  private readonly now: () => number;
  /** Caller -> the instant (ms) at which its bucket is full again. */
  private readonly fullAt = new Map<string, number>();
  private sinceSweep = 0;

  /** `now` answers milliseconds of a clock that never goes back. */
  constructor({ perSecond, burst }: RateLimitOptions, now: () => number = () => performance.now()) {
    this.perSecond = perSecond;
    this.burst = burst;
    this.now = now;
  }

  /** Takes one token out of the caller's bucket, if there is one. */
  admit(caller: string): Admission {
    const now = this.now();
    this.sweep(now);
    const perToken = 1_000 / this.perSecond;
    const missing = (full: number) => (full - now) / perToken;
    const full = Math.max(this.fullAt.get(caller) ?? 0, now);
    const after = full + perToken;
    const admitted = missing(after) <= this.burst;
    if (admitted) this.fullAt.set(caller, after);
    const used = missing(admitted ? after : full);
    return {
      admitted,
      remaining: Math.max(0, Math.floor(this.burst - used)),
      resetSeconds: Math.ceil(used / this.perSecond),
      retryAfterSeconds: admitted ? 0 : Math.max(1, Math.ceil((missing(after) - this.burst) / this.perSecond)),
    };
  }

  /** Forgets full buckets now and then, so that callers who come once cost no memory. */
  private sweep(now: number): void {
    if (++this.sinceSweep < sweepEvery) return;
    this.sinceSweep = 0;
    for (const [caller, full] of this.fullAt) if (full <= now) this.fullAt.delete(caller);
  }
}
