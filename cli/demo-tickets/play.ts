import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { ApiClient } from '../capture/client.ts';
import { CommandFailed } from '../output.ts';
import { answerOf, type Desk } from './desk.ts';
import type { Life, Step } from './lives.ts';

/** Longer than any server takes to come back. */
const patienceMilliseconds = 120_000;

/** A ticket on its way. */
export interface Played {
  id: string;
  life: Life;
}

interface Stage {
  desk: Desk;
  /** Calls as a supporter; waits for servers that are away. */
  support: ApiClient;
  onStep: () => void;
}

/**
 * Opens the tickets of a group and does to each what its life says, when it says; `place` tells their customers apart.
 * A command that is stored but not carried out yet (202) is not waited for: what was accepted is carried out in order, for
 * each ticket. Only a merge is, by what comes after it: a reply that leaves before it answers one customer alone.
 */
export async function playGroup(group: readonly Life[], place: number, stage: Stage): Promise<Played[]> {
  const played: (Played & { openedAt: number })[] = [];
  for (const life of group) {
    const openedAt = performance.now();
    const reply = await stage.support.post('/crm/v1/tickets', randomUUID(), stage.desk.ticketOf(life, place));
    const id = String(answerOf('Opening a ticket', reply)['id']);
    played.push({ id, life, openedAt });
    await untilThere(stage.support, id);
  }
  const mergeAt = group.flatMap(({ steps }) => steps).find(({ does }) => does === 'merge')?.atSeconds ?? Infinity;
  const merged = Promise.withResolvers<void>();
  await Promise.all(
    played.map(async ({ id, life, openedAt }) => {
      for (const step of life.steps) {
        await pause(Math.max(0, openedAt + step.atSeconds * 1_000 - performance.now()));
        if (step.atSeconds > mergeAt) await merged.promise;
        await take(stage, id, step, played[0]?.id ?? id);
        if (step.does === 'merge') merged.resolve(await untilMerged(stage.support, id));
      }
    }),
  );
  return played.map(({ id, life }) => ({ id, life }));
}

/** An accepted ticket may have no row yet; commands need one. */
function untilThere(support: ApiClient, id: string): Promise<void> {
  return until(support, id, () => true, 'was accepted, and no worker has opened it yet');
}

function untilMerged(support: ApiClient, id: string): Promise<void> {
  return until(support, id, ({ stage }) => stage === 'merged', 'is to be merged, and no worker has done it yet');
}

async function until(
  support: ApiClient,
  id: string,
  isSo: (ticket: Record<string, unknown>) => boolean,
  otherwise: string,
): Promise<void> {
  for (const begun = performance.now(); performance.now() - begun < patienceMilliseconds;) {
    const reply = await support.get(`/crm/v1/tickets/${id}`);
    const isNoRow = reply.kind === 'answered' && reply.status === 404;
    if (!isNoRow && isSo(answerOf('Reading a ticket', reply))) return;
    await pause(200);
  }
  throw new CommandFailed(`Ticket ${id} ${otherwise}: see \`npx crm status\`.`);
}

async function take({ support, onStep }: Stage, id: string, step: Step, firstId: string): Promise<void> {
  const payload = step.does === 'merge' ? { intoTicketId: firstId } : step.with;
  answerOf(
    `${step.does} after ${step.atSeconds} s`,
    await support.post(`/crm/v1/tickets/${id}/${step.does}`, randomUUID(), payload),
  );
  onStep();
}
