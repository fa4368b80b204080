import { cpus, release, totalmem } from 'node:os';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';

/** One measured figure, with the limit that it should keep. */
export interface Figure {
  name: string;
  value: number;
  unit?: 'ms' | '×';
  limit?: { most?: number; least?: number };
  detail?: string;
}

export interface Section {
  title: string;
  figures: Figure[];
}

/** Whether a figure keeps its limit; one without a limit does. */
export function keepsLimit({ value, limit }: Figure): boolean {
  return value <= (limit?.most ?? Number.POSITIVE_INFINITY) && value >= (limit?.least ?? Number.NEGATIVE_INFINITY);
}

/** The table as Markdown. */
export function markdown(sections: readonly Section[]): string {
  return sections
    .map(({ title, figures }) =>
      [
        `## ${title}`,
        '',
        '| Figure | Measured | Limit | |',
        '| --- | --- | --- | --- |',
        ...figures.map(row),
        '',
        ...figures.flatMap(note),
      ].join('\n'),
    )
    .join('\n\n');
}

function row(figure: Figure): string {
  const { name, value, unit, limit } = figure;
  const shown = (number: number) => (Number.isInteger(number) ? String(number) : number.toFixed(number < 10 ? 2 : 0));
  const suffix = unit ? ` ${unit}` : '';
  const bound =
    limit?.most === undefined
      ? limit?.least === undefined
        ? ''
        : `≥ ${shown(limit.least)}${suffix}`
      : `≤ ${shown(limit.most)}${suffix}`;
  return `| ${name} | ${shown(value)}${suffix} | ${bound} | ${limit ? (keepsLimit(figure) ? 'kept' : '**missed**') : ''} |`;
}

const note = ({ detail }: Figure): string[] => (detail && detail !== '{}' ? [`${detail}`, ''] : []);

/** A section as it is kept, with where and when it was measured. */
interface KeptSection extends Section {
  machine: string;
  measuredAt: string;
}

const resultsPath = fileURLToPath(new URL('results.json', import.meta.url));

/** Writes `bench/results.json` and `bench/RESULTS.md`; sections that were not measured this time stay as they are. */
export async function keep(sections: readonly Section[]): Promise<void> {
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${release()}, Node ${process.version}`;
  const measuredAt = new Date().toISOString();
  const earlier = existsSync(resultsPath) ? (JSON.parse(readFileSync(resultsPath, 'utf8')) as KeptSection[]) : [];
  const kept = new Map(earlier.map((section) => [section.title, section]));
  for (const section of sections) kept.set(section.title, { ...section, machine, measuredAt });
  const all = [...kept.values()];
  writeFileSync(resultsPath, `${JSON.stringify(all, null, 2)}\n`);
  const intro = [
    '# Results',
    '',
    'Made by `npm run bench`: each section in one run on one machine; API, worker, PostgreSQL, Temporal and the load',
    'generator share it. Ratios compare what ran in turn, round by round; single times say little on another machine.',
  ].join('\n');
  const tables = all.map(
    (section) => `${markdown([section])}\nMeasured ${section.measuredAt.slice(0, 10)} on ${section.machine}.`,
  );
  const path = fileURLToPath(new URL('RESULTS.md', import.meta.url));
  const style = await resolveConfig(path);
  writeFileSync(path, await format([intro, ...tables].join('\n\n'), { ...style, filepath: path }));
}
