import type { z } from 'zod';

type Issue = z.core.$ZodRawIssue;

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
};

const formats: Readonly<Record<string, string>> = {
  datetime: 'an instant with its offset, such as 2026-11-21T09:30:00Z',
  date: 'a date such as 2026-11-21',
  time: 'a time such as 09:30',
  uuid: 'a UUID',
  email: 'a mail address',
  url: 'a web address',
};

/**
 * Says of a value that a schema refuses what it has to be, for whoever sent it: `schema.safeParse(input, { error: complaint })`.
 * What the schema says itself goes before.
 */
export function complaint(issue: Issue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `must be ${kinds[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `must ${bounded(issue.origin, 'at least', issue.inclusive === false, 'more than', issue.minimum)}`;
    case 'too_big':
      return `must ${bounded(issue.origin, 'at most', issue.inclusive === false, 'less than', issue.maximum)}`;
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return formats[issue.format] === undefined
        ? 'does not have the form asked for'
        : `must be ${formats[issue.format]}`;
    case 'unrecognized_keys':
      return `does not know ${issue.keys.join(', ')}`;
    case 'invalid_union':
      return 'has none of the forms asked for';
    default:
      return undefined;
  }
}

function bounded(origin: string, within: string, isOpen: boolean, beyond: string, limit: number | bigint): string {
  if (origin === 'string') return `be ${within} ${limit} characters long`;
  if (origin === 'array' || origin === 'set')
    return `hold ${within} ${limit} ${Number(limit) === 1 ? 'entry' : 'entries'}`;
  return `be ${isOpen ? beyond : within} ${limit}`;
}
