import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { openSource, type Row } from '../../../cli/capture/source.ts';
import { fileFolder, rowsOf } from './files.ts';

const file = fileFolder();
const contents = (rows: Row[]) =>
  rows.map(({ content }) => ('fields' in content ? Object.values(content.fields) : content.unreadable));

describe('a CSV file', () => {
  it.each([
    ['comma.csv', 'name,city\nÄda,Köln\n'],
    ['semicolon.csv', 'name;city\nÄda;Köln\n'],
    ['tab.tsv', 'name\tcity\nÄda\tKöln\n'],
    ['bar.txt', 'name|city\r\nÄda|Köln\r\n'],
    ['mark.csv', '\ufeffname,city\nÄda,Köln'],
    ['quoted.csv', '"name" , "city"\n"Äda","Köln"\n'],
    ['blank-lines.csv', '\n\nname,city\n\nÄda,Köln\n\n'],
    ['commas-in-semicolons.csv', 'name;city\n"Äda";Köln\n'],
  ])('is read, whatever separates it: %s', async (name, text) => {
    const path = file(name, text);
    expect((await openSource(path)).columns.map((column) => column.replaceAll('"', '').trim())).toEqual([
      'name',
      'city',
    ]);
    expect(contents(await rowsOf(path))).toEqual([['Äda', 'Köln']]);
  });

  it.each([
    ['utf-8', Buffer.from('name,city\nÄda,Köln\n')],
    ['utf-16le', Buffer.from('\ufeffname,city\nÄda,Köln\n', 'utf16le')],
    ['utf-16le', Buffer.from('name,city\nÄda,Köln\n', 'utf16le')],
    ['utf-16be', Buffer.from('\ufeffname,city\nÄda,Köln\n', 'utf16le').swap16()],
    ['windows-1252', Buffer.from('name,city\nÄda,Köln\n', 'latin1')],
  ])('is read in %s', async (encoding, bytes) => {
    const path = file(`${encoding}-${bytes.length}.csv`, bytes);
    expect((await openSource(path)).text.encoding).toBe(encoding);
    expect(contents(await rowsOf(path))).toEqual([['Äda', 'Köln']]);
  });

  it('is Latin-1 when a letter far below its beginning is', async () => {
    const path = file(
      'late.csv',
      Buffer.concat([Buffer.from(`name,city\n${'Ada,Rome\n'.repeat(20_000)}`), Buffer.from('Ada,Köln\n', 'latin1')]),
    );
    expect(contents(await rowsOf(path)).at(-1)).toEqual(['Ada', 'Köln']);
  });

  it('keeps line ends and delimiters within quotes, and counts rows, not lines', async () => {
    const path = file('quotes.csv', 'a,b\n"x\ny","1,2"\nz,"say ""hi"""\n');
    expect(await rowsOf(path)).toMatchObject([
      { number: 1, content: { fields: { a: 'x\ny', b: '1,2' } } },
      { number: 2, content: { fields: { a: 'z', b: 'say "hi"' } } },
    ]);
  });

  it('has a row for every record, readable or not', async () => {
    const path = file('bad.csv', 'a,b\n1\n1,2,\n1,2,3\n5,6\n7,"8\n9,10\n');
    expect(contents(await rowsOf(path))).toEqual([
      ['1', ''],
      ['1', '2'],
      expect.stringContaining('has 3 fields where the header names 2'),
      ['5', '6'],
      expect.stringContaining('quote Not Closed'),
    ]);
    expect((await rowsOf(path)).map(({ number }) => number)).toEqual([1, 2, 3, 4, 5]);
  });

  it('is not swallowed by a quote that is never closed', async () => {
    const rows = await rowsOf(file('swallow.csv', `a,b\n1,2\n3,"4\n${'5,6\n'.repeat(400_000)}`));
    expect(contents(rows.slice(0, 2))).toEqual([['1', '2'], expect.stringContaining('max Record Size')]);
  });

  it('is refused when empty, ambiguous, of another kind or not there', async () => {
    await expect(openSource(file('empty.csv', ''))).rejects.toThrow('is empty');
    await expect(openSource(file('twice.csv', 'a,b, a\n1,2,3\n'))).rejects.toThrow('names "a" more than once');
    await expect(openSource(file('book.xlsx', 'PK'))).rejects.toThrow('is not one of .csv');
    await expect(openSource('/nowhere/at/all.csv')).rejects.toThrow('There is no file');
  });

  it('gives back every record that was written, and its bytes add up', async () => {
    const cell = fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.replaceAll('\ufeff', ''));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(cell, cell), { maxLength: 30 }), async (records) => {
        const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
        const text = `a,b\n${records.map((record) => `${record.map(quoted).join(',')}\n`).join('')}`;
        const path = file('property.csv', text);
        const rows = await rowsOf(path);
        expect(contents(rows)).toEqual(records);
        const total = rows.reduce((sum, { bytes }) => sum + bytes, 0);
        expect(total).toBeLessThanOrEqual(Buffer.byteLength(text));
      }),
      { numRuns: 50 },
    );
  });
});

describe('an NDJSON file', () => {
  it('has a row for every line that is not blank, readable or not', async () => {
    const path = file('leads.ndjson', '{"email":"a@x.example","utm":{"source":"s"}}\n\n[1]\n{broken\n{"phone":1}');
    const source = await openSource(path);
    expect(source.columns).toEqual(['email', 'utm', 'phone']);
    const rows = await rowsOf(path);
    expect(rows.map(({ number }) => number)).toEqual([1, 2, 3, 4]);
    expect(rows.map(({ content }) => content)).toEqual([
      { fields: { email: 'a@x.example', utm: { source: 's' } } },
      { unreadable: 'is JSON, but no object' },
      { unreadable: 'is not JSON' },
      { fields: { phone: 1 } },
    ]);
  });

  it('does not keep a line that never ends', async () => {
    const rows = await rowsOf(file('endless.jsonl', `{"a":"${'x'.repeat(3_000_000)}"}\n{"a":1}\n`));
    expect(rows.map(({ content }) => 'fields' in content)).toEqual([false, true]);
  });
});
