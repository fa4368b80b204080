import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { openSource, type Row } from '../../../cli/capture/source.ts';

/** A folder for the files of one test file, removed at its end; answers how to write into it. */
export function fileFolder(): (name: string, content: string | Uint8Array) => string {
  const folder = mkdtempSync(join(tmpdir(), 'crm-capture-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  return (name, content) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
}

/** Every row of a file. */
export async function rowsOf(path: string): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of (await openSource(path)).rows()) rows.push(row);
  return rows;
}
