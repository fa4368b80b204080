import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { bareUpdate, threeActivities, withBaseline } from './baseline.ts';
import { captureRequest } from './capture.ts';
import type { BenchInstallation } from './installation.ts';
import { atConcurrency, median, rateOf } from './load.ts';
import type { Figure } from './report.ts';

const clients = 40;
const rounds = 3;

/** The highest rate of capture → assigned beside two baselines on the same server, in turn, round by round. */
export async function measureThroughput(installation: BenchInstallation, seconds: number): Promise<Figure[]> {
  const { api, temporalAddress, settle } = installation;
  const token = await installation.token('acme');
  return await withBaseline(temporalAddress, async (client) => {
    const rates: { capture: number; update: number; activities: number }[] = [];
    // Compilers, connections and caches are warm before anything counts.
    for (const request of [captureRequest(api, token), bareUpdate(client), threeActivities(client)])
      await atConcurrency(clients, seconds / 2, request);
    await settle();
    for (let round = 0; round < rounds; round += 1) {
      const capture = rateOf(await atConcurrency(clients, seconds, captureRequest(api, token)));
      // Events that captures still owe would slow what is measured next, and flatter them.
      await settle();
      const update = rateOf(await atConcurrency(clients, seconds, bareUpdate(client)));
      const activities = rateOf(await atConcurrency(clients, seconds, threeActivities(client)));
      rates.push({ capture, update, activities });
    }
    const detail = rates
      .map(
        ({ capture, update, activities }) => `${capture.toFixed(0)} : ${update.toFixed(0)} : ${activities.toFixed(0)}`,
      )
      .join(', ');
    return [
      {
        name: 'capture → assigned against a bare update-with-start (one no-op local activity)',
        value: median(rates.map(({ capture, update }) => capture / update)),
        unit: '×',
        limit: { least: 0.6 },
        detail: `a second, capture : update : three activities; ${detail}`,
      },
      {
        name: 'capture → assigned against a bare workflow of three regular no-op activities',
        value: median(rates.map(({ capture, activities }) => capture / activities)),
        unit: '×',
        limit: { least: 1.5 },
      },
      {
        name: 'history events of an intake up to assigned',
        value: await eventsOfAnIntake(client, api, token),
        limit: { most: 12 },
      },
    ];
  });
}

async function eventsOfAnIntake(client: Client, api: string, token: string): Promise<number> {
  const response = await fetch(`${api}/v1/leads/capture`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': randomUUID() },
    body: JSON.stringify({ fullName: 'Ada Lovelace', email: `ada.${randomUUID()}@example.com` }),
  });
  const { id } = (await response.json()) as { id: string };
  const { events } = await client.workflow.getHandle(`lead:${id}`).fetchHistory();
  return events?.length ?? Number.NaN;
}
