import { describe, expect, it } from '@jest/globals';
import type { AppliedMessage } from '../../../workflows/processes/envelope.ts';
import { Inbox } from '../../../workflows/processes/inbox.ts';

const dueAt = '2026-03-02T09:00:00.000Z';
const organizationId = '01990000-0000-7000-8000-000000000001';

const received = (name: string, receivedAt: string, commandId: string | null = name): AppliedMessage => ({
  name,
  key: name,
  payload: {},
  commandId,
  actor: { kind: 'temporal', organizationId },
  receivedAt,
});

const open = () => {
  let refusals = 0;
  const inbox = new Inbox(
    () => null,
    () => (refusals += 1),
  );
  return { inbox, refusals: () => refusals };
};

describe('an inbox', () => {
  it('gives messages back in the order of arrival', () => {
    const { inbox } = open();
    inbox.put(received('first', '2026-03-02T09:00:00.001Z'));
    inbox.put(received('second', '2026-03-02T08:00:00.000Z'));
    expect(inbox.take(null)?.message.name).toBe('first');
    expect(inbox.take(null)?.message.name).toBe('second');
    expect(inbox.take(null)).toBeUndefined();
    expect(inbox.isEmpty).toBe(true);
  });

  it('gives back only what was received in time when a step is due, and Signals', () => {
    const { inbox } = open();
    inbox.put(received('late', '2026-03-02T09:00:00.001Z'));
    inbox.put(received('in time', dueAt));
    inbox.put(received('signal', '2026-03-02T09:30:00.000Z', null));
    expect(inbox.take(dueAt)?.message.name).toBe('in time');
    expect(inbox.take(dueAt)?.message.name).toBe('signal');
    expect(inbox.take(dueAt)).toBeUndefined();
    expect(inbox.isEmpty).toBe(false);
  });

  it('takes an internal signal once while it waits', () => {
    const { inbox } = open();
    inbox.putOnce(received('configurationChanged', dueAt, null));
    inbox.putOnce({ ...received('configurationChanged', dueAt, null), key: 'another' });
    inbox.putOnce({ ...received('engaged', dueAt, null), payload: { leadId: organizationId } });
    inbox.putOnce({ ...received('engaged', dueAt, null), payload: {} });
    expect([inbox.take(null), inbox.take(null), inbox.take(null)].map((taken) => taken?.message.name)).toEqual([
      'configurationChanged',
      'engaged',
      'engaged',
    ]);
    expect(inbox.isEmpty).toBe(true);
  });

  it('remembers the latest ten refusals, shortened', () => {
    const { inbox, refusals } = open();
    for (let count = 1; count <= 12; count += 1) inbox.refuse(`message ${count}`, 'x'.repeat(1_000));
    expect(refusals()).toBe(12);
    expect(inbox.refused.map(({ name }) => name)).toEqual(
      Array.from({ length: 10 }, (_, index) => `message ${index + 3}`),
    );
    expect(inbox.refused[0]?.why).toHaveLength(200);
  });
});
