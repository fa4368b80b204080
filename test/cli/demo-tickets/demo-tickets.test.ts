import { describe, expect, it } from '@jest/globals';
import type { ApiClient, Reply } from '../../../cli/capture/client.ts';
import { castOf, demonstrationTargets, type Life } from '../../../cli/demo-tickets/lives.ts';
import { describeOutcome, readOutcome } from '../../../cli/demo-tickets/outcome.ts';
import { targetsSchema } from '../../../workflows/tickets/terms.ts';
import { ticketProcess } from '../../../workflows/tickets/messages.ts';

const kebab = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

describe('the lives of the demonstration', () => {
  const lives = castOf({ each: 1, fast: false }).flat();

  it('are a few dozen tickets, of every life as many as asked for, and few when it has to be fast', () => {
    expect(castOf({ each: 3, fast: false }).flat().length).toBeGreaterThan(30);
    const fast = castOf({ each: 1, fast: true }).flat();
    expect(fast.length).toBeLessThan(lives.length);
    for (const { steps } of fast) expect(steps.at(-1)?.atSeconds).toBeLessThanOrEqual(110);
    const outcomes = new Set(fast.flatMap(({ clocks }) => Object.values(clocks).flat()));
    expect(outcomes).toEqual(new Set(['met', 'breached', 'cancelled']));
  });

  it('have targets of one to three minutes, and commands that the process knows, in order', () => {
    expect(targetsSchema.parse(demonstrationTargets)).toEqual(demonstrationTargets);
    const minutes = Object.values(demonstrationTargets).flatMap((targets) => Object.values(targets ?? {}));
    expect(minutes.every((target) => Number(target) >= 1 && Number(target) <= 3)).toBe(true);
    const messages = new Map(Object.entries(ticketProcess.messages).map(([name, message]) => [kebab(name), message]));
    for (const { steps } of lives) {
      expect(steps.map(({ atSeconds }) => atSeconds)).toEqual(
        steps.map(({ atSeconds }) => atSeconds).toSorted((one, other) => one - other),
      );
      for (const step of steps) {
        const payload = step.does === 'merge' ? { intoTicketId: '019aa000-0000-7000-8000-000000000001' } : step.with;
        expect([step.does, messages.get(step.does)?.payload.safeParse(payload).success]).toEqual([step.does, true]);
      }
    }
  });

  it('keep away from the instants that decide the first response', () => {
    for (const { name, priority, steps, clocks, pausesResolutionOnly } of lives) {
      const first = steps.find(({ does }) => does === 'reply');
      const outcome = clocks.first_response?.[0];
      if (!first || outcome === undefined) continue;
      const raised = steps.find(({ does, atSeconds }) => does === 'set-priority' && atSeconds < first.atSeconds);
      const promised = (raised?.with?.['priority'] ?? priority) as keyof typeof demonstrationTargets;
      const due = (demonstrationTargets[promised]?.first_response ?? 0) * 60;
      const margin = outcome === 'met' ? due - first.atSeconds : first.atSeconds - due;
      expect([name, pausesResolutionOnly ?? false, margin >= 15]).toEqual([name, pausesResolutionOnly ?? false, true]);
    }
  });
});

describe('the table at the end', () => {
  const life: Life = {
    name: 'answered in time',
    priority: 'P1',
    steps: [],
    clocks: { first_response: ['met'], resolution: ['met'] },
  };
  const clock = {
    ticketId: 'a',
    target: 'first_response',
    ordinal: 1,
    state: 'met',
    breached: false,
    startedAt: '2026-11-21T10:00:00.000Z',
    dueAt: '2026-11-21T10:02:10.000Z',
    breachedAt: null,
    metAt: '2026-11-21T10:00:20.000Z',
    endedAt: '2026-11-21T10:00:20.000Z',
    intervals: [
      { from: '2026-11-21T10:00:00.000Z', to: '2026-11-21T10:00:05.000Z', kind: 'running' },
      { from: '2026-11-21T10:00:05.000Z', to: '2026-11-21T10:01:15.000Z', kind: 'paused' },
    ],
  };

  /** An API that has one ticket, and one more clock of it each time that it is asked. */
  function apiWith(...clocks: object[]): ApiClient {
    let asked = 0;
    const answer = (body: Record<string, unknown>): Promise<Reply> =>
      Promise.resolve({ kind: 'answered', status: 200, body, replayed: false, milliseconds: 1 });
    const none = () => Promise.reject(new Error('nothing is written'));
    return {
      capture: none,
      post: none,
      patch: none,
      get: (path) =>
        path.startsWith('/crm/v1/sla-clocks')
          ? answer({ data: clocks.slice(0, (asked += 1)), hasMore: false, nextCursor: null })
          : answer({ id: 'a', number: 7 }),
    };
  }

  it('waits until every clock has ended, and tells due, outcome and pauses', async () => {
    const resolution = { ...clock, target: 'resolution', state: 'breached', breached: true, dueAt: null };
    const outcome = await readOutcome(apiWith(clock, resolution), [{ id: 'a', life }], 5_000);
    expect(outcome.missing).toEqual([]);
    expect(outcome.clocks.map(({ outcome: was, asPlanned, pausedMinutes }) => [was, asPlanned, pausedMinutes])).toEqual(
      [
        ['met', true, 1.17],
        ['breached', false, 1.17],
      ],
    );
    const [head, first, second] = describeOutcome(outcome).split('\n');
    expect(head).toMatch(/^Ticket +Life +Clock +Started +Due +Done +Outcome +Paused min$/);
    expect(first).toMatch(/^#7 +answered in time +first response +10:00:00 +10:02:10 +10:00:20 +met +1\.17$/);
    expect(second).toMatch(/resolution +10:00:00 +– +10:00:20 +breached +1\.17 +NOT AS PLANNED$/);
  });

  it('names a clock that should have been there', async () => {
    const outcome = await readOutcome(apiWith(clock), [{ id: 'a', life }], 0);
    expect(outcome.missing).toEqual(['#7 answered in time: resolution 1']);
    expect(describeOutcome(outcome)).toContain('Missing: #7 answered in time: resolution 1');
  });
});
