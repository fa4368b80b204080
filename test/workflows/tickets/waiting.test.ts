import { describe, expect, it } from '@jest/globals';
import { inStatus, remindedAt, type Waiting } from '../../../workflows/tickets/waiting.ts';

const at = (minute: number) => new Date(Date.UTC(2026, 10, 23, 9, minute));
const open: Waiting = { status: 'open', waitingSince: null, waitCount: 0 };
const waiting = inStatus(open, 'waiting_for_customer', at(1));

describe('a wait', () => {
  it('begins with the status, ends with it, and is another one for another reason', () => {
    expect(waiting).toEqual({ status: 'waiting_for_customer', waitingSince: at(1), waitCount: 1 });
    expect(inStatus(waiting, 'waiting_for_customer', at(2))).toEqual(waiting);
    expect(inStatus(waiting, 'on_hold', at(3))).toEqual({ status: 'on_hold', waitingSince: at(3), waitCount: 2 });
    for (const status of ['open', 'resolved', 'closed', 'merged'] as const)
      expect(inStatus(waiting, status, at(4))).toEqual({ status, waitingSince: null, waitCount: 1 });
  });

  it('begins anew for the customer with each reply, never earlier than it did', () => {
    expect(remindedAt(waiting, at(9))).toEqual({ waitingSince: at(9) });
    expect(remindedAt(waiting, at(0))).toEqual({ waitingSince: at(1) });
    expect(remindedAt(inStatus(open, 'on_hold', at(1)), at(9))).toEqual({ waitingSince: at(1) });
    expect(remindedAt(open, at(9))).toEqual({ waitingSince: null });
  });
});
