/**
 * Answers in the contract's shape. In: a value, or whatever was thrown. Out: a `Response` with the headers that browsers
 * need. An error that is not the contract's becomes `internal`: its text stays here.
 */
import { isErrorCode, LongshoreError } from "../errors.ts";
import { CORS_HEADERS } from "./cors.ts";

export interface RespondOptions {
  /** @default 200 */
  status?: number;
  headers?: Record<string, string>;
}

export function respond(body: unknown, { status = 200, headers = {} }: RespondOptions = {}): Response {
  return Response.json(body, { status, headers: { ...CORS_HEADERS, ...headers } });
}

export interface RespondErrorOptions {
  requestId: string;
}

export function respondError(thrown: unknown, { requestId }: RespondErrorOptions): Response {
  const error = toLongshoreError(thrown);
  const { code, message, details, status } = error;
  return respond({ code, message, details: { ...details, request_id: requestId } }, { status });
}

/** The error that clients may see in place of what was thrown. */
export function toLongshoreError(thrown: unknown): LongshoreError {
  if (thrown instanceof LongshoreError) return thrown;
  return fromPostgrest(thrown) ??
    new LongshoreError("internal", "Cannot answer: an unexpected error stopped the request", {
      cause: thrown,
    });
}

/** The error that a SQL function raised for its callers, as supabase-js hands it on; its details are JSON in a text. */
function fromPostgrest(thrown: unknown): LongshoreError | null {
  if (typeof thrown !== "object" || thrown === null) return null;
  const { code, message, details } = thrown as Record<string, unknown>;
  if (typeof code !== "string" || !isErrorCode(code) || typeof message !== "string") return null;
  const facts = typeof details === "string" ? parseObject(details) : null;
  return new LongshoreError(code, message, { cause: thrown, ...(facts ? { details: facts } : {}) });
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}
