/**
 * A socket to Postgres, encrypted where the address asks for it. In: the address, and what is to happen when the socket
 * closes by itself. Out: a socket for postgres.js, which writes to it in an immediate and to null once it has closed,
 * which ends the isolate: therefore it hears of a close only after it has been told to write no more.
 */
import { connect as connectSocket, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type Address, openTlsSocket } from "./open_tls_socket.ts";

export interface OpenSocketOptions {
  /** Called when the socket has closed, unless postgres.js has ended it; resolves when postgres.js writes no more. */
  onLost(): Promise<void>;
  /** How long connecting may take, in milliseconds. @default 10000 */
  timeoutMs?: number;
}

export async function openSocket(
  url: URL,
  { onLost, timeoutMs = 10_000 }: OpenSocketOptions,
): Promise<Duplex> {
  const address = {
    hostname: url.hostname.replace(/^\[|\]$/g, "") || "127.0.0.1",
    port: Number(url.port) || 5432,
  };
  const mode = modeOf(url);
  const givingUp = new AbortController();
  const { signal } = givingUp;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    const error = Object.assign(new Error("Cannot connect to the database in time"), {
      code: "CONNECT_TIMEOUT",
    });
    timer = setTimeout(() => reject(error), timeoutMs);
  });
  try {
    const opened = mode === "plain"
      ? openPlain(address, signal)
      : openTlsSocket(address, { insist: mode === "tls", signal });
    return holdClose(await Promise.race([opened, tooLate]), onLost);
  } catch (error) {
    givingUp.abort();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

type Mode = "plain" | "tls_if_possible" | "tls";

/** As in libpq, but that a certificate is always verified: who asks for TLS does not want to be read by others. */
function modeOf({ searchParams }: URL): Mode {
  const mode = searchParams.get("sslmode") ?? searchParams.get("ssl") ?? "disable";
  if (searchParams.get("sslrootcert") === "system") return "tls";
  if (["disable", "false"].includes(mode)) return "plain";
  return ["allow", "prefer"].includes(mode) ? "tls_if_possible" : "tls";
}

function openPlain({ hostname, port }: Address, signal: AbortSignal): Promise<Socket> {
  const socket = connectSocket({ host: hostname, port });
  signal.addEventListener("abort", () => {
    // What it may still say, nobody waits for.
    socket.on("error", () => {});
    socket.destroy();
  });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      // postgres.js leaves Nagle's algorithm on, which costs about 40 ms for each small COPY. Not sooner: Deno 2.1.4
      // forgets it while the socket is not connected.
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

function holdClose(socket: Duplex, onLost: () => Promise<void>): Duplex {
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
    end(...values: unknown[]) {
      // The stream itself ends without a message, when the database has ended its side; postgres.js says good-bye.
      ended ||= values.length > 0;
      return Reflect.apply(end, socket, values);
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
