import { z } from 'zod';

// Control characters have no place in what a person writes; line breaks and tabs only in text of several lines.
// oxlint-disable-next-line no-control-regex
const singleLine = /^[^\u0000-\u001f\u007f-\u009f]*$/u;
// oxlint-disable-next-line no-control-regex
const multiLine = /^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$/u;

/** One line of text in a message: trimmed, 1 to `max` characters, no control characters. */
export const line = (max: number) => z.string().trim().min(1).max(max).regex(singleLine, 'holds control characters');

/** Text of several lines in a message: trimmed, 1 to `max` characters, no control characters but breaks and tabs. */
export const prose = (max: number) => z.string().trim().min(1).max(max).regex(multiLine, 'holds control characters');
