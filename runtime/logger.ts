import pino from 'pino';
import type { Logger } from 'pino';

/** Properties whose values never reach a log, wherever they stand in the first three levels of what is logged. */
const personal = [
  'email',
  'phone',
  'fullName',
  'firstName',
  'lastName',
  'displayName',
  'company',
  'address',
  'body',
  'authorization',
  'password',
  'token',
];

const mailAddress = /[^\s@"'(<,=]+@[^\s@"')>,]+/g;
const phoneNumber = /\+\d[\d ()./-]{6,}\d/g;

/** A structured logger for a process (`api`, `worker`): JSON lines on standard output, without personal data. */
export function createLogger(process: string, level: string): Logger {
  return pino({
    level,
    base: { process },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: describeError, error: describeError },
    redact: { paths: personal.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '[redacted]' },
  });
}

/** What may be logged of an error: PostgreSQL's messages and ORM's statements hold row values, so only their codes are kept. */
export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return typeof error === 'string' ? withoutPersonalData(error) : { type: typeof error };
  const { code, constraint, table } = error as Error & { code?: unknown; constraint?: unknown; table?: unknown };
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return {
    type: error.name,
    ...(isFromDatabase(error) ? {} : { message: withoutPersonalData(error.message) }),
    code,
    constraint,
    table,
    stack: frames.slice(0, 12).join('\n'),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}

/** A text in which mail addresses and international telephone numbers are masked. */
export function withoutPersonalData(text: string): string {
  return text.replaceAll(mailAddress, '[mail]').replaceAll(phoneNumber, '[number]');
}

/** A five-character SQLSTATE, or one of the ORM's exceptions around it. */
function isFromDatabase(error: Error): boolean {
  const { code } = error as Error & { code?: unknown };
  return /Exception$/.test(error.name) || (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code));
}
