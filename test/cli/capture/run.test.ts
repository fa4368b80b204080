import { afterEach, describe, expect, it } from '@jest/globals';
import { createClient } from '../../../cli/capture/client.ts';
import { mappingByName } from '../../../cli/capture/mapping.ts';
import { describeReport, type Report, reportOf } from '../../../cli/capture/report.ts';
import { CallerRefused, runCapture } from '../../../cli/capture/run.ts';
import { openSource } from '../../../cli/capture/source.ts';
import { Tally } from '../../../cli/capture/tally.ts';
import { fileFolder } from './files.ts';
import { type Mishap, UnreliableApi } from './unreliable-api.ts';

const file = fileFolder();

// Rows 1 to 60: every tenth has no mail address, every fifth repeats the one before it, one has too many fields.
const rows = Array.from({ length: 60 }, (_, index) => {
  const row = index + 1;
  if (row === 33) return 'Row 33,33@x.example,surplus';
  return `Row ${row},${row % 10 === 0 ? 'nowhere' : `${row % 5 === 0 ? row - 1 : row}@x.example`}`;
});
const csv = `Full Name,Email\n${rows.join('\n')}\n`;
const books = { accepted: 47, merged: 6, refused: 7 };

const opened: UnreliableApi[] = [];
afterEach(async () => {
  for (const api of opened.splice(0)) await api.close();
});

async function unreliable(
  mishap: (request: number, attempt: number) => Mishap,
  options?: { decideAfterPolls: number },
) {
  const api = new UnreliableApi(mishap, options);
  opened.push(api);
  return { api, url: await api.open() };
}

interface Overrides {
  rate?: number;
  concurrency?: number;
  patienceMilliseconds?: number;
  decisionWithinMilliseconds?: number;
  stop?: AbortController;
}

async function send(url: string, overrides: Overrides = {}, text = csv): Promise<{ report: Report; tally: Tally }> {
  const { rate, concurrency = 8, patienceMilliseconds = 20_000, decisionWithinMilliseconds = 5_000 } = overrides;
  const { stop = new AbortController() } = overrides;
  const source = await openSource(file('leads.csv', text));
  const tally = new Tally();
  const client = createClient({
    url,
    token: 't',
    patienceMilliseconds,
    stop: stop.signal,
    onRetry: () => tally.retries++,
  });
  const mapping = mappingByName(source.columns);
  await runCapture({
    rows: source.rows(),
    mapping,
    client,
    tally,
    concurrency,
    rate,
    decisionWithinMilliseconds,
    stop: stop.signal,
  });
  const circumstances = {
    file: 'leads.csv',
    encoding: 'utf-8',
    names: new Map(),
    elapsedMilliseconds: 1_000,
    stopped: stop.signal.aborted,
  };
  return { report: reportOf(tally, circumstances), tally };
}

function accountedFor({ accepted, merged, refused, pending, unanswered, unsent }: Report): number {
  return accepted + merged + refused.count + pending.count + unanswered.count + unsent.count;
}

const openLeads = (api: UnreliableApi) => [...api.leads.values()].filter(({ status }) => status === 'open').length;

