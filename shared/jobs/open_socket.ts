/**
 * A socket to Postgres, encrypted where the address asks for it. In: the address, and what is to happen when the socket
 * closes by itself. Out: a socket for postgres.js, which writes to it in an immediate and to null once it has closed,
 * which ends the isolate: therefore it hears of a close only after it has been told to write no more.
 */
import { Buffer } from "node:buffer";
import { connect as connectSocket, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

export interface OpenSocketOptions {
  /** Called when the socket has closed, unless postgres.js has ended it; resolves when postgres.js writes no more. */
  onLost(): Promise<void>;
  /** How long connecting may take, in milliseconds. @default 10000 */
  timeoutMs?: number;
}

/** Length and code of the message that asks whether the server speaks TLS. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

export async function openSocket(
  url: URL,
  { onLost, timeoutMs = 10_000 }: OpenSocketOptions,
): Promise<Socket> {
  const host = url.hostname.replace(/^\[|\]$/g, "") || "127.0.0.1";
  const raw = connectSocket({ host, port: Number(url.port) || 5432 });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    const error = Object.assign(new Error("Cannot connect to the database in time"), {
      code: "CONNECT_TIMEOUT",
    });
    timer = setTimeout(() => reject(error), timeoutMs);
  });
  try {
    const socket = await Promise.race([secured(raw, { host, mode: modeOf(url) }), tooLate]);
    return holdClose(socket, onLost);
  } catch (error) {
    // What it may still say, nobody waits for.
    raw.on("error", () => {});
    raw.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

type Mode = "plain" | "tls_if_possible" | "tls" | "tls_verified";

function modeOf({ searchParams }: URL): Mode {
  const mode = searchParams.get("sslmode") ?? searchParams.get("ssl") ?? "disable";
  if (searchParams.get("sslrootcert") === "system") return "tls_verified";
  if (["disable", "false"].includes(mode)) return "plain";
  if (["allow", "prefer"].includes(mode)) return "tls_if_possible";
  return mode === "require" ? "tls" : "tls_verified";
}

async function secured(raw: Socket, { host, mode }: { host: string; mode: Mode }): Promise<Socket> {
  await happened(raw, "connect");
  // postgres.js leaves Nagle's algorithm on, which costs about 40 ms for each small COPY. Not sooner: Deno 2.1.4 forgets
  // it while the socket is not connected.
  raw.setNoDelay(true);
  if (mode === "plain") return raw;
  raw.write(SSL_REQUEST);
  const [answer] = await happened(raw, "data") as [Uint8Array];
  if (answer[0] !== "S".charCodeAt(0)) {
    if (mode === "tls_if_possible") return raw;
    throw new Error("Cannot connect to the database: found a server without TLS, expected one with it");
  }
  const secure = connectTls({
    socket: raw,
    rejectUnauthorized: mode === "tls_verified",
    ...(isIP(host) ? {} : { servername: host }),
  });
  // Its failures are told by the socket around it.
  raw.on("error", () => {});
  await happened(secure, "secureConnect");
  return secure;
}

/** Resolves with the event, rejects when the socket fails or closes before it. */
function happened(socket: Socket, event: string): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const settle = (then: () => void) => {
      socket.off(event, onEvent);
      socket.off("error", onError);
      socket.off("close", onClose);
      then();
    };
    const onEvent = (...values: unknown[]) => settle(() => resolve(values));
    const onError = (error: Error) => settle(() => reject(error));
    const onClose = () =>
      settle(() =>
        reject(Object.assign(new Error("The connection was closed"), { code: "CONNECTION_CLOSED" }))
      );
    socket.on(event, onEvent);
    socket.on("error", onError);
    socket.on("close", onClose);
  });
}

function holdClose(socket: Socket, onLost: () => Promise<void>): Socket {
  const { end } = socket;
  const emit = socket.emit.bind(socket) as (event: string, ...values: unknown[]) => boolean;
  let ended = false;
  let closed = false;
  const close = (values: unknown[]) => {
    emit("close", ...values);
    // postgres.js has taken its listeners away, and an error that nobody hears would end the isolate.
    socket.on("error", () => {});
  };
  return Object.assign(socket, {
    end(...values: Parameters<Socket["end"]>) {
      // The stream itself ends without a message, when the database has ended its side; postgres.js says good-bye.
      ended ||= values.length > 0;
      return end.apply(socket, values);
    },
    emit(event: string, ...values: unknown[]) {
      if (event !== "close") return emit(event, ...values);
      if (closed) return true;
      closed = true;
      // A timer comes after the immediates that are due: on Deno 2.1.4 those run even where they have been cleared.
      const last = () => void setTimeout(close, 0, values);
      if (ended) last();
      else onLost().then(last, last);
      return true;
    },
  });
}
