import type { Counter, Histogram, Meter } from '@opentelemetry/api';

export interface ApiMetrics {
  /** Seconds, by `method`, `route` (the pattern) and `status`. */
  httpDuration: Histogram;
  /** Commands for processes, by `process`, `message` and `outcome` (answered, refused, pending, replayed). */
  commands: Counter;
}

/** Makes the API's instruments. */
export function createMetrics(meter: Meter): ApiMetrics {
  return {
    httpDuration: meter.createHistogram('crm.http.duration', {
      unit: 's',
      description: 'Time from the receipt of a request to its answer',
      advice: { explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.6, 1, 2.5, 5, 10] },
    }),
    commands: meter.createCounter('crm.commands', { description: 'Commands sent to processes' }),
  };
}
