import { setTimeout as pause } from 'node:timers/promises';
import { slaTargets, targetNames, type SlaTarget } from '../../workflows/tickets/policy.ts';
import type { ApiClient } from '../capture/client.ts';
import { table } from '../output.ts';
import { answerOf } from './desk.ts';
import type { Played } from './play.ts';

/** A clock as `GET /crm/v1/sla-clocks` tells it. */
interface ClockRecord {
  ticketId: string;
  target: SlaTarget;
  ordinal: number;
  state: string;
  breached: boolean;
  startedAt: string;
  dueAt: string | null;
  breachedAt: string | null;
  metAt: string | null;
  endedAt: string | null;
  intervals: { from: string; to: string | null; kind: 'running' | 'paused' }[];
}

/** What became of one clock. */
export interface ClockLine {
  ticket: string;
  life: string;
  target: SlaTarget;
  ordinal: number;
  startedAt: string;
  dueAt: string | null;
  doneAt: string | null;
  outcome: string;
  pausedMinutes: number;
  asPlanned: boolean;
}

/** What became of all of them; `missing` are clocks that a life should have had. */
export interface Outcome {
  clocks: ClockLine[];
  missing: string[];
}

const idsInOneRequest = 40;
const pollMilliseconds = 1_000;

/** Reads the clocks of these tickets as soon as all have ended, at the latest after the patience. */
export async function readOutcome(
  support: ApiClient,
  tickets: readonly Played[],
  patienceMilliseconds: number,
): Promise<Outcome> {
  const deadline = performance.now() + patienceMilliseconds;
  let clocks = await readClocks(support, tickets);
  while (!hasEnded(clocks, tickets) && performance.now() < deadline) {
    await pause(pollMilliseconds);
    clocks = await readClocks(support, tickets);
  }
  const numbers = await readNumbers(support, tickets);
  const lines = tickets.flatMap((ticket) => linesOf(ticket, numbers.get(ticket.id) ?? ticket.id, clocks));
  return {
    clocks: lines.flatMap(({ line }) => line ?? []),
    missing: lines.flatMap(({ missing }) => missing ?? []),
  };
}

function hasEnded(clocks: readonly ClockRecord[], tickets: readonly Played[]): boolean {
  const planned = tickets.reduce((sum, { life }) => sum + Object.values(life.clocks).flat().length, 0);
  return clocks.length >= planned && clocks.every(({ endedAt }) => endedAt !== null);
}

async function readClocks(support: ApiClient, tickets: readonly Played[]): Promise<ClockRecord[]> {
  const clocks: ClockRecord[] = [];
  for (let from = 0; from < tickets.length; from += idsInOneRequest) {
    const ids = tickets.slice(from, from + idsInOneRequest).map(({ id }) => id);
    const query = new URLSearchParams({ 'filter[ticketId][in]': ids.join(','), limit: '200' });
    for (;;) {
      const page = answerOf('Reading clocks', await support.get(`/crm/v1/sla-clocks?${query.toString()}`));
      clocks.push(...(page['data'] as ClockRecord[]));
      if (page['hasMore'] !== true) break;
      query.set('cursor', String(page['nextCursor']));
    }
  }
  return clocks;
}

async function readNumbers(support: ApiClient, tickets: readonly Played[]): Promise<ReadonlyMap<string, string>> {
  const all: { id: string; number: number }[] = [];
  for (const { id } of tickets) {
    const { number } = answerOf('Reading a ticket', await support.get(`/crm/v1/tickets/${id}`));
    all.push({ id, number: Number(number) });
  }
  return new Map(all.map(({ id, number }) => [id, `#${number}`]));
}

/** The clocks of one ticket beside what its life says, in the order of targets and ordinals. */
function linesOf(
  { id, life }: Played,
  ticket: string,
  clocks: readonly ClockRecord[],
): { line?: ClockLine; missing?: string }[] {
  return slaTargets.flatMap((target) => {
    const own = clocks
      .filter((clock) => clock.ticketId === id && clock.target === target)
      .toSorted((one, other) => one.ordinal - other.ordinal);
    const planned = life.clocks[target] ?? [];
    return Array.from({ length: Math.max(own.length, planned.length) }, (_, index) => {
      const clock = own[index];
      if (!clock) return { missing: `${ticket} ${life.name}: ${targetNames[target]} ${index + 1}` };
      const outcome = clock.breached ? 'breached' : clock.state;
      const { ordinal, startedAt, dueAt, breachedAt, metAt, intervals } = clock;
      const line = {
        ticket,
        life: life.name,
        target,
        ordinal,
        startedAt,
        dueAt: dueAt ?? breachedAt,
        doneAt: metAt,
        outcome,
        pausedMinutes: pausedMinutes(intervals),
        asPlanned: outcome === planned[index],
      };
      return { line };
    });
  });
}

function pausedMinutes(intervals: ClockRecord['intervals']): number {
  const ms = intervals
    .filter(({ kind, to }) => kind === 'paused' && to !== null)
    .reduce((sum, { from, to }) => sum + Date.parse(String(to)) - Date.parse(from), 0);
  return Math.round(ms / 600) / 100;
}

const time = (instant: string | null): string => instant?.slice(11, 19) ?? '–';

/** The table that ends the demonstration; times are UTC. */
export function describeOutcome({ clocks, missing }: Outcome): string {
  const rows = clocks.map((line) => [
    line.ticket,
    line.life,
    `${targetNames[line.target]}${line.ordinal > 1 ? ` ${line.ordinal}` : ''}`,
    time(line.startedAt),
    time(line.dueAt),
    time(line.doneAt),
    line.outcome,
    line.pausedMinutes === 0 ? '' : line.pausedMinutes.toFixed(2),
    line.asPlanned ? '' : 'NOT AS PLANNED',
  ]);
  const head = ['Ticket', 'Life', 'Clock', 'Started', 'Due', 'Done', 'Outcome', 'Paused min', ''];
  const misses = missing.map((clock) => `Missing: ${clock}`);
  return [table([head, ...rows]), ...misses].join('\n');
}
