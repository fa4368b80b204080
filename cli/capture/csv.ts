import { Readable } from 'node:stream';
import { type CsvError, type Info, type Options, parse } from 'csv-parse';
import { CommandFailed } from '../output.ts';
import { type TextFile, textOfFile } from './encoding.ts';
import type { Row } from './source.ts';

/** The first line of a CSV file, and what separates its fields. */
export interface Header {
  columns: readonly string[];
  delimiter: string;
}

const delimiters = [',', ';', '\t', '|'];
const sampleLength = 65_536;

// Bounds what a quote that nobody closes can swallow.
const longestRow = 1_000_000;

const tolerant: Options = {
  relax_column_count: true,
  relax_quotes: true,
  skip_empty_lines: true,
  max_record_size: longestRow,
  skip_records_with_error: true,
};

/** Reads the header, and finds out the delimiter by which the first rows fall into the most columns, all alike. */
export async function readHeader(text: TextFile): Promise<Header> {
  const sample = await beginningOf(text);
  let best: Header & { evidence: number } = { columns: [], delimiter: ',', evidence: -1 };
  for (const delimiter of delimiters) {
    const rows = await sampleRows(sample, delimiter);
    const columns = (rows[0] ?? []).map((name) => name.trim());
    const alike = rows.filter((row) => row.length === columns.length).length;
    const evidence = columns.length > 1 ? columns.length * (alike / rows.length) : 0;
    if (evidence > best.evidence) best = { columns, delimiter, evidence };
  }
  refuseAmbiguous(best.columns);
  return best;
}

/** Every row below the header. A row that cannot be read is one as well, with the reason. */
export async function* csvRows(text: TextFile, { columns, delimiter }: Header): AsyncGenerator<Row> {
  const skipped: CsvError[] = [];
  const parser = parse({
    ...tolerant,
    delimiter,
    info: true,
    on_skip: (error) => {
      if (error) skipped.push(error);
      return undefined;
    },
  });
  const input = Readable.from(textOfFile(text));
  input.on('error', (error) => parser.destroy(error));
  let number = -1;
  let end = 0;
  // The parser is ahead of its reader: a row that it skipped belongs before the first record that it counted later.
  function* skippedBefore(records: number): Generator<Row> {
    while (Number(skipped[0]?.['records']) < records) {
      yield { number: ++number, bytes: 0, content: { unreadable: lowerFirst(skipped.shift()?.message ?? '') } };
    }
  }
  for await (const { info, record } of input.pipe(parser) as AsyncIterable<{ info: Info; record: string[] }>) {
    yield* skippedBefore(info.records);
    if (++number === 0) continue;
    yield { number, bytes: info.bytes - end, content: contentOf(columns, record) };
    end = info.bytes;
  }
  yield* skippedBefore(Infinity);
}

/** A row shorter than the header lacks its last fields; one with more than there are columns cannot be trusted. */
function contentOf(columns: readonly string[], record: readonly string[]): Row['content'] {
  const surplus = record.slice(columns.length).filter((value) => value.trim() !== '');
  if (surplus.length > 0) {
    return {
      unreadable: `has ${record.length} fields where the header names ${columns.length}; is a quote or a delimiter missing?`,
    };
  }
  return { fields: Object.fromEntries(columns.map((name, index) => [name, record[index] ?? ''])) };
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

async function beginningOf(text: TextFile): Promise<string> {
  let sample = '';
  for await (const piece of textOfFile(text)) {
    sample += piece;
    if (sample.length >= sampleLength) break;
  }
  return sample.slice(0, sampleLength);
}

async function sampleRows(sample: string, delimiter: string): Promise<string[][]> {
  const rows: string[][] = [];
  for await (const row of Readable.from([sample]).pipe(parse({ ...tolerant, delimiter, to: 20 })))
    rows.push(row as string[]);
  return rows;
}

function refuseAmbiguous(columns: readonly string[]): void {
  const twice = columns.filter((name, index) => name !== '' && columns.indexOf(name) !== index);
  if (twice.length > 0)
    throw new CommandFailed(`The header names ${twice.map((name) => `"${name}"`).join(', ')} more than once.`);
}
