import { z } from 'zod';

// Ranges are spelled out, never `\s` or `\p{…}`: the patterns are published as JSON Schema, which readers in other
// languages run on their own engines. Lone surrogates are refused with the controls: PostgreSQL cannot store them.
const controls = '\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff';
const controlsButLines = '\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\ud800-\\udfff';

// Characters that leave no ink: spaces of every width and invisible marks. Joiners inside words (U+200C, U+200D) are
// none: Persian and the scripts of India write with them.
const blank = ' \\u00a0\\u1680\\u2000-\\u200b\\u200e\\u200f\\u2028-\\u202f\\u205f-\\u2064\\u2066-\\u206f\\u3000\\ufeff';

const singleLine = new RegExp(`^[${blank}]*[^${controls}${blank}][^${controls}]*$`, 'u');
const severalLines = new RegExp(`^[${blank}\\t\\r\\n]*[^${controls}${blank}][^${controlsButLines}]*$`, 'u');

const edge = new RegExp(`[${blank}\\t\\r\\n]`, 'u');
const blanks = new RegExp(`[${blank}]+`, 'gu');

/** Text without blanks of any kind at its two ends. */
export function trimmed(text: string): string {
  // By hand: a pattern for the end would look at each inner run of blanks from each of its characters.
  let start = 0;
  let end = text.length;
  while (start < end && edge.test(text.charAt(start))) start++;
  while (end > start && edge.test(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Text trimmed, and each run of blanks within it made one space. */
export const singleSpaced = (text: string): string => trimmed(text).replace(blanks, ' ');

// Composed text is what is stored, and composing can lengthen it. Not of a text that is too long anyway: composing takes
// time that grows with the square of the marks on one letter.
const isWithin = (text: string, max: number): boolean =>
  text.length <= 2 * max && Array.from(text).length <= max && Array.from(text.normalize('NFC')).length <= max;

/** An example to be published, and the one form that a text is brought to: trimmed, unless its kind says more. */
interface TextKind {
  example?: string | undefined;
  form?: (text: string) => string;
}

/**
 * Text by a pattern that is part of the published schema, 1 to `max` code points, in one form; `complaint` tells what was
 * wrong.
 */
export function patterned(pattern: RegExp, max: number, complaint: string, { example, form = trimmed }: TextKind) {
  return z
    .string({ error: 'must be text' })
    .refine((text) => isWithin(text, max), { error: `must be at most ${max} characters long`, abort: true })
    .refine((text) => trimmed(text) !== '', {
      error: 'must not be empty; leave the field out when it is not known',
      abort: true,
    })
    .refine((text) => pattern.test(text), { error: complaint })
    .overwrite(form)
    .meta({
      pattern: pattern.source,
      minLength: 1,
      maxLength: max,
      ...(example === undefined ? {} : { examples: [example] }),
    });
}

/** One line of text, 1 to `max` characters, not blank, without control characters; trimmed. */
export const line = (max: number, example?: string) =>
  patterned(singleLine, max, 'must be a single line without control characters', { example });

/** Text of several lines, 1 to `max` characters, not blank, without control characters but tabs and line ends; trimmed. */
export const prose = (max: number, example?: string) =>
  patterned(severalLines, max, 'must not hold control characters other than tabs and line ends', { example });
