/**
 * One websocket connection. In: the upgrade request and its token. Out: the response, and from then on frames to and
 * from its channels. A client that does not read is closed, so that it holds nobody up.
 */
import { Channel, type Connection } from "./channel.ts";
import type { Context } from "./context.ts";
import { decodeFrame, encodeFrame, type Frame } from "./frames.ts";

export interface SocketOptions {
  context: Context;
  /** The verified token of the connection. */
  token: string;
  /** The open connections: this one is in it while it lasts. */
  open: Set<WebSocket>;
}

/** Bytes, as hosted. */
const MAX_FRAME = 5_000_000;
const IDLE_SECONDS = 60;

export function serveSocket(request: Request, { context, token, open }: SocketOptions): Response {
  // Read first: the upgrade closes the request.
  const headers = Object.fromEntries([...request.headers].filter(([name]) => name.startsWith("x-")));
  const version = new URL(request.url).searchParams.get("vsn") === "2.0.0" ? "2.0.0" : "1.0.0";
  const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: IDLE_SECONDS });
  const channels = new Map<string, Channel>();
  const { maxBufferedBytes, maxChannels, refusalDelayMs } = context.settings;

  const connection: Connection = {
    version,
    token,
    headers,
    send(data) {
      if (socket.readyState !== WebSocket.OPEN) return;
      if (socket.bufferedAmount > maxBufferedBytes) end(1008, "Too slow");
      else socket.send(data);
    },
    forget(channel) {
      for (const [topic, known] of channels) if (known === channel) channels.delete(topic);
    },
  };

  function receive(frame: Frame): void {
    const { topic, event, joinRef } = frame;
    if (topic === "phoenix" && event === "heartbeat") return reply(frame, "ok", {});
    if (event === "phx_join" && topic.startsWith("realtime:")) return join(frame);
    const channel = channels.get(topic);
    if (channel && (joinRef === null || joinRef === channel.joinRef)) channel.handle(frame);
    else if (event === "phx_leave") reply(frame, "ok", {});
    else reply(frame, "error", { reason: "unmatched topic" });
  }

  function join(frame: Frame): void {
    channels.get(frame.topic)?.close();
    if (channels.size < maxChannels) {
      channels.set(frame.topic, new Channel(context, { connection, join: frame }));
    } else {
      const reason = "ChannelRateLimitReached: Too many channels";
      setTimeout(() => reply(frame, "error", { reason }), refusalDelayMs);
    }
  }

  function reply(frame: Frame, status: "ok" | "error", response: Record<string, unknown>): void {
    const { joinRef, ref, topic } = frame;
    connection.send(
      encodeFrame({ joinRef, ref, topic, event: "phx_reply", payload: { status, response } }, version),
    );
  }

  /** The channels end at once: a close handshake with a client that does not read takes its time. */
  function end(code: number, reason: string): void {
    socket.close(code, reason);
    dropChannels();
  }

  function dropChannels(): void {
    for (const channel of channels.values()) channel.drop();
    channels.clear();
  }

  socket.binaryType = "arraybuffer";
  socket.onopen = () => open.add(socket);
  socket.onclose = () => {
    open.delete(socket);
    dropChannels();
  };
  // A broken connection; `close` follows.
  socket.onerror = (event) => event.preventDefault();
  socket.onmessage = ({ data }) => {
    const size = typeof data === "string" ? data.length : data.byteLength;
    if (size > MAX_FRAME) return end(1009, "Frame too large");
    let frame: Frame;
    try {
      frame = decodeFrame(typeof data === "string" ? data : new Uint8Array(data), version);
    } catch {
      return end(1007, "Unreadable frame");
    }
    receive(frame);
  };
  return response;
}
