import { type TextFile, textOfFile } from './encoding.ts';
import type { Row } from './source.ts';

const sampleRows = 100;
const longestLine = 1_000_000;

/** Every line that is not blank is a row. One that is no JSON object is a row as well, with the reason. */
export async function* ndjsonRows(text: TextFile): AsyncGenerator<Row> {
  let number = 0;
  for await (const line of linesOf(text)) {
    if (line.trim() !== '') yield { number: ++number, bytes: Buffer.byteLength(line) + 1, content: contentOf(line) };
  }
}

/** Names that the first rows use. */
export async function ndjsonColumns(text: TextFile): Promise<string[]> {
  const names = new Set<string>();
  for await (const { number, content } of ndjsonRows(text)) {
    if ('fields' in content) for (const name of Object.keys(content.fields)) names.add(name);
    if (number >= sampleRows) break;
  }
  return [...names];
}

function contentOf(line: string): Row['content'] {
  if (line.length > longestLine) return { unreadable: `is longer than ${longestLine} characters` };
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return { fields: value as Record<string, unknown> };
    return { unreadable: 'is JSON, but no object' };
  } catch {
    return { unreadable: 'is not JSON' };
  }
}

/** The lines of a text; of one that is too long only the beginning is kept. */
async function* linesOf(text: TextFile): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of textOfFile(text)) {
    const lines = piece.split('\n');
    for (const [index, part] of lines.entries()) {
      if (rest.length <= longestLine) rest += part;
      if (index === lines.length - 1) break;
      yield rest;
      rest = '';
    }
  }
  yield rest;
}
