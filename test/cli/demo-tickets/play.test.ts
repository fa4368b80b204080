import { expect, it } from '@jest/globals';
import type { ApiClient, Reply } from '../../../cli/capture/client.ts';
import type { Life } from '../../../cli/demo-tickets/lives.ts';
import { playGroup } from '../../../cli/demo-tickets/play.ts';

/** An API that accepts a merge at once, and whose worker is away while the merged ticket is looked at `looks` times. */
function apiWithoutWorker(looks: number) {
  const asked: string[] = [];
  let opened = 0;
  let isAccepted = false;
  let seen = 0;
  const answer = (status: number, body: Record<string, unknown> = {}): Promise<Reply> =>
    Promise.resolve({ kind: 'answered', status, body, replayed: false, milliseconds: 1 });
  const none = () => Promise.reject(new Error('not asked for here'));
  const api: ApiClient = {
    capture: none,
    patch: none,
    get: () => answer(200, { stage: isAccepted && (seen += 1) > looks ? 'merged' : 'assigned' }),
    post: (path) => {
      if (path === '/crm/v1/tickets') return answer(201, { id: `ticket-${(opened += 1)}` });
      if (path.endsWith('/merge')) isAccepted = true;
      asked.push(`${path.replace('/crm/v1/tickets/', '')} after ${seen} looks`);
      return answer(202);
    },
  };
  return { api, asked };
}

it('a reply that is to answer both customers of a merge waits until it is done; what came before does not', async () => {
  const life = (steps: Life['steps']): Life => ({ name: 'merged', priority: 'P3', steps, clocks: {} });
  const group = [
    life([
      { atSeconds: 0, does: 'resolve' },
      { atSeconds: 0.2, does: 'reply' },
    ]),
    life([{ atSeconds: 0.1, does: 'merge' }]),
  ];
  const { api, asked } = apiWithoutWorker(3);
  const desk = { ticketOf: () => ({}), close: () => Promise.resolve() };
  const played = await playGroup(group, 1, { desk, support: api, onStep: () => undefined });
  expect(played.map(({ id }) => id)).toEqual(['ticket-1', 'ticket-2']);
  expect(asked).toEqual([
    'ticket-1/resolve after 0 looks',
    'ticket-2/merge after 0 looks',
    'ticket-1/reply after 4 looks',
  ]);
});
