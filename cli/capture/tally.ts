import { createHistogram } from 'node:perf_hooks';
import type { Answer } from './client.ts';

/** Why rows were refused: the problem's code, the place in the body, and the words. */
export interface Reason {
  code: string;
  path: string;
  message: string;
  rows: number[];
}

/** A row that was stored but not decided on yet. */
export interface Pending {
  row: number;
  leadId: string;
}

const mostReasons = 100;

/**
 * The books of a run: every row that was read ends in exactly one of `accepted`, `merged`, `refused`, `pending`,
 * `unanswered` and `unsent`.
 */
export class Tally {
  read = 0;
  /** Whether there is no row left to read. */
  readAll = false;
  settledBytes = 0;
  accepted = 0;
  merged = 0;
  replayed = 0;
  retries = 0;
  lastRetry = '';
  unassigned = 0;
  readonly refused = new Set<number>();
  readonly pending = new Set<number>();
  /** Rows without an answer, sent or not known to be: the next run sends them again. */
  readonly unanswered = new Set<number>();
  /** Rows that were read when the run was stopped, but not sent. */
  readonly unsent = new Set<number>();
  readonly assigned = new Map<string, number>();
  private readonly reasons = new Map<string, Reason>();
  private readonly latency = createHistogram();

  /** Rows that have ended in one way or another. */
  get settled(): number {
    return this.accepted + this.merged + this.refused.size + this.unanswered.size + this.unsent.size;
  }

  /** The answer to a capture that is no refusal and no 202. */
  decided({ status, body, replayed, milliseconds }: Answer): void {
    this.measure(milliseconds);
    if (replayed) this.replayed++;
    if (status === 200) this.merged++;
    else this.take(body);
  }

  /** The answer 202: the row counts as pending until its lead is decided on. */
  stored(row: number, { milliseconds }: Answer): void {
    this.measure(milliseconds);
    this.pending.add(row);
  }

  /** The lead of a pending row, read again. */
  decidedLater(row: number, lead: Readonly<Record<string, unknown>>): void {
    this.pending.delete(row);
    if (lead['status'] === 'merged') this.merged++;
    else this.take(lead);
  }

  /** A refusal: one row, with as many reasons as the problem names. */
  refuse(row: number, reasons: readonly Omit<Reason, 'rows'>[], milliseconds?: number): void {
    if (milliseconds !== undefined) this.measure(milliseconds);
    this.refused.add(row);
    for (const reason of reasons) this.reasonFor(reason).rows.push(row);
  }

  /** Reasons of refusal, those of most rows first. */
  refusals(): Reason[] {
    return [...this.reasons.values()].toSorted((a, b) => b.rows.length - a.rows.length);
  }

  /** A percentile of the time to the answer of a capture, in milliseconds; null when nothing was answered. */
  percentile(percent: number): number | null {
    return this.latency.count === 0 ? null : Math.round(this.latency.percentile(percent) / 10) / 100;
  }

  private take({ assignedUserId }: Readonly<Record<string, unknown>>): void {
    this.accepted++;
    if (typeof assignedUserId !== 'string') this.unassigned++;
    else this.assigned.set(assignedUserId, (this.assigned.get(assignedUserId) ?? 0) + 1);
  }

  private reasonFor({ code, path, message }: Omit<Reason, 'rows'>): Reason {
    const key = JSON.stringify([code, path, message]);
    const known = this.reasons.get(key);
    if (known) return known;
    const isFull = this.reasons.size >= mostReasons;
    const reason = isFull
      ? { code: 'other', path: '', message: 'other reasons', rows: [] }
      : { code, path, message, rows: [] };
    const place = isFull ? 'other' : key;
    const kept = this.reasons.get(place) ?? reason;
    this.reasons.set(place, kept);
    return kept;
  }

  private measure(milliseconds: number): void {
    this.latency.record(Math.max(1, Math.round(milliseconds * 1_000)));
  }
}
