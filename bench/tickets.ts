import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { bareRate, bareTimer, inProportion, withBaseline } from './baseline.ts';
import type { BenchInstallation } from './installation.ts';
import { atRate, percentile, type Request, soMany } from './load.ts';
import type { Figure } from './report.ts';

const perSecond = 50;
const openTickets = 10_000;
const sample = 1_000;

/** Tickets made at a steady rate, ten thousand of them open on one worker, and what one costs beside a bare timer. */
export async function measureTickets(installation: BenchInstallation, seconds: number): Promise<Figure[]> {
  const { api, processes, temporalAddress } = installation;
  const token = await installation.token('acme');
  const bare = await withBaseline(temporalAddress, bareRate);
  const creations = [bare];
  for (const rate of [inProportion(bare), perSecond]) {
    creations.push(...(await creationAt(rate, seconds, ticketRequest(api, token, [201]))));
    await installation.settle();
  }
  // Of these the number counts, not how soon they are answered.
  const another = ticketRequest(api, token, [201, 202]);

  return await withBaseline(temporalAddress, async (client) => {
    const ticketBytes = await bytesFor(installation, another);
    const timerBytes = await bytesFor(installation, bareTimer(client));
    const half = await untilOpen(client, openTickets / 2, another, () => residentBytes(processes['worker']));
    const whole = await untilOpen(client, openTickets, another, () => residentBytes(processes['worker']));
    return [
      ...creations,
      {
        name: 'history bytes of an open ticket against a bare timer workflow',
        value: (await historyBytes(client, 'ticketSla')) / (await historyBytes(client, 'bareTimer')),
        unit: '×',
        limit: { most: 3 },
      },
      {
        name: `server bytes of an open ticket against a bare timer workflow, over ${sample} of each`,
        value: ticketBytes / timerBytes,
        unit: '×',
        limit: { most: 3 },
      },
      {
        name: `memory of the worker with ${openTickets} open tickets against half as many`,
        value: whole / half,
        unit: '×',
        limit: { most: 1.25 },
        detail: `${(half / 2 ** 20).toFixed(0)} MiB, then ${(whole / 2 ** 20).toFixed(0)} MiB`,
      },
    ];
  });
}

async function creationAt(rate: number, seconds: number, request: Request): Promise<Figure[]> {
  await atRate(rate, 10, request);
  const made = await atRate(rate, seconds, request);
  return [
    {
      name: `tickets at ${rate}/s for ${seconds} s, not answered 201`,
      value: Object.values(made.unexpected).reduce((sum, one) => sum + one, 0),
      limit: { most: 0 },
      detail: JSON.stringify(made.unexpected),
    },
    { name: `p50 of the creation at ${rate}/s`, value: percentile(made, 0.5), unit: 'ms' },
    { name: `p99 of the creation at ${rate}/s`, value: percentile(made, 0.99), unit: 'ms', limit: { most: 300 } },
  ];
}

function ticketRequest(api: string, token: string, accepted: readonly number[]): Request {
  const run = randomUUID().slice(0, 8);
  return async (index) => {
    const response = await fetch(`${api}/crm/v1/tickets`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'idempotency-key': `${run}-${index}-${randomUUID().slice(0, 8)}`,
      },
      body: JSON.stringify({
        subject: `The invoice ${index} shows the wrong address`,
        description: 'Our office has moved.',
        requester: {
          fullName: `Person ${run} Number${index}`,
          email: `t${index}.${run}@company${index % 997}.example`,
        },
        channel: 'web',
        priority: (['P1', 'P2', 'P3', 'P4'] as const)[index % 4],
      }),
    });
    await response.arrayBuffer();
    return accepted.includes(response.status) ? null : String(response.status);
  };
}

/** By how much Temporal's files grow for so many of one kind. */
async function bytesFor({ temporalFolder, settle }: BenchInstallation, request: Request): Promise<number> {
  const before = folderBytes(temporalFolder);
  await soMany(sample, 8, request);
  await settle();
  return folderBytes(temporalFolder) - before;
}

const folderBytes = (folder: string): number =>
  readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);

async function historyBytes(client: Client, type: string): Promise<number> {
  for await (const { workflowId } of client.workflow.list({
    query: `WorkflowType = "${type}" and ExecutionStatus = "Running"`,
  })) {
    const { raw } = await client.workflow.getHandle(workflowId).describe();
    return Number(raw.workflowExecutionInfo?.historySizeBytes ?? Number.NaN);
  }
  throw new Error(`No ${type} is open`);
}

/** Makes tickets until so many are open, then takes a reading. */
async function untilOpen(client: Client, count: number, request: Request, read: () => number): Promise<number> {
  for (;;) {
    const open = await client.workflow.count('WorkflowType = "ticketSla" and ExecutionStatus = "Running"');
    if (open.count >= count) return read();
    await soMany(count - open.count, 20, request);
  }
}

/** Memory of a process that is in use, Linux's VmRSS. */
function residentBytes(pid: number | undefined): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1_024;
}
