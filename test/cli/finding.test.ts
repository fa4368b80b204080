import { describe, expect, it } from '@jest/globals';
import { reasonOf } from '../../cli/checks/finding.ts';

describe('the reason of a failure', () => {
  it('is that of each address when a host has several', () => {
    const refused = ['::1', '127.0.0.1'].map((address) => new Error(`connect ECONNREFUSED ${address}:5432`));
    expect(reasonOf(new AggregateError(refused))).toBe(
      'connect ECONNREFUSED ::1:5432, connect ECONNREFUSED 127.0.0.1:5432',
    );
  });

  it('names its cause, and is never empty', () => {
    expect(reasonOf(new Error('fetch failed', { cause: new Error('no route') }))).toBe('fetch failed (no route)');
    expect(reasonOf(Object.assign(new Error(''), { code: 'ECONNREFUSED' }))).toBe('ECONNREFUSED');
  });
});
