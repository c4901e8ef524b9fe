/**
 * Broadcasts over HTTP. In: `POST /api/broadcast` (a batch) or `/api/broadcast/{topic}/events/{event}` (one, JSON or
 * bytes). Out: 202 when the messages are with the sockets. In a batch, private messages that the caller may not write
 * are dropped in silence, as hosted.
 */
import type { Claims, ServiceCall } from "../service.ts";
import { authorizeWrite } from "./authorize.ts";
import type { Context } from "./context.ts";
import { isObject, type RawBroadcast } from "./frames.ts";
import type { Topic } from "./hub.ts";

type Caller = (topic: string) => Promise<boolean>;

const SINGLE = /^\/api\/broadcast\/([^/]+)\/events\/([^/]+)$/;

export async function serveBroadcast(call: ServiceCall, context: Context): Promise<Response> {
  if (call.request.method !== "POST") return answer(405, { message: "Method Not Allowed" });
  if (!call.claims) return answer(401, { message: "Unauthorized" });
  const mayWrite = writerOf(call.claims, { call, context });
  if (call.path === "/api/broadcast") return await batch(call, { context, mayWrite });
  const [, topic, event] = SINGLE.exec(call.path) ?? [];
  if (topic === undefined || event === undefined) return answer(404, { message: "Not Found" });
  return await single(call, {
    context,
    mayWrite,
    topic: { name: decodeURIComponent(topic), private: call.url.searchParams.get("private") === "true" },
    event: decodeURIComponent(event),
  });
}

async function batch(call: ServiceCall, options: { context: Context; mayWrite: Caller }): Promise<Response> {
  const { context, mayWrite } = options;
  const body: unknown = await call.request.json().catch(() => null);
  if (!isObject(body)) return answer(400, { message: "Bad Request" });
  const messages: unknown[] = Array.isArray(body.messages) ? body.messages : [];
  if (messages.length === 0) return answer(422, { errors: { messages: ["can't be blank"] } });

  const problems = messages.map((message) => problemsOf(message, context.settings.maxPayloadBytes));
  if (problems.some((found) => Object.keys(found).length > 0)) {
    return answer(422, { errors: { messages: problems } });
  }
  const allowed = new Map<string, boolean>();
  for (const message of messages.filter(isObject)) {
    const topic = { name: String(message.topic), private: message.private === true };
    if (topic.private) {
      const may = allowed.get(topic.name) ?? await mayWrite(topic.name).catch(logged);
      allowed.set(topic.name, may);
      if (!may) continue;
    }
    const meta = message.id === undefined ? {} : { meta: { id: message.id } };
    const payload = { type: "broadcast", event: String(message.event), payload: message.payload, ...meta };
    context.hub.broadcast(topic, { kind: "object", payload });
  }
  return answer(202);
}

async function single(
  call: ServiceCall,
  options: { context: Context; mayWrite: Caller; topic: Topic; event: string },
): Promise<Response> {
  const { context, mayWrite, topic, event } = options;
  const type = call.request.headers.get("content-type")?.split(";")[0]?.trim();
  if (type !== "application/json" && type !== "application/octet-stream") {
    return answer(415, { message: "Unsupported Media Type" });
  }
  const encoding = type === "application/json" ? "json" : "binary";
  const payload = new Uint8Array(await call.request.arrayBuffer());
  if (encoding === "json" && !isJson(payload)) return answer(400, { message: "Bad Request" });
  if (payload.length > context.settings.maxPayloadBytes) {
    return answer(422, { errors: { payload: ["Payload size exceeds tenant limit"] } });
  }
  if (topic.private) {
    const may = await mayWrite(topic.name).catch((error) => {
      logged(error);
      return null;
    });
    if (may === null) return answer(422, { message: "RLS policy error" });
    if (!may) return answer(403, { message: "Unauthorized" });
  }
  const broadcast: RawBroadcast = { kind: "raw", event, encoding, payload };
  context.hub.broadcast(topic, broadcast);
  return answer(202);
}

function writerOf(claims: Claims, { call, context }: { call: ServiceCall; context: Context }): Caller {
  const headers = Object.fromEntries(call.request.headers);
  return async (topic) => (await authorizeWrite(context.sql, { claims, topic, headers })).broadcast;
}

function problemsOf(message: unknown, maxBytes: number): Record<string, string[]> {
  const fields = isObject(message) ? message : {};
  const problems: Record<string, string[]> = {};
  for (const field of ["topic", "event", "payload"]) {
    if (fields[field] === undefined || fields[field] === "") problems[field] = ["can't be blank"];
  }
  if (fields.payload !== undefined && !isObject(fields.payload)) problems.payload = ["is invalid"];
  const size = new TextEncoder().encode(JSON.stringify(fields.payload ?? null)).length;
  if (size > maxBytes) problems.payload = ["Payload size exceeds tenant limit"];
  return problems;
}

function isJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder().decode(bytes));
    return true;
  } catch {
    return false;
  }
}

/** A policy that throws allows nothing. */
function logged(error: unknown): false {
  console.error("Cannot ask the policies on realtime.messages:", error);
  return false;
}

function answer(status: number, body?: unknown): Response {
  return body === undefined ? new Response(null, { status }) : Response.json(body, { status });
}
