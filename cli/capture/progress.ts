import type { Tally } from './tally.ts';

const barWidth = 24;
const redrawEveryMilliseconds = 200;
const lineEveryMilliseconds = 5_000;

/**
 * Shows on standard error how far a run is, measured by the bytes of the rows that are settled: redrawn in place on a
 * terminal, a line every five seconds elsewhere. Answers how to end it.
 */
export function showProgress(
  tally: Tally,
  totalBytes: number,
  output: NodeJS.WriteStream = process.stderr,
): () => void {
  const started = performance.now();
  const draw = () => {
    const line = progressLine(tally, totalBytes, performance.now() - started);
    output.write(output.isTTY ? `\r\u001b[2K${line.slice(0, output.columns - 1)}` : `${line}\n`);
  };
  const timer = setInterval(draw, output.isTTY ? redrawEveryMilliseconds : lineEveryMilliseconds);
  timer.unref();
  return () => {
    clearInterval(timer);
    draw();
    if (output.isTTY) output.write('\n');
  };
}

/** One line: bar, share of the file that is settled, rows, rows a second, and what is not as it should be. */
export function progressLine(tally: Tally, totalBytes: number, elapsedMilliseconds: number): string {
  const { read, readAll, settled, settledBytes, retries, lastRetry, pending, refused } = tally;
  // Blank lines and what cannot be read belong to no row, so that bytes alone would not end at the whole.
  const isWhole = readAll && settled === read;
  const share = isWhole ? 1 : Math.min(settledBytes / Math.max(totalBytes, 1), 0.99);
  const filled = Math.floor(share * barWidth);
  const perSecond = elapsedMilliseconds === 0 ? 0 : (settled * 1_000) / elapsedMilliseconds;
  return [
    `[${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}] ${Math.floor(share * 100)} %`,
    `${settled} rows`,
    `${perSecond.toFixed(1)}/s`,
    ...(pending.size > 0 ? [`${pending.size} not decided yet`] : []),
    ...(refused.size > 0 ? [`${refused.size} refused`] : []),
    ...(retries > 0 ? [`${retries} retries (last: ${lastRetry})`] : []),
  ].join('  ');
}
