/**
 * The database as a slice sees it: one session for the work, a second where work goes on at the same time, and one beside
 * them for heartbeat, progress and cancel, so that none waits for another. In: nothing but the environment. Sessions open with their first query and work
 * through a transaction pooler (no prepared statements). It holds no SQL of its own.
 */
import { connect as connectSocket, type Socket } from "node:net";
import postgres from "postgres";

/** A session of postgres.js, or a transaction in one. */
export type Sql = postgres.Sql;
export type Transaction = postgres.TransactionSql;

export interface ConnectOptions {
  /** The address. @default LONGSHORE_DB_URL, else SUPABASE_DB_URL */
  url?: string;
}

export interface Connection {
  /** Carries the job's own statements; one at a time. */
  work: Sql;
  /** Carries statements that run at the same time as those of `work`. */
  second: Sql;
  /** Carries short calls that must not wait for `work`. */
  beside: Sql;
  /**
   * The application name of `work`, unlike any other: it tells whose session holds a lease. That of `second` is
   * the same with `-second` behind it.
   */
  worker: string;
  /** Ends all sessions: after what they are doing, or at once. */
  end(options?: { atOnce?: boolean }): Promise<void>;
}

export function connect(options: ConnectOptions = {}): Connection {
  const url = options.url ?? databaseUrl();
  const worker = `longshore-${crypto.randomUUID()}`;
  const work = open(url, worker);
  const second = open(url, `${worker}-second`);
  const beside = open(url, `${worker}-beside`);
  return {
    work,
    second,
    beside,
    worker,
    async end({ atOnce = false } = {}) {
      const timeout = atOnce ? 0 : 5;
      await Promise.all([work, second, beside].map((sql) => sql.end({ timeout })));
    },
  };
}

function databaseUrl(): string {
  const url = Deno.env.get("LONGSHORE_DB_URL") ?? Deno.env.get("SUPABASE_DB_URL");
  if (!url) {
    throw new Error('Cannot reach the database: found neither "LONGSHORE_DB_URL" nor "SUPABASE_DB_URL"');
  }
  return url;
}

function open(url: string, applicationName: string): Sql {
  let closed = 0;
  // postgres.js takes `socket` but does not declare it.
  const options: postgres.Options<Record<string, never>> & { socket: typeof openSocket } = {
    max: 1,
    prepare: false,
    // The types of arrays would cost one more round trip per session: arrays are passed and read as JSON or literals.
    fetch_types: false,
    connect_timeout: 10,
    onnotice: () => {},
    connection: { application_name: applicationName },
    socket: openSocket,
    onclose: () => void closed++,
  };
  const sql = postgres(url, options);
  return Object.assign(sql, { begin: beginWhileOpen(sql, () => closed) });
}

/**
 * postgres.js rolls back when a transaction's work fails, even where it failed because its connection was closed: the
 * write to a socket that is gone would end the isolate. A transaction without a connection is rejected by postgres.js
 * itself, so its work need not come to an end.
 */
function beginWhileOpen(sql: Sql, closed: () => number): Sql["begin"] {
  const { begin } = sql;
  return (<T>(work: (transaction: Transaction) => Promise<T>) => {
    return begin(async (transaction) => {
      const before = closed();
      try {
        return await work(transaction);
      } finally {
        if (closed() !== before) await new Promise<never>(() => {});
      }
    });
  }) as Sql["begin"];
}

/** postgres.js leaves Nagle's algorithm on, which costs about 40 ms for each small COPY. */
function openSocket({ host, port }: { host: string[]; port: number[] }): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ host: host[0] ?? "127.0.0.1", port: port[0] ?? 5432 }, () => {
      // Not before: Deno 2.1.4 forgets it while the socket is not connected.
      socket.setNoDelay(true);
      socket.off("error", reject);
      // A TLS handshake names the host it wants to see a certificate of.
      resolve(Object.assign(socket, { host: host[0] }));
    });
    socket.once("error", reject);
  });
}
