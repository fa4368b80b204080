import { describe, expect, it } from '@jest/globals';
import pino from 'pino';
import { type Found, poll } from '../../workers/poll.ts';
import { eventually } from '../support/temporal.ts';

/** Does each of these in turn, then nothing; answers when each round began, in milliseconds from the start. */
function script(rounds: (Found | Error)[], pauseMilliseconds = 40) {
  const lines: { level: number; msg: string }[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const begun = performance.now();
  const times: number[] = [];
  const loop = poll(
    async () => {
      times.push(performance.now() - begun);
      const found = rounds[times.length - 1] ?? 'none';
      if (found instanceof Error) throw found;
      return found;
    },
    { name: 'work', log, pauseMilliseconds },
  );
  return { loop, lines, times };
}

describe('poll', () => {
  it('goes on at once while there is more, and rests after anything else', async () => {
    const { loop, times } = script(['more', 'more', 'some', 'none']);
    await eventually('five rounds', () => times.length === 5);
    await loop.stop();
    const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    for (const [index, least] of [0, 0, 40, 40].entries()) expect(pauses[index]).toBeGreaterThanOrEqual(least - 2);
    expect(pauses[1]).toBeLessThan(40);
  });

  it('logs a failure once, tries until it works, and says that it does', async () => {
    const { loop, lines, times } = script([new Error('away'), new Error('away'), 'none']);
    await eventually('it works again', () => times.length >= 3);
    await loop.stop();
    expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
      [40, 'work: failed, tried again until it works'],
      [30, 'work: works again'],
    ]);
  });

  it('ends its pause when it is stopped', async () => {
    const { loop, times } = script(['more', 'none'], 3_600_000);
    await eventually('it pauses for an hour', () => times.length === 2);
    await loop.stop();
  });
});
