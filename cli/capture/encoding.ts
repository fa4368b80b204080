import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';

/** How the bytes of a file are to be read, and how long its text is in UTF-8. */
export interface TextFile {
  path: string;
  encoding: 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';
  /** Bytes of the text in UTF-8: what progress is measured against. */
  textBytes: number;
}

/**
 * Finds out the encoding: by byte order mark, by the zero bytes of UTF-16, else UTF-8 where the whole file is valid
 * UTF-8 and Windows-1252 (which holds Latin-1) where it is not. Reads the file once, a piece at a time.
 */
export async function inspectText(path: string): Promise<TextFile> {
  const start = await firstBytes(path);
  const wide = utf16Of(start);
  if (wide) return { path, encoding: wide, textBytes: await textBytes(path, wide) };
  const length = await textBytes(path, 'utf-8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return null;
    throw error;
  });
  if (length !== null) return { path, encoding: 'utf-8', textBytes: length };
  return { path, encoding: 'windows-1252', textBytes: await textBytes(path, 'windows-1252') };
}

/** The text of a file, a piece at a time, without byte order mark. */
export async function* textOfFile({ path, encoding }: Pick<TextFile, 'path' | 'encoding'>): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding, { fatal: encoding === 'utf-8' });
  for await (const bytes of createReadStream(path)) yield decoder.decode(bytes as Buffer, { stream: true });
  yield decoder.decode();
}

async function textBytes(path: string, encoding: TextFile['encoding']): Promise<number> {
  let length = 0;
  for await (const text of textOfFile({ path, encoding })) length += Buffer.byteLength(text);
  return length;
}

async function firstBytes(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4_096), 0, 4_096, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function utf16Of(start: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  if (start[0] === 0xff && start[1] === 0xfe) return 'utf-16le';
  if (start[0] === 0xfe && start[1] === 0xff) return 'utf-16be';
  // Without a mark: every second byte of Western text is zero.
  const zeros = (offset: 0 | 1) => start.filter((byte, index) => index % 2 === offset && byte === 0).length;
  const half = start.length / 2;
  if (zeros(1) > half * 0.5 && zeros(0) === 0) return 'utf-16le';
  if (zeros(0) > half * 0.5 && zeros(1) === 0) return 'utf-16be';
  return undefined;
}
