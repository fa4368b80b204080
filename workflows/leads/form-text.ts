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

const domainLetter =
  'A-Za-z0-9\\u00a1-\\u167f\\u1681-\\u1fff\\u2c00-\\u2fff\\u3001-\\ud7ff\\uf900-\\ufdcf\\ufdf0-\\ufefe';
const local = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]";

// A dotted ASCII local part and a domain that may be international; normalisation trims it and writes it in ASCII.
const emailAddress = new RegExp(
  `^ *${local}(?:\\.?${local}){0,63}@(?:[${domainLetter}](?:-*[${domainLetter}]){0,62}\\.)+` +
    `[${domainLetter.replace('0-9', '')}](?:-*[${domainLetter}]){1,62} *$`,
  'u',
);

const blanks = new RegExp(`[${blank}]+`, 'gu');
const edges = new RegExp(`^[${blank}\\t\\r\\n]+|[${blank}\\t\\r\\n]+$`, 'gu');

/** Text without blanks of any kind at its two ends. */
export const trimmed = (text: string): string => text.replace(edges, '');

/** Text trimmed, and each run of blanks within it made one space. */
export const singleSpaced = (text: string): string => trimmed(text).replace(blanks, ' ');

// Composed text is what is stored, and composing can lengthen it.
const codePoints = (text: string) => Math.max(Array.from(text).length, Array.from(text.normalize('NFC')).length);

/** Text by a pattern that is part of the published schema, 1 to `max` code points; `complaint` tells what was wrong. */
function patterned(pattern: RegExp, max: number, complaint: string, example: string) {
  return z
    .string({ error: 'must be text' })
    .refine((text) => codePoints(text) <= max, { error: `must be at most ${max} characters long`, abort: true })
    .refine((text) => trimmed(text) !== '', {
      error: 'must not be empty; leave the field out when it is not known',
      abort: true,
    })
    .refine((text) => pattern.test(text), { error: complaint })
    .meta({ pattern: pattern.source, minLength: 1, maxLength: max, example });
}

/** One line of text, 1 to `max` characters, not blank, without control characters. */
export const line = (max: number, example: string) =>
  patterned(singleLine, max, 'must be a single line without control characters', example);

/** Text of several lines, 1 to `max` characters, not blank, without control characters but tabs and line ends. */
export const prose = (max: number, example: string) =>
  patterned(severalLines, max, 'must not hold control characters other than tabs and line ends', example);

/** An e-mail address, up to 254 characters; the domain may be international (`anna@bücher.example`). */
export const emailAsWritten = () =>
  patterned(emailAddress, 254, 'must be an e-mail address such as ada@example.com', 'ada@example.com');
