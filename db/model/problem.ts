/** Every way in which the product refuses or fails, with the HTTP status of each (RFC 9457 `code`). */
export const problemStatus = {
  malformed: 400,
  invalid: 400,
  idempotency_key_missing: 400,
  invalid_cursor: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  feature_disabled: 404,
  method_not_allowed: 405,
  conflict: 409,
  in_progress: 409,
  duplicate: 409,
  illegal_stage: 409,
  stale: 412,
  body_too_large: 413,
  unsupported_media_type: 415,
  rule_violation: 422,
  process_owned: 422,
  reference_not_found: 422,
  idempotency_key_reused: 422,
  precondition_required: 428,
  rate_limited: 429,
  internal: 500,
  unavailable: 503,
} as const;

export type ProblemCode = keyof typeof problemStatus;

/** One wrong place in the input: `path` is a JSON path such as `hours.monday[0].to`. */
export interface ProblemEntry {
  path: string;
  message: string;
}

/**
 * A refusal or failure that a person can act on. One mapper for each surface turns it into HTTP problem details
 * (RFC 9457) or a Temporal `ApplicationFailure`; nothing else crosses a layer as an error on purpose.
 */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly errors: readonly ProblemEntry[];
  /** After so long the same may succeed, where that is known better than for its code. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ProblemCode,
    detail: string,
    errors: readonly ProblemEntry[] = [],
    options: ErrorOptions & { retryAfterSeconds?: number } = {},
  ) {
    super(detail, options);
    this.code = code;
    this.errors = errors;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get status(): number {
    return problemStatus[this.code];
  }
}
