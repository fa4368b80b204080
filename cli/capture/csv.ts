import { Readable } from 'node:stream';
import { type CsvError, type Info, type Options, parse } from 'csv-parse';
import { parse as parseText } from 'csv-parse/sync';
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

const tolerant: Options = { relax_column_count: true, relax_quotes: true, skip_empty_lines: true, max_record_size: longestRow };

/** Reads the header, and finds out the delimiter by which the first rows fall into the most columns, all alike. */
export async function readHeader(text: TextFile): Promise<Header> {
  const sample = await beginningOf(text);
  const readings = delimiters.map((delimiter) => {
    const rows = sampleRows(sample, delimiter);
    const width = rows[0]?.length ?? 0;
    const alike = rows.filter((row) => row.length === width).length;
    return { delimiter, columns: (rows[0] ?? []).map((name) => name.trim()), evidence: width > 1 ? width * (alike / rows.length) : 0 };
  });
  const [best] = readings.toSorted((a, b) => b.evidence - a.evidence);
  const { columns = [], delimiter = ',' } = best ?? {};
  refuseAmbiguous(columns);
  return { columns, delimiter };
}

/** Every row below the header. A row that cannot be read is one as well, with the reason. */
export async function* csvRows(text: TextFile, { columns, delimiter }: Header): AsyncGenerator<Row> {
  const skipped: CsvError[] = [];
  const parser = parse({
    ...tolerant,
    delimiter,
    info: true,
    skip_records_with_error: true,
    on_skip: (error) => {
      if (error) skipped.push(error);
      return undefined;
    },
  });
  const input = Readable.from(textOfFile(text));
  input.on('error', (error) => parser.destroy(error));
  let number = -1;
  let end = 0;
  const unreadable = ({ message }: CsvError): Row => ({ number: ++number, bytes: 0, content: { unreadable: message } });
  for await (const { info, record } of input.pipe(parser) as AsyncIterable<{ info: Info; record: string[] }>) {
    for (const error of skipped.splice(0)) yield unreadable(error);
    const bytes = info.bytes - end;
    end = info.bytes;
    if (++number > 0) yield { number, bytes, content: contentOf(columns, record) };
  }
  for (const error of skipped) yield unreadable(error);
}

/** A row shorter than the header lacks its last fields; one with more than there are columns cannot be trusted. */
function contentOf(columns: readonly string[], record: readonly string[]): Row['content'] {
  const surplus = record.slice(columns.length).filter((value) => value.trim() !== '');
  if (surplus.length > 0) {
    return { unreadable: `has ${record.length} fields where the header names ${columns.length}; is a quote or a delimiter missing?` };
  }
  return { fields: Object.fromEntries(columns.map((name, index) => [name, record[index] ?? ''])) };
}

async function beginningOf(text: TextFile): Promise<string> {
  let sample = '';
  for await (const piece of textOfFile(text)) {
    sample += piece;
    if (sample.length >= sampleLength) break;
  }
  return sample.slice(0, sampleLength);
}

function sampleRows(sample: string, delimiter: string): string[][] {
  try {
    return parseText(sample, { ...tolerant, delimiter, to: 20 });
  } catch {
    return [];
  }
}

function refuseAmbiguous(columns: readonly string[]): void {
  const twice = columns.filter((name, index) => name !== '' && columns.indexOf(name) !== index);
  if (twice.length > 0) throw new CommandFailed(`The header names ${twice.map((name) => `"${name}"`).join(', ')} more than once.`);
}
