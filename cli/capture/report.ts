import { table } from '../output.ts';
import type { Tally } from './tally.ts';

/** A finished run: what `--json` prints. */
export interface Report {
  file: string;
  encoding: string;
  /** Rows read; the sum of the seven below it. */
  rows: number;
  accepted: number;
  merged: number;
  refused: {
    count: number;
    rows: number[];
    reasons: { code: string; path: string; message: string; count: number; rows: number[] }[];
  };
  pending: { count: number; rows: number[] };
  unanswered: { count: number; rows: number[] };
  unsent: { count: number; rows: number[] };
  /** Answers that had been given before: to an earlier run, or to a request of this one that broke off. */
  replayed: number;
  retries: number;
  assigned: { userId: string; name: string; leads: number }[];
  unassigned: number;
  /** Time to the answer of a capture; null when there was none. */
  milliseconds: { p50: number | null; p95: number | null; p99: number | null };
  seconds: number;
  perSecond: number;
  /** Cut short, by Ctrl-C or since the API refuses the caller: there may be rows that were not read. */
  stopped: boolean;
  /** Every row read has an outcome and none is still waited for. */
  complete: boolean;
}

interface Circumstances {
  file: string;
  encoding: string;
  names: ReadonlyMap<string, string>;
  elapsedMilliseconds: number;
  stopped: boolean;
}

/** Closes the books of a run. */
export function reportOf(tally: Tally, { file, encoding, names, elapsedMilliseconds, stopped }: Circumstances): Report {
  const listed = (rows: Iterable<number>) => {
    const sorted = [...rows].toSorted((a, b) => a - b);
    return { count: sorted.length, rows: sorted };
  };
  const { read: rows, accepted, merged, replayed, retries, unassigned } = tally;
  const [pending, unanswered, unsent] = [listed(tally.pending), listed(tally.unanswered), listed(tally.unsent)];
  return {
    file,
    encoding,
    rows,
    accepted,
    merged,
    refused: {
      ...listed(tally.refused),
      reasons: tally
        .refusals()
        .map(({ code, path, message, rows: refused }) => ({ code, path, message, ...listed(refused) })),
    },
    pending,
    unanswered,
    unsent,
    replayed,
    retries,
    assigned: [...tally.assigned]
      .map(([userId, leads]) => ({ userId, name: names.get(userId) ?? userId, leads }))
      .toSorted((a, b) => b.leads - a.leads || (a.name < b.name ? -1 : 1)),
    unassigned,
    milliseconds: { p50: tally.percentile(50), p95: tally.percentile(95), p99: tally.percentile(99) },
    seconds: Math.round(elapsedMilliseconds / 100) / 10,
    perSecond: Math.round((rows * 10_000) / Math.max(elapsedMilliseconds, 1)) / 10,
    stopped,
    complete: !stopped && pending.count + unanswered.count + unsent.count === 0,
  };
}

/** The closing table. */
export function describeReport(report: Report): string {
  const { refused, pending, unanswered, unsent, assigned, unassigned, milliseconds } = report;
  const count = (name: string, { count: number, rows }: { count: number; rows: number[] }) =>
    number === 0 ? [] : [[name, String(number), `rows ${rowRanges(rows)}`]];
  const outcome = [
    ['rows', String(report.rows), `${report.seconds} s, ${report.perSecond} a second, ${report.retries} retries`],
    [
      'accepted',
      String(report.accepted),
      report.replayed > 0 ? `${report.replayed} answers replayed: these rows had been captured before` : '',
    ],
    ['merged', String(report.merged), 'into an open lead of the same person'],
    ['refused', String(refused.count), refused.count > 0 ? `rows ${rowRanges(refused.rows)}` : ''],
    ...count('accepted, pending', pending),
    ...count('unanswered', unanswered),
    ...count('not sent', unsent),
  ];
  const reasons = refused.reasons.map(({ code, path, message, count: rows, rows: which }) => [
    String(rows),
    code,
    path === '' ? message : `${path} ${message}`,
    `rows ${rowRanges(which)}`,
  ]);
  const people = [
    ...assigned.map(({ name, leads }) => [name, String(leads)]),
    ...(unassigned > 0 ? [['(nobody)', String(unassigned)]] : []),
  ];
  const spoken = (value: number | null) => (value === null ? '–' : `${value} ms`);
  return [
    table(outcome),
    ...(reasons.length > 0 ? ['', 'Refused because', table(reasons)] : []),
    ...(people.length > 0 ? ['', 'Assigned to', table(people)] : []),
    '',
    table([
      ['HTTP answer', 'p50', 'p95', 'p99'],
      ['', spoken(milliseconds.p50), spoken(milliseconds.p95), spoken(milliseconds.p99)],
    ]),
    ...advice(report),
  ].join('\n');
}

/** What to do about rows that have no outcome yet. */
function advice({ stopped, pending, unanswered, unsent }: Report): string[] {
  if (stopped || unanswered.count + unsent.count > 0) {
    return [
      '',
      'Run the same command again to go on: rows that were answered get the same answer again, none is captured twice.',
    ];
  }
  return pending.count > 0
    ? ['', 'Pending rows are stored and will be decided on; run the same command again to see how.']
    : [];
}

const mostRanges = 40;

/** Row numbers for people: `1-3, 7`. */
export function rowRanges(rows: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const row of rows) {
    const last = ranges.at(-1);
    if (last && row === last[1] + 1) last[1] = row;
    else ranges.push([row, row]);
  }
  const shown = ranges.slice(0, mostRanges).map(([from, to]) => (from === to ? String(from) : `${from}-${to}`));
  return `${shown.join(', ')}${ranges.length > mostRanges ? ', … (all of them with --json)' : ''}`;
}
