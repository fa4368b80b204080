import { describe, expect, it } from '@jest/globals';
import pino from 'pino';
import { untilItWorks } from '../../workers/patience.ts';

describe('waiting for a server that is not there yet', () => {
  it('says so once, and when it is there', async () => {
    const lines: string[] = [];
    const log = pino({}, { write: (line: string) => void lines.push((JSON.parse(line) as { msg: string }).msg) });
    let attempts = 0;
    const attempt = () => (++attempts < 3 ? Promise.reject(new Error('refused')) : Promise.resolve('connected'));
    const { signal } = new AbortController();
    expect(await untilItWorks('PostgreSQL', attempt, { log, signal })).toBe('connected');
    expect(lines).toEqual(['PostgreSQL is not there yet: tried again until it is', 'PostgreSQL is there']);
  });

  it('ends when it is stopped meanwhile', async () => {
    const stopping = new AbortController();
    const attempt = () => {
      stopping.abort(new Error('stopped'));
      return Promise.reject(new Error('refused'));
    };
    const log = pino({ level: 'silent' });
    await expect(untilItWorks('Temporal', attempt, { log, signal: stopping.signal })).rejects.toThrow();
  });
});
