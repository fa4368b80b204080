import { describe, expect, it } from '@jest/globals';
import { progressLine } from '../../../cli/capture/progress.ts';
import { describeReport, reportOf, rowRanges } from '../../../cli/capture/report.ts';
import { Tally } from '../../../cli/capture/tally.ts';

const answer = (status: number, assignedUserId: string | null = null) => ({
  status,
  body: { assignedUserId },
  replayed: false,
  milliseconds: 12.34,
});

function sampleTally(): Tally {
  const tally = new Tally();
  tally.read = 6;
  tally.decided(answer(201, 'u1'));
  tally.decided(answer(201, 'u2'));
  tally.decided(answer(201));
  tally.decided(answer(200, 'u1'));
  tally.stored(5, answer(202));
  tally.refuse(
    6,
    [
      { code: 'invalid', path: 'phone', message: 'is none' },
      { code: 'invalid', path: 'email', message: 'is none' },
    ],
    3,
  );
  return tally;
}

describe('the closing table', () => {
  const circumstances = {
    file: 'a.csv',
    encoding: 'utf-8',
    names: new Map([['u1', 'Ada']]),
    elapsedMilliseconds: 2_000,
    stopped: false,
  };

  it('names people, reasons and rows', () => {
    const text = describeReport(reportOf(sampleTally(), circumstances));
    expect(text).toMatch(/rows +6 +2 s, 3 a second, 0 retries/);
    expect(text).toMatch(/accepted +3/);
    expect(text).toMatch(/refused +1 +rows 6/);
    expect(text).toMatch(/1 +invalid +phone is none +rows 6/);
    expect(text).toMatch(/Ada +1\nu2 +1\n\(nobody\) +1/);
    expect(text).toMatch(/p50 +p95 +p99\n +12\.\d+ ms/);
    expect(text).toContain('Pending rows are stored');
  });

  it('says nothing of what did not happen', () => {
    const text = describeReport(reportOf(new Tally(), circumstances));
    expect(text).not.toMatch(/pending|unanswered|not sent|because|Assigned/);
    expect(text).toMatch(/– +– +–/);
  });
});

describe('row numbers', () => {
  it('are told as ranges', () => {
    expect(rowRanges([1, 2, 3, 7, 9, 10])).toBe('1-3, 7, 9-10');
    expect(rowRanges(Array.from({ length: 100 }, (_, index) => index * 2))).toMatch(
      /78, … \(all of them with --json\)$/,
    );
  });
});

describe('the reasons of a run', () => {
  it('are bounded in number, and count every row', () => {
    const tally = new Tally();
    for (let row = 1; row <= 250; row++) tally.refuse(row, [{ code: 'invalid', path: '', message: `words ${row}` }]);
    const reasons = tally.refusals();
    expect(reasons).toHaveLength(101);
    expect(reasons[0]?.code).toBe('other');
    expect(reasons[0]?.rows).toHaveLength(150);
  });
});

describe('the progress line', () => {
  it('is measured by the bytes that are settled', () => {
    const tally = sampleTally();
    tally.settledBytes = 500;
    tally.retries = 2;
    tally.lastRetry = '503 away';
    expect(progressLine(tally, 1_000, 1_000)).toBe(
      '[############............] 50 %  5 rows  5.0/s  1 not decided yet  1 refused  2 retries (last: 503 away)',
    );
    expect(progressLine(new Tally(), 0, 0)).toContain(' 0 %');
    expect(progressLine(Object.assign(new Tally(), { readAll: true }), 9, 0)).toContain('100 %');
  });
});
