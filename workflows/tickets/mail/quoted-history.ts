/** Longer lines are no attributions: patterns look at no more of a line. */
const longestLine = 400;

const original =
  /^-{2,}\s*(original message|ursprüngliche nachricht|message d['’]origine|mensaje original|messaggio originale|oorspronkelijk bericht)\s*-{2,}$/i;
const rule = /^_{10,}$/;
const attribution =
  /^(on|am|le|el|il|op|em)\s.{5,300}\s(wrote|schrieb|a écrit|escribió|ha scritto|schreef|escreveu)\b.{0,90}:$/i;
const headerFrom = /^\*?(from|von|de|da|van)\s?:\*?\s/i;
const headerOther =
  /^\*?(sent|date|to|cc|subject|gesendet|datum|an|betreff|envoyé|à|objet|enviado|fecha|para|asunto|inviato|data|oggetto|verzonden|aan|onderwerp)\s?:\*?\s/i;
const quoted = /^>/;
const signature = /^-- ?$/;

/**
 * What is new in a mail's plain text: without the messages it quotes (marked by `>`, by a line "On … wrote:", by a block
 * of headers) and without the signature (RFC 3676 §4.3). All of it when nothing else would be left.
 */
export function withoutHistory(text: string): string {
  const lines = text.split('\n');
  const fresh = withoutQuotes(untilHistory(lines));
  const end = fresh.findIndex((line) => signature.test(line));
  return joined(end < 0 ? fresh : fresh.slice(0, end)) || joined(fresh) || joined(lines);
}

const joined = (lines: readonly string[]): string => lines.join('\n').trim();

/** The lines before a history that carries no `>`: the rest of the mail, whoever wrote it, is old. */
function untilHistory(lines: readonly string[]): readonly string[] {
  const start = lines.findIndex((_, index) => {
    const line = lineAt(lines, index);
    return original.test(line) || isHeaderBlock(lines, rule.test(line) ? index + 1 : index);
  });
  return start < 0 ? lines : lines.slice(0, start);
}

/** `From:` and at least two of its fellows in the next lines. */
function isHeaderBlock(lines: readonly string[], at: number): boolean {
  const first = lineAt(lines, at) === '' ? at + 1 : at;
  if (!headerFrom.test(lineAt(lines, first))) return false;
  return [1, 2, 3, 4].filter((offset) => headerOther.test(lineAt(lines, first + offset))).length >= 2;
}

/** After an attribution goes what it announces: the lines marked with `>`, or else everything. */
function withoutQuotes(lines: readonly string[]): readonly string[] {
  const found = lines.findIndex((_, index) => attributionLength(lines, index) > 0);
  if (found < 0) return withoutTrailingQuote(lines);
  const before = lines.slice(0, found);
  const after = lines.slice(found + attributionLength(lines, found));
  return after.some((line) => quoted.test(line)) ? [...before, ...after.filter((line) => !quoted.test(line))] : before;
}

function withoutTrailingQuote(lines: readonly string[]): readonly string[] {
  const last = lines.findLastIndex((line) => !quoted.test(line) && line.trim() !== '');
  return lines.slice(last + 1).some((line) => quoted.test(line)) ? lines.slice(0, last + 1) : lines;
}

/** Over how many lines an attribution goes that begins here: mail programs break it anywhere. 0: there is none. */
function attributionLength(lines: readonly string[], at: number): number {
  if (lineAt(lines, at) === '') return 0;
  return (
    [1, 2, 3].find((count) =>
      attribution.test(Array.from({ length: count }, (_, offset) => lineAt(lines, at + offset)).join(' ')),
    ) ?? 0
  );
}

const lineAt = (lines: readonly string[], index: number): string => (lines[index] ?? '').slice(0, longestLine).trim();
