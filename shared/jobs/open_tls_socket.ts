/**
 * A socket to Postgres over TLS. In: the address. Out: a stream that writes and reads like a socket of `node:net`, over
 * Deno's own TLS: on Deno 2.1.4 that of `node:tls` never ends its handshake on a connection that is open already, and
 * Postgres has to be asked in clear first. The certificate is verified, with the host's name, against the authorities that
 * the runtime knows and those in `LONGSHORE_DB_CA`.
 */
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import { SetupError } from "../errors.ts";

export interface Address {
  hostname: string;
  port: number;
}

export interface OpenTlsSocketOptions {
  /** Refuse a server without TLS, instead of speaking to it in clear. */
  insist: boolean;
  /** Closes what has been opened so far. */
  signal: AbortSignal;
}

/** Length and code of the message that asks whether the server speaks TLS. */
const SSL_REQUEST = new Uint8Array([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
const READ_BYTES = 64 * 1024;

export async function openTlsSocket(
  address: Address,
  { insist, signal }: OpenTlsSocketOptions,
): Promise<Duplex> {
  const caCerts = readAuthorities();
  const plain = await Deno.connect(address);
  let connection: Deno.Conn = plain;
  signal.addEventListener("abort", () => close(connection));
  try {
    signal.throwIfAborted();
    plain.setNoDelay(true);
    plain.setKeepAlive(true);
    if (await speaksTls(plain)) {
      const tls = await Deno.startTls(plain, { hostname: address.hostname, caCerts });
      connection = tls;
      await tls.handshake();
    } else if (insist) {
      throw new SetupError(
        "SERVER_WITHOUT_TLS",
        "Cannot connect to the database: found a server without TLS, expected one with it; turn it on, or take " +
          '"sslmode" out of the address',
      );
    }
    return new ConnectionStream(connection);
  } catch (error) {
    close(connection);
    throw isAboutCertificate(error) ? notVerified(error, caCerts.length > 0) : error;
  }
}

/** The certificates that `LONGSHORE_DB_CA` holds, one behind the other. */
function readAuthorities(): string[] {
  const text = Deno.env.get("LONGSHORE_DB_CA")?.trim() ?? "";
  if (text === "") return [];
  // A secret that was set in one line has its line breaks as two characters.
  const pem = text.replaceAll("\\n", "\n");
  const found = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (found) return found;
  throw new SetupError(
    "CERTIFICATE_AUTHORITY_UNREADABLE",
    'Cannot connect to the database: found no certificate in "LONGSHORE_DB_CA", expected the text of a .crt or .pem ' +
      'file from "-----BEGIN CERTIFICATE-----" to "-----END CERTIFICATE-----"',
  );
}

async function speaksTls(connection: Deno.Conn): Promise<boolean> {
  await connection.write(SSL_REQUEST);
  // One byte and no more: what somebody in between might send behind it must not be taken for the server's.
  const answer = new Uint8Array(1);
  if (await connection.read(answer) === null) {
    throw Object.assign(new Error("The connection was closed"), { code: "CONNECTION_CLOSED" });
  }
  return answer[0] === "S".charCodeAt(0);
}

function isAboutCertificate(error: unknown): error is Error {
  return error instanceof Error && /peer certificate/i.test(error.message);
}

function notVerified(error: Error, hasOwn: boolean): SetupError {
  const reason = /peer certificate:\s*(.+)/i.exec(error.message)?.[1] ?? error.message;
  const [expected, next] = hasOwn
    ? [
      'one signed by an authority in "LONGSHORE_DB_CA"',
      "compare it with the database's own certificate authority",
    ]
    : [
      "one signed by an authority that the runtime knows",
      'set "LONGSHORE_DB_CA" to the database\'s own certificate authority',
    ];
  return new SetupError(
    "CERTIFICATE_NOT_VERIFIED",
    `Cannot connect to the database: found a certificate that does not hold (${reason}), expected ${expected} and made ` +
      `out to the host of the address; ${next}`,
    { cause: error },
  );
}

/** A connection of Deno as a stream of Node, with the little that postgres.js asks of a socket. */
class ConnectionStream extends Duplex {
  readonly #connection: Deno.Conn;

  constructor(connection: Deno.Conn) {
    super({ allowHalfOpen: false });
    this.#connection = connection;
  }

  get readyState(): "open" | "closed" {
    return this.destroyed || this.writableEnded ? "closed" : "open";
  }

  override _read(): void {
    const bytes = new Uint8Array(READ_BYTES);
    this.#connection.read(bytes).then(
      (length) => this.push(length === null ? null : Buffer.from(bytes.buffer, 0, length)),
      // A server that dies says no good-bye; the messages of Postgres tell themselves whether they are whole.
      (error) => error instanceof Deno.errors.UnexpectedEof ? this.push(null) : this.destroy(error),
    );
  }

  override _write(bytes: Uint8Array, _: string, done: (error?: Error) => void): void {
    this.#writeAll(bytes).then(() => done(), done);
  }

  override _final(done: (error?: Error) => void): void {
    // The other side may have gone already.
    this.#connection.closeWrite().then(() => done(), () => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    close(this.#connection);
    done(error);
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let offset = 0; offset < bytes.length;) {
      offset += await this.#connection.write(bytes.subarray(offset));
    }
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It is closed.
  }
}
