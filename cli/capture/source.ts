import { existsSync, statSync } from 'node:fs';
import { extname } from 'node:path';
import { CommandFailed } from '../output.ts';
import { csvRows, readHeader } from './csv.ts';
import { inspectText, type TextFile } from './encoding.ts';
import { ndjsonColumns, ndjsonRows } from './ndjson.ts';
import type { Fields } from './transform.ts';

/** One row of a file, counted from 1 below the header. */
export interface Row {
  number: number;
  /** Bytes of its text in UTF-8, line end included; those of the header are in the first row's. */
  bytes: number;
  /** What it holds, or why it cannot be read. */
  content: { fields: Fields } | { unreadable: string };
}

/** A file of leads, ready to be read row by row. */
export interface Source {
  text: TextFile;
  /** The header's names without blanks around them; for NDJSON the names in its first rows. */
  columns: readonly string[];
  /** Whether `columns` are all that there are. */
  isHeader: boolean;
  rows(): AsyncGenerator<Row>;
}

/** Looks at a file without keeping it in memory. Throws CommandFailed when there is nothing in it to read. */
export async function openSource(path: string): Promise<Source> {
  if (!existsSync(path) || !statSync(path).isFile()) throw new CommandFailed(`There is no file ${path}.`);
  const kind = extname(path).toLowerCase();
  const text = await inspectText(path);
  if (['.ndjson', '.jsonl'].includes(kind)) {
    return { text, columns: await ndjsonColumns(text), isHeader: false, rows: () => ndjsonRows(text) };
  }
  if (!['.csv', '.tsv', '.txt'].includes(kind)) {
    throw new CommandFailed(
      `${path} is not one of .csv, .tsv, .txt (a header and rows) or .ndjson, .jsonl (an object on each line).`,
    );
  }
  const header = await readHeader(text);
  if (header.columns.length === 0) throw new CommandFailed(`${path} is empty: its first line must name the columns.`);
  return { text, columns: header.columns, isHeader: true, rows: () => csvRows(text, header) };
}
