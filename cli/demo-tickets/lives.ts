import type { SlaTarget, TicketPriority } from '../../workflows/tickets/policy.ts';
import type { Targets } from '../../workflows/tickets/terms.ts';

/** Something that a person does to a ticket, so many seconds after it was opened. */
export interface Step {
  atSeconds: number;
  /** The command, as its route names it. */
  does: 'reply' | 'customer-reply' | 'set-priority' | 'set-status' | 'resolve' | 'merge' | 'close';
  /** Its payload; `merge` names the ticket that was opened before. */
  with?: Record<string, unknown>;
}

export type ClockOutcome = 'met' | 'breached' | 'cancelled';

/**
 * How a ticket is going to live, and what becomes of its clocks, those of one target in their order; a clock that was
 * breached and cancelled later counts as breached.
 */
export interface Life {
  name: string;
  priority: TicketPriority;
  /** Waits for the one agent who speaks French, and has room for one ticket. */
  needsFrench?: boolean;
  /** Its policy pauses the resolution alone. */
  pausesResolutionOnly?: boolean;
  steps: readonly Step[];
  clocks: Readonly<Partial<Record<SlaTarget, readonly ClockOutcome[]>>>;
}

/** Targets of the demonstration in minutes, around the clock. */
export const demonstrationTargets: Targets = {
  P1: { first_response: 1, next_response: 1, resolution: 2 },
  P2: { first_response: 1, next_response: 1, resolution: 3 },
  P3: { first_response: 2, next_response: 1, resolution: 3 },
  P4: { first_response: 3, resolution: 3 },
};

const reply = (atSeconds: number): Step => ({ atSeconds, does: 'reply', with: { text: 'We are looking into it.' } });
const customerReply = (atSeconds: number): Step => ({
  atSeconds,
  does: 'customer-reply',
  with: { text: 'It happened again.' },
});
const setStatus = (atSeconds: number, status: string): Step => ({ atSeconds, does: 'set-status', with: { status } });
const setPriority = (atSeconds: number, priority: TicketPriority): Step => ({
  atSeconds,
  does: 'set-priority',
  with: { priority },
});
const resolve = (atSeconds: number): Step => ({ atSeconds, does: 'resolve', with: {} });

// Every step keeps fifteen seconds away from the instant that decides, so that a slow machine changes no outcome.
const alone: readonly Life[] = [
  {
    name: 'answered in time',
    priority: 'P1',
    steps: [reply(20), resolve(70)],
    clocks: { first_response: ['met'], resolution: ['met'] },
  },
  {
    name: 'answered late',
    priority: 'P1',
    steps: [reply(80), resolve(140)],
    clocks: { first_response: ['breached'], resolution: ['breached'] },
  },
  {
    name: 'paused for the customer',
    priority: 'P1',
    steps: [reply(15), setStatus(30, 'waiting_for_customer'), setStatus(75, 'open'), resolve(145)],
    clocks: { first_response: ['met'], resolution: ['met'] },
  },
  {
    name: 'paused, resolution only',
    priority: 'P1',
    pausesResolutionOnly: true,
    steps: [setStatus(10, 'waiting_for_customer'), setStatus(50, 'open'), reply(80), resolve(140)],
    clocks: { first_response: ['breached'], resolution: ['met'] },
  },
  {
    name: 'resolved by itself: a silent customer',
    priority: 'P1',
    steps: [reply(15), setStatus(25, 'waiting_for_customer')],
    clocks: { first_response: ['met'], resolution: ['met'] },
  },
  {
    name: 'raised in time',
    priority: 'P3',
    steps: [setPriority(30, 'P1'), reply(40), resolve(90)],
    clocks: { first_response: ['met'], resolution: ['met'] },
  },
  {
    name: 'raised when it was too late',
    priority: 'P3',
    steps: [setPriority(80, 'P1'), reply(90), resolve(100)],
    clocks: { first_response: ['breached'], resolution: ['met'] },
  },
  {
    name: 'reopened by the customer',
    priority: 'P2',
    steps: [reply(15), resolve(30), customerReply(60), reply(85), resolve(110)],
    clocks: { first_response: ['met'], next_response: ['met'], resolution: ['met', 'met'] },
  },
  {
    name: 'asked again and again',
    priority: 'P2',
    steps: [reply(15), customerReply(30), reply(55), customerReply(65), reply(145), resolve(160)],
    clocks: { first_response: ['met'], next_response: ['met', 'breached'], resolution: ['met'] },
  },
  {
    name: 'given up',
    priority: 'P1',
    steps: [{ atSeconds: 150, does: 'close', with: {} }],
    clocks: { first_response: ['breached'], resolution: ['breached'] },
  },
];

/** Two tickets of one person: the second is merged into the first, which then owes the answer that the second waited for, with its clock. */
const merged: readonly Life[] = [
  {
    name: 'takes in another ticket',
    priority: 'P3',
    steps: [reply(14), reply(44), resolve(90)],
    clocks: { first_response: ['met', 'met'], resolution: ['met'] },
  },
  {
    name: 'merged into another',
    priority: 'P3',
    steps: [{ atSeconds: 29, does: 'merge' }],
    clocks: { resolution: ['cancelled'] },
  },
];

/** Three tickets for one agent with room for one: each waits until the one before is resolved. */
const queued: readonly Life[] = [0, 1, 2].map((place) => ({
  name: place === 0 ? 'goes first' : `waits in the queue, place ${place}`,
  priority: 'P2',
  needsFrench: true,
  steps: [reply(12 + place * 12), resolve(18 + place * 12)],
  clocks: { first_response: ['met'], resolution: ['met'] },
}));

const isShort = ({ steps }: Life) => (steps.at(-1)?.atSeconds ?? 0) <= 110;

/**
 * Lives that are played at the same time, grouped by those who need each other: `each` tickets of every life, a queue
 * once. `fast` takes those alone that are over within two minutes.
 */
export function castOf({ each, fast }: { each: number; fast: boolean }): readonly (readonly Life[])[] {
  const groups = [...alone.map((life) => [life]), merged];
  const repeated = groups.flatMap((group) => Array.from({ length: each }, () => group));
  return [queued, ...repeated].filter((group) => !fast || group.every(isShort));
}
