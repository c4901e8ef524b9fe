/**
 * What is thrown on purpose. A `LongshoreError` has a stable `code` (listed in `docs/errors.md`), a
 * message for a person, and the HTTP status it answers with. Anything else that is thrown is a defect or an
 * outage: it becomes `internal`, and its text is never shown; only that of a `SetupError` is logged.
 */

const STATUS = {
  invalid_request: 400,
  not_authenticated: 401,
  not_allowed: 403,
  unknown_dataset: 404,
  unknown_report: 404,
  unknown_view: 404,
  file_not_found: 404,
  job_not_found: 404,
  not_checked: 409,
  has_problems: 409,
  already_committed: 409,
  expired: 409,
  target_changed: 409,
  idempotency_conflict: 409,
  file_changed: 409,
  file_too_large: 413,
  too_large_for_one_transaction: 413,
  unsupported_format: 415,
  unreadable_file: 422,
  empty_file: 422,
  missing_columns: 422,
  unknown_columns: 422,
  ambiguous_columns: 422,
  encrypted_file: 422,
  unsafe_file: 422,
  unknown_sheet: 422,
  too_many_problems: 422,
  too_many_jobs: 429,
  refresh_failed: 500,
  internal: 500,
} as const;

/** Every code that an HTTP body or `job.error` can carry. */
export type ErrorCode = keyof typeof STATUS;

export interface LongshoreErrorOptions {
  /** Facts for a program: paths of issues, names found, names expected. Never a cell value. */
  details?: Record<string, unknown>;
  cause?: unknown;
}

export class LongshoreError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly details: Record<string, unknown> | null;

  constructor(code: ErrorCode, message: string, options: LongshoreErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = "LongshoreError";
    this.code = code;
    this.status = STATUS[code];
    this.details = options.details ?? null;
  }
}

/**
 * What whoever runs Longshore has to set right, such as an address. Clients see `internal`; the log has the message, which
 * therefore quotes no data and no secret.
 */
export class SetupError extends Error {
  /** For a program, in capitals, such as "CERTIFICATE_NOT_VERIFIED". */
  readonly code: string;

  constructor(code: string, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = "SetupError";
    this.code = code;
  }
}

/** Whether `code` is one of the contract's codes. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(STATUS, code);
}

/** The codes of the contract with their HTTP statuses, for documents and tests. */
export function errorCodes(): ReadonlyArray<{ code: ErrorCode; status: number }> {
  return Object.entries(STATUS).map(([code, status]) => ({ code: code as ErrorCode, status }));
}
