/**
 * The one error of the client. In: whatever functions, tables, Storage or the network answered. Out: a
 * `LongshoreClientError` with the contract's code, or `unreachable` where nobody answered. The text of an unknown failure
 * is kept as the `cause`; the message is for a person.
 */

export interface LongshoreClientErrorOptions {
  /** Facts for a program, such as the paths of issues or the id of the commit that there is already. */
  details?: Record<string, unknown> | null;
  /** The HTTP status; 0 where there was no answer. @default 0 */
  status?: number;
  cause?: unknown;
}

export class LongshoreClientError extends Error {
  /** A code of the contract, or `unreachable`. */
  readonly code: string;
  readonly details: Record<string, unknown> | null;
  readonly status: number;

  constructor(code: string, message: string, options: LongshoreClientErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = "LongshoreClientError";
    this.code = code;
    this.details = options.details ?? null;
    this.status = options.status ?? 0;
  }

  /** Whether the same call may go through a moment later. */
  get passing(): boolean {
    return this.status === 0 ? this.code === "unreachable" : this.status >= 500;
  }
}

/** What the failed call was about, as a person would say it: `read the job "…"`. */
export interface FailedCall {
  task: string;
  /** The HTTP status, where the error itself does not tell. @default 0 */
  status?: number;
}

/** The error for an answer of PostgREST or Storage, as supabase-js hands it on. */
export function fromSupabase(error: unknown, { task, status }: FailedCall): LongshoreClientError {
  const facts = isRecord(error) ? error : {};
  // Storage answers every refusal with 400 and puts what it is into the body.
  const answered = status || Number(facts["statusCode"]) || Number(facts["status"]) || 0;
  const { code, message } = facts;
  // The engine's own errors keep their code; others have PostgREST's or Postgres's, which mean nothing to an app.
  if (typeof code === "string" && /^[a-z]+(_[a-z]+)*$/.test(code) && typeof message === "string") {
    return new LongshoreClientError(code, message, {
      details: parseDetails(facts["details"]),
      status: answered,
      cause: error,
    });
  }
  return fromStatus(answered, { task, cause: error });
}

/** The error for an answer that is not in the contract's shape. */
export function fromStatus(
  status: number,
  { task, cause }: { task: string; cause?: unknown },
): LongshoreClientError {
  const options = { status, cause };
  const because = (code: string, found: string) =>
    new LongshoreClientError(code, `Cannot ${task}: ${found}`, options);
  if (status === 0) return because("unreachable", "found no answer, expected a connection to the server");
  if (status === 401) return because("not_authenticated", "found no valid session, expected to be signed in");
  if (status === 403) return because("not_allowed", "found no right to do so");
  if (status === 413) return because("file_too_large", "found a file that is larger than allowed");
  if (status === 415) return because("unsupported_format", "found a type of file that is not allowed");
  return because("internal", `found the answer ${status}, expected success`);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** PostgREST hands details on as a text. */
function parseDetails(details: unknown): Record<string, unknown> | null {
  if (isRecord(details)) return details;
  if (typeof details !== "string") return null;
  try {
    const parsed: unknown = JSON.parse(details);
    return isRecord(parsed) ? parsed : null;
  } catch {
    return null;
  }
}
