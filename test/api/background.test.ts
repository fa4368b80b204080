import { describe, expect, it } from '@jest/globals';
import { Background } from '../../api/background.ts';

/** Adds 40 pieces of work, which is more than run at once, and stops before any has ended. */
async function stopped(atStop: 'finished' | 'left'): Promise<{ begun: number; ended: number }> {
  const background = new Background({ atStop });
  const done = { begun: 0, ended: 0 };
  for (let index = 0; index < 40; index++) {
    background.add(async () => {
      done.begun++;
      await new Promise((resolve) => setImmediate(resolve));
      done.ended++;
    });
  }
  await background.drained();
  return done;
}

describe('work in the background', () => {
  it('that waits when the API stops is finished where nobody else does it', async () => {
    expect(await stopped('finished')).toEqual({ begun: 40, ended: 40 });
  });

  it('is left where somebody else does it, but for what has begun', async () => {
    expect(await stopped('left')).toEqual({ begun: 16, ended: 16 });
  });
});
