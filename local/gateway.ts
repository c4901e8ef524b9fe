/**
 * The one address of the local project. In: HTTP and websocket calls of clients. Out: the answers of the services
 * behind `/auth/v1`, `/rest/v1`, `/storage/v1`, `/realtime/v1` and `/functions/v1`. As on a hosted project it turns API
 * keys into JWTs, refuses calls without a key and answers for CORS; functions get the client's own headers and answer
 * for CORS themselves. Left out: rate limits, the dashboard, the S3 protocol.
 */
import type { Keys } from "./keys.ts";
import type { Service } from "./service.ts";

export type ServiceName = "auth" | "rest" | "storage" | "realtime" | "functions";

export interface GatewayOptions {
  /** TCP port on 127.0.0.1; 0 picks a free one. */
  port: number;
  keys: Keys;
  /** May be filled while the gateway runs: a service that is not there yet is answered with 503. */
  services: Partial<Record<ServiceName, Service>>;
}

export interface Gateway {
  /** Such as `http://127.0.0.1:54321`. */
  url: string;
  port: number;
  stop(): Promise<void>;
}

const ROUTE = /^\/(auth|rest|storage|realtime|functions)\/v1(\/.*)?$/;
// Storage asks for a key itself, where an object is not public; functions decide alone; these of Auth are for everyone.
const WITHOUT_KEY =
  /^\/(?:auth\/v1\/(?:\.well-known\/|verify|callback|authorize|health)|storage\/|functions\/)/;

const ALLOWED_METHODS = "GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS,TRACE,CONNECT";
const EXPOSED_HEADERS = [
  "Content-Encoding, Content-Location, Content-Range, Content-Type, Content-Length, Content-Disposition, Date, ETag",
  "Link, Location, Server, Transfer-Encoding, Range-Unit, Preference-Applied, X-Total-Count",
  "X-Supabase-Api-Version, Tus-Resumable, Tus-Version, Tus-Extension, Tus-Max-Size, Upload-Offset, Upload-Length",
].join(", ");

export function startGateway(options: GatewayOptions): Gateway {
  let server: Deno.HttpServer<Deno.NetAddr>;
  try {
    server = Deno.serve(
      { hostname: "127.0.0.1", port: options.port, onListen: () => {}, onError: unexpected },
      (request) => answer(request, options),
    );
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new Error(
      `Cannot listen on port ${options.port}: found another program there, expected a free port; ` +
        `end it or choose another with --port N`,
      { cause: error },
    );
  }
  const { port } = server.addr;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    async stop() {
      // Open websockets and answers that never end must not keep the stack up.
      const patience = setTimeout(() => stopping.abort(), 500);
      const stopping = new AbortController();
      const gaveUp = new Promise<void>((done) => stopping.signal.addEventListener("abort", () => done()));
      await Promise.race([server.shutdown(), gaveUp]);
      clearTimeout(patience);
    },
  };
}

async function answer(request: Request, options: GatewayOptions): Promise<Response> {
  const url = new URL(request.url);
  const match = ROUTE.exec(url.pathname);
  if (!match) {
    return withCors(Response.json({ error: "requested path is invalid" }, { status: 404 }), request);
  }
  const name = match[1] as ServiceName;
  if (request.method === "OPTIONS" && name !== "functions" && isPreflight(request)) return preflight(request);

  const key = request.headers.get("apikey") ?? url.searchParams.get("apikey");
  const keyToken = key === null ? null : await tokenOfKey(key, options.keys);
  if (!WITHOUT_KEY.test(url.pathname)) {
    if (key === null) return withCors(Response.json(NO_KEY, { status: 401 }), request);
    if (keyToken === null) return withCors(Response.json(WRONG_KEY, { status: 401 }), request);
  }

  const service = options.services[name];
  if (!service) {
    const message = `The service "${name}" is not running`;
    return withCors(Response.json({ message }, { status: 503 }), request);
  }
  const token = bearerToken(request) ?? keyToken;
  const claims = token === null ? null : await options.keys.verify(token);
  const response = await service.handle({ request, path: match[2] ?? "/", url, token, claims });
  const untouched = name === "functions" || request.headers.has("upgrade");
  return untouched ? response : withCors(response, request);
}

const NO_KEY = {
  message: "No API key found in request",
  hint: "No `apikey` request header or url param was found.",
};
const WRONG_KEY = {
  message: "Invalid API key",
  hint: "Double check your Supabase `anon` or `service_role` API key.",
};

/** The JWT that an API key stands for; a JWT with an API role is a key of the old kind and stands for itself. */
async function tokenOfKey(key: string, keys: Keys): Promise<string | null> {
  if (key === keys.publishableKey) return keys.anonToken;
  if (key === keys.secretKey) return keys.serviceRoleToken;
  const claims = await keys.verify(key);
  return claims?.role === "anon" || claims?.role === "service_role" ? key : null;
}

/** The bearer's JWT; an API key sent as a bearer counts as none, since clients repeat their key there. */
function bearerToken(request: Request): string | null {
  const token = /^bearer\s+(.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  return token === undefined || token.startsWith("sb_") ? null : token;
}

function isPreflight(request: Request): boolean {
  return request.headers.has("origin") && request.headers.has("access-control-request-method");
}

function preflight(request: Request): Response {
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-origin": "*",
      "access-control-allow-methods": ALLOWED_METHODS,
      "access-control-allow-headers": request.headers.get("access-control-request-headers") ?? "*",
      "access-control-max-age": "3600",
    },
  });
}

function withCors(response: Response, request: Request): Response {
  if (!request.headers.has("origin")) return response;
  const headers = new Headers(response.headers);
  headers.set("access-control-allow-origin", "*");
  headers.set("access-control-expose-headers", EXPOSED_HEADERS);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

function unexpected(error: unknown): Response {
  console.error("A service of the stack failed:", error);
  return Response.json({ message: "An unexpected error occurred" }, { status: 500 });
}
