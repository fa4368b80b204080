/** A mail of ten MiB in base64 has fewer lines; reading one takes some microseconds each, in which the API does nothing else. */
const mostLines = 150_000;
const mostParts = 500;
const mostBoundaries = 50;

/** What a mail has too much of to be read at all, in words; null for one that can be. */
export function excessOf(source: Buffer): string | null {
  if (count(source, '\n', mostLines) > mostLines) return `more than ${mostLines} lines`;
  const header = /boundary\s{0,9}=\s{0,9}(?:"([^"\r\n]{1,100})"|([^\s;"]{1,100}))/gi;
  const boundaries = new Set<string>();
  for (const [, quoted, plain] of source.toString('latin1').matchAll(header)) {
    boundaries.add(quoted ?? plain ?? '');
    if (boundaries.size > mostBoundaries) return `more than ${mostBoundaries} levels of parts`;
  }
  let parts = 0;
  for (const boundary of boundaries) {
    parts += count(source, `\n--${boundary}`, mostParts);
    if (parts > mostParts) return `more than ${mostParts} parts`;
  }
  return null;
}

/** How often `needle` occurs; counted no further than one more than `most`. */
function count(source: Buffer, needle: string, most: number): number {
  let found = 0;
  for (let at = source.indexOf(needle, 0, 'latin1'); at >= 0 && found <= most; found++)
    at = source.indexOf(needle, at + 1, 'latin1');
  return found;
}
