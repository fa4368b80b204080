import { Problem } from '../db/model/problem.ts';

const deepest = 100;
const json = /^application\/(?:[a-z0-9.+-]+\+)?json\s*(?:;\s*charset="?utf-8"?\s*)?$/i;

export interface BodyRules {
  limitBytes: number;
  /** An absent body is `{}`. */
  optional: boolean;
}

/**
 * Reads a JSON body. Problems: `unsupported_media_type`, `body_too_large` (read no further than the limit), `malformed`
 * (broken JSON or UTF-8, absurd nesting), `invalid` (NUL or half a surrogate pair, which PostgreSQL cannot store).
 */
export async function readBody(request: Request, { limitBytes, optional }: BodyRules): Promise<unknown> {
  const bytes = await readBytes(request, limitBytes);
  if (bytes.length === 0 && optional) return {};
  if (!json.test(request.headers.get('content-type') ?? '')) {
    throw new Problem('unsupported_media_type', 'Send JSON in UTF-8, with the header Content-Type: application/json.');
  }
  const body = parse(bytes);
  refuseUnstorable(body, '', 0);
  return body;
}

/** The bytes of a body, read no further than the limit. Throws Problem `body_too_large`. */
export async function readBytes(request: Request, limitBytes: number): Promise<Buffer> {
  const tooLarge = new Problem(
    'body_too_large',
    `The body may hold ${limitBytes} bytes. Send less, or in several requests.`,
  );
  if (Number(request.headers.get('content-length') ?? 0) > limitBytes) throw tooLarge;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > limitBytes) throw tooLarge;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    if (bytes.length === 0) throw new Problem('malformed', 'The body is empty; send a JSON object.');
    // V8's message quotes the input, which may be personal: only what kind of breakage it is may leave.
    const what = error instanceof SyntaxError ? 'JSON' : 'UTF-8';
    throw new Problem('malformed', `The body is not valid ${what}.`, [], { cause: error });
  }
}

function refuseUnstorable(value: unknown, path: string, depth: number): void {
  if (depth > deepest) throw new Problem('malformed', `The body is nested deeper than ${deepest} levels.`);
  if (typeof value === 'string') {
    if (value.includes('\u0000')) throw unstorable(path, 'holds a NUL character');
    if (!value.isWellFormed()) throw unstorable(path, 'holds half a surrogate pair');
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) refuseUnstorable(item, `${path}[${index}]`, depth + 1);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      refuseUnstorable(key, path, depth + 1);
      refuseUnstorable(item, path === '' ? key : `${path}.${key}`, depth + 1);
    }
  }
}

function unstorable(path: string, message: string): Problem {
  return new Problem('invalid', 'The body holds text that cannot be stored; see errors.', [{ path, message }]);
}