describe('a run', () => {
  it('accounts for every row, and says why some were refused', async () => {
    const { api, url } = await unreliable(() => 'none');
    const { report } = await send(url, { concurrency: 1 });
    expect(report).toMatchObject({
      rows: 60,
      accepted: books.accepted,
      merged: books.merged,
      replayed: 0,
      retries: 0,
      complete: true,
    });
    expect(report.refused.rows).toEqual([10, 20, 30, 33, 40, 50, 60]);
    expect(report.refused.reasons).toEqual([
      { code: 'invalid', path: 'email', message: 'is no mail address', count: 6, rows: [10, 20, 30, 40, 50, 60] },
      { code: 'unreadable', path: '', message: expect.stringContaining('has 3 fields'), count: 1, rows: [33] },
    ]);
    expect(report.assigned.reduce((sum, { leads }) => sum + leads, report.unassigned)).toBe(books.accepted);
    expect(api.leads.size).toBe(53);
    expect(report.milliseconds.p99).toBeGreaterThan(0);
  });

  it('outlasts every kind of mishap: the same end, and nothing twice', async () => {
    const mishaps: Mishap[] = ['reset', 'unavailable', 'lost', 'none', 'broken', 'slow', 'in_progress', 'later'];
    const { api, url } = await unreliable((request, attempt) => {
      if (request === 17) return 'limited';
      return attempt < 2 ? mishaps[request % mishaps.length]! : 'none';
    });
    const { report } = await send(url);
    expect(report).toMatchObject({ rows: 60, complete: true, refused: { count: books.refused } });
    expect(report.accepted + report.merged).toBe(53);
    expect(report.accepted).toBe(openLeads(api));
    expect(report.retries).toBeGreaterThan(10);
    expect(api.leads.size).toBe(53);
  });

  it('is all replays the second time, with the same books', async () => {
    const { api, url } = await unreliable(() => 'none');
    const first = await send(url, { concurrency: 1 });
    const second = await send(url);
    expect(second.report).toMatchObject({ replayed: 53, accepted: first.report.accepted, merged: first.report.merged });
    expect(second.report.assigned).toEqual(first.report.assigned);
    expect(api.leads.size).toBe(53);
  });

  it('sends a row that was mended as a new write, and the others as before', async () => {
    const { api, url } = await unreliable(() => 'none');
    await send(url);
    const { report } = await send(url, {}, csv.replace('Row 20,nowhere', 'Row 20,20@x.example'));
    expect(report).toMatchObject({ replayed: 53, refused: { count: 6 } });
    expect(api.leads.size).toBe(54);
  });

  it('goes on where it was stopped', async () => {
    const { api, url } = await unreliable(() => 'slow');
    const stop = new AbortController();
    const sending = send(url, { concurrency: 2, stop });
    while (api.leads.size < 6) await new Promise((soon) => setTimeout(soon, 10));
    stop.abort();
    const { report } = await sending;
    expect(report.rows).toBeLessThan(20);
    expect(accountedFor(report)).toBe(report.rows);
    expect(report.complete).toBe(false);
    expect(describeReport(report)).toContain('Run the same command again to go on');
    const again = await send(url);
    expect(again.report).toMatchObject({ rows: 60, complete: true });
    expect(again.report.replayed).toBe(report.accepted + report.merged);
    expect(api.leads.size).toBe(53);
  });

  it('waits for the decision on what was only stored, and says which are still pending', async () => {
    const decided = await unreliable(() => 'later', { decideAfterPolls: 3 });
    const { report } = await send(
      decided.url,
      {},
      'name,email,fullName\n,1@x.example,A\n,1@x.example,B\n,2@x.example,C\n',
    );
    expect(report).toMatchObject({ rows: 3, accepted: 2, merged: 1, complete: true });

    const never = await unreliable(() => 'later', { decideAfterPolls: Infinity });
    const waited = await send(never.url, { decisionWithinMilliseconds: 300 }, 'fullName,email\nA,1@x.example\n');
    expect(waited.report).toMatchObject({ rows: 1, accepted: 0, pending: { count: 1, rows: [1] }, complete: false });
    expect(describeReport(waited.report)).toContain('accepted, pending  1  rows 1');
  });

  it('gives a row up when its patience is at an end, and says so', async () => {
    const { url } = await unreliable(() => 'unavailable');
    const { report } = await send(url, { patienceMilliseconds: 500, concurrency: 60 });
    expect(report).toMatchObject({
      rows: 60,
      accepted: 0,
      unanswered: { count: 59 },
      refused: { count: 1 },
      complete: false,
    });
  });

  it('ends at once when the API refuses the caller', async () => {
    const { api, url } = await unreliable(() => 'none');
    api.authorized = false;
    await expect(send(url)).rejects.toThrow(CallerRefused);
    expect(api.keys).toHaveLength(0);
  });

  it('holds its rate however slow the answers are', async () => {
    const { api, url } = await unreliable(() => 'slow');
    const started = performance.now();
    await send(url, { rate: 100, concurrency: 64 });
    const elapsed = performance.now() - started;
    expect(elapsed).toBeGreaterThan(590);
    // One after the other they would take eight seconds.
    expect(elapsed).toBeLessThan(6_000);
    expect(api.leads.size).toBe(53);
  });
});
