/**
 * What every Edge Function does around its own work. In: the function's name and what answers a call. Out: a handler for
 * `Deno.serve`: preflights, a request id, the caller, errors in the contract's shape, one line in the log.
 */
import { LongshoreError } from "../errors.ts";
import { authenticate, type Caller } from "./authenticate.ts";
import { CORS_HEADERS } from "./cors.ts";
import { logEvent, type LogFields, safeErrorFields } from "./log.ts";
import { respondError, toLongshoreError } from "./respond.ts";

export interface Call {
  request: Request;
  url: URL;
  requestId: string;
  caller: Caller;
  /** Fields for log lines about this call; what is added here is in its last line too. */
  log: LogFields;
}

export interface HandleOptions {
  /** @default ["GET", "POST"] */
  methods?: readonly string[];
}

export function handle(
  name: string,
  answer: (call: Call) => Promise<Response>,
  { methods = ["GET", "POST"] }: HandleOptions = {},
): (request: Request) => Promise<Response> {
  return async (request) => {
    if (request.method === "OPTIONS") return new Response(null, { status: 204, headers: CORS_HEADERS });
    const startedAt = performance.now();
    const requestId = requestIdOf(request);
    const log: LogFields = { function: name, request_id: requestId };
    let response: Response;
    try {
      if (!methods.includes(request.method)) {
        throw new LongshoreError(
          "invalid_request",
          `Cannot answer: found the method ${request.method}, expected ${methods.join(" or ")}`,
        );
      }
      const caller = await authenticate(request);
      response = await answer({ request, url: new URL(request.url), requestId, caller, log });
    } catch (thrown) {
      response = respondError(thrown, { requestId });
      const { code } = toLongshoreError(thrown);
      log.code = code;
      if (code === "internal") logEvent("error", "request_failed", { ...log, ...safeErrorFields(thrown) });
    }
    response.headers.set("x-request-id", requestId);
    logEvent("info", "request", {
      ...log,
      method: request.method,
      status: response.status,
      duration_ms: Math.round(performance.now() - startedAt),
    });
    return response;
  };
}

/** The caller's own id where it has the form of one, since it goes into the log. */
function requestIdOf(request: Request): string {
  const given = request.headers.get("x-request-id");
  return given && /^[\w-]{8,64}$/.test(given) ? given : crypto.randomUUID();
}
