import { singleSpaced, trimmed } from '../../processes/text.ts';

// PostgreSQL stores no NUL, people read no control characters; breaks and tabs only in text of several lines.
// oxlint-disable-next-line no-control-regex
const controls = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/gu;
// Marks that turn the direction of writing make `exe.gpj` of a file name.
const turningMarks = /[\u202a-\u202e\u2066-\u2069]/gu;

// Composing puts the marks on a letter in order, in time that grows with their square. No script has more than a few;
// thirty is what Unicode promises to those who keep to it (UAX #15 §13, stream-safe text).
const endlessMarks = /(\p{M}{30})\p{M}+/gu;

/**
 * Text from outside as it may be stored: composed, whole characters, no controls, `\n` for breaks, no blanks at its ends,
 * at most `max` UTF-16 units; empty when nothing of it can be seen.
 */
export function cleanText(text: string, max: number): string {
  return cut(storable(text.replaceAll(/\r\n?/g, '\n')), max);
}

/** The same in one line: every run of blanks and breaks becomes one space, so that nothing can begin a header of its own. */
export function cleanLine(text: string, max: number): string {
  return cut(singleSpaced(storable(text.replaceAll(turningMarks, '').replaceAll(/[\t\r\n]/g, ' '))), max);
}

const storable = (text: string): string =>
  text.toWellFormed().replaceAll(controls, '').replaceAll(endlessMarks, '$1').normalize('NFC');

function cut(text: string, max: number): string {
  const short = trimmed(text).slice(0, max);
  // A character of two units that the end goes through is left out.
  return trimmed(short.isWellFormed() ? short : short.slice(0, -1));
}
