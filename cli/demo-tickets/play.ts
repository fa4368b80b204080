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
 * A command that is stored but not carried out yet (202) is not waited for: what was accepted is carried out in order.
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
  await Promise.all(
    played.map(async ({ id, life, openedAt }) => {
      for (const step of life.steps) {
        await pause(Math.max(0, openedAt + step.atSeconds * 1_000 - performance.now()));
        await take(stage, id, step, played[0]?.id ?? id);
      }
    }),
  );
  return played.map(({ id, life }) => ({ id, life }));
}

/** An accepted ticket may have no row yet; commands need one. */
async function untilThere(support: ApiClient, id: string): Promise<void> {
  for (const begun = performance.now(); performance.now() - begun < patienceMilliseconds;) {
    const reply = await support.get(`/crm/v1/tickets/${id}`);
    if (reply.kind !== 'answered' || reply.status !== 404) return void answerOf('Reading a ticket', reply);
    await pause(200);
  }
  throw new CommandFailed(`Ticket ${id} was accepted, and no worker has opened it yet: see \`npx crm status\`.`);
}

async function take({ support, onStep }: Stage, id: string, step: Step, firstId: string): Promise<void> {
  const payload = step.does === 'merge' ? { intoTicketId: firstId } : step.with;
  answerOf(
    `${step.does} after ${step.atSeconds} s`,
    await support.post(`/crm/v1/tickets/${id}/${step.does}`, randomUUID(), payload),
  );
  onStep();
}
