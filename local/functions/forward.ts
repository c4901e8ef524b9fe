/**
 * Takes one call to an isolate and its answer back, both as streams. In: the call and the function's pool. Out: the
 * function's answer, or the platform's own where there is none. A call whose isolate dies is not tried again.
 */
import type { ServiceCall } from "../service.ts";
import type { ExitReason, Isolate } from "./isolate.ts";
import type { Pool } from "./pool.ts";

export interface ForwardOptions {
  pool: Pool;
  http: Deno.HttpClient;
  /** Called when an isolate breaks off a request without a limit being the reason. */
  onError(isolate: Isolate, error: unknown): void;
}

const HOP_BY_HOP = ["connection", "keep-alive", "transfer-encoding", "upgrade", "proxy-connection", "te"];
const LIMIT_REASONS = new Set<ExitReason>([
  "cpu",
  "memory",
  "wall_clock",
  "early_drop",
  "termination",
  "killed",
]);

export async function forward(call: ServiceCall, options: ForwardOptions): Promise<Response> {
  let isolate: Isolate;
  try {
    isolate = await options.pool.acquire();
  } catch {
    return failure(503, { code: "BOOT_ERROR", message: "Function failed to start (please check logs)" });
  }
  const { request } = call;
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), options.pool.limits.requestMs);
  const init: RequestInit & { client: Deno.HttpClient } = {
    method: request.method,
    headers: forwardedHeaders(request, call.url),
    body: request.body,
    redirect: "manual",
    signal: AbortSignal.any([request.signal, timeout.signal]),
    client: options.http,
  };
  isolate.unanswered++;
  isolate.rests = false;
  try {
    return asHosted(
      await fetch(`http://127.0.0.1:${isolate.port}${call.path}${call.url.search}`, init),
      request,
    );
  } catch (error) {
    if (request.signal.aborted) {
      return failure(499, { code: "CLIENT_CLOSED_REQUEST", message: "The client has gone" });
    }
    if (timeout.signal.aborted) {
      return failure(504, { code: "IDLE_TIMEOUT", message: "Function timed out (please check logs)" });
    }
    const reason = await Promise.race([isolate.exited, after(1000)]);
    if (reason && LIMIT_REASONS.has(reason)) {
      const message = "Function failed due to not having enough compute resources (please check logs)";
      return failure(546, { code: "WORKER_LIMIT", message });
    }
    options.onError(isolate, error);
    return failure(500, {
      code: "WORKER_ERROR",
      message: "Function exited due to an error (please check logs)",
    });
  } finally {
    clearTimeout(timer);
    isolate.unanswered--;
    if (isolate.state === "retired") isolate.retire();
  }
}

function forwardedHeaders(request: Request, url: URL): Headers {
  const headers = new Headers(request.headers);
  for (const name of HOP_BY_HOP) headers.delete(name);
  headers.set("host", url.host);
  // Compressing is the gateway's work, as hosted, and not the isolate's CPU time.
  headers.set("accept-encoding", "identity");
  return headers;
}

/** Hosted functions cannot serve pages: HTML on GET is shown as text. */
function asHosted(response: Response, request: Request): Response {
  const type = response.headers.get("content-type");
  if (request.method !== "GET" || !type?.startsWith("text/html")) return response;
  const headers = new Headers(response.headers);
  headers.set("content-type", type.replace("text/html", "text/plain"));
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

/** An answer in the platform's own words. */
export function failure(status: number, body: { code: string; message: string }): Response {
  return Response.json(body, { status, headers: { "sb-error-code": body.code } });
}

function after(ms: number): Promise<null> {
  return new Promise((resolve) => setTimeout(() => resolve(null), ms));
}
