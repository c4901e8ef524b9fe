/**
 * A stand-in for Supabase Realtime: broadcast and presence over websockets, private topics that the policies on
 * `realtime.messages` authorize, messages from the database after their commit, replay, and broadcast over HTTP.
 *
 * As hosted: protocols 1.0.0 and 2.0.0, the texts of refusals, the expiry of tokens, 100 channels a connection, the
 * payload limit of the free plan. Otherwise than hosted: a refused join is answered after 50 ms and not after 5 s; a
 * trigger and NOTIFY in the place of logical decoding; policies see a row that was changed after its commit as it is
 * then. Left out: postgres_changes (a join that asks for it is refused), limits on connections and on messages and
 * joins a second, `persist`, clusters and tenants.
 */
import postgres from "postgres";
import type { Keys } from "./keys.ts";
import type { Settings } from "./realtime/context.ts";
import { Hub } from "./realtime/hub.ts";
import { keepPartitions, listenMessages } from "./realtime/messages.ts";
import { serveBroadcast } from "./realtime/serve_broadcast.ts";
import { serveSocket } from "./realtime/serve_socket.ts";
import { verifyToken } from "./realtime/verify_token.ts";
import type { Service, ServiceCall } from "./service.ts";

export interface RealtimeOptions extends Partial<Settings> {
  /** The database as superuser, with `platform/40_realtime.sql` run. */
  adminUrl: string;
  keys: Pick<Keys, "verify">;
}

const DATABASE_CONNECTIONS = 5;
const PARTITIONS_EVERY_MS = 3_600_000;

export async function startRealtime(options: RealtimeOptions): Promise<Service> {
  const { adminUrl, keys } = options;
  const settings: Settings = {
    refusalDelayMs: options.refusalDelayMs ?? 50,
    maxPayloadBytes: options.maxPayloadBytes ?? 256_500,
    maxChannels: options.maxChannels ?? 100,
    maxBufferedBytes: options.maxBufferedBytes ?? 8_000_000,
  };
  const sql = postgres(adminUrl, {
    max: DATABASE_CONNECTIONS,
    onnotice: () => {},
    connection: { application_name: "realtime" },
  });
  const hub = new Hub();
  const open = new Set<WebSocket>();
  const context = { sql, hub, keys, settings };

  await keepPartitions(sql);
  await listenMessages(sql, (topic, broadcast) => {
    // As hosted: what is too large is in the table, and not sent.
    if (broadcast.payload.length <= settings.maxPayloadBytes) hub.broadcast(topic, broadcast);
  });
  const partitions = setInterval(() => {
    keepPartitions(sql).catch((error) =>
      console.error("Cannot keep the partitions of realtime.messages:", error)
    );
  }, PARTITIONS_EVERY_MS);

  return {
    async handle(call: ServiceCall): Promise<Response> {
      if (call.path.startsWith("/api/broadcast")) return await serveBroadcast(call, context);
      if (call.path !== "/websocket") return Response.json({ message: "Not Found" }, { status: 404 });
      const { token } = call;
      if (token === null) return Response.json({ error: "API key is missing" }, { status: 401 });
      const verdict = await verifyToken(token, keys);
      if ("code" in verdict) return Response.json({ error: verdict.message }, { status: 401 });
      if (call.request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
        return Response.json({ error: "Expected a websocket" }, { status: 400 });
      }
      return serveSocket(call.request, { context, token, open });
    },
    async stop(): Promise<void> {
      clearInterval(partitions);
      const closed = [...open].map((socket) => new Promise((done) => socket.addEventListener("close", done)));
      for (const socket of open) socket.close(1001, "Going away");
      const grace = Promise.withResolvers<void>();
      const timer = setTimeout(grace.resolve, 1000);
      await Promise.race([Promise.all(closed), grace.promise]);
      clearTimeout(timer);
      await sql.end({ timeout: 1 });
    },
  };
}
