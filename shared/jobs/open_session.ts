/**
 * One session with the database that opens with its first query and again after it was lost. In: the address and a name.
 * Out: `sql` of postgres.js. What the lost session had at hand is rejected, and nothing of it reaches the next one:
 * postgres.js itself would reconnect with the last error, half a message and an open transaction in mind.
 */
import type { Duplex } from "node:stream";
import postgres from "postgres";
import { openSocket } from "./open_socket.ts";

/** A session of postgres.js, or a transaction in one. */
export type Sql = postgres.Sql;
export type Transaction = postgres.TransactionSql;

export interface OpenSessionOptions {
  /** What the database calls it. */
  applicationName: string;
}

interface Session {
  sql: Sql;
  lost: boolean;
}

export function openSession(url: string, options: OpenSessionOptions): Sql {
  let session = startSession(url, options);
  let ended: Promise<void> | null = null;
  const end: Sql["end"] = (how) => {
    // Again: at once, perhaps, where the first call waits.
    const ending = session.sql.end(how);
    return ended = Promise.all([ended, ending]).then(() => {});
  };
  const current = (): Sql => {
    if (session.lost && !ended) session = startSession(url, options);
    return session.sql;
  };
  return new Proxy(session.sql, {
    apply: (_, self, values) => Reflect.apply(current(), self, values),
    get: (_, name) => name === "end" ? end : Reflect.get(current(), name),
  });
}

function startSession(url: string, { applicationName }: OpenSessionOptions): Session {
  // postgres.js takes `socket` but does not declare it.
  const options: postgres.Options<Record<string, never>> & { socket: () => Promise<Duplex> } = {
    max: 1,
    prepare: false,
    // The types of arrays would cost one more round trip per session: arrays are passed and read as JSON or literals.
    fetch_types: false,
    connect_timeout: 10,
    ssl: false,
    onnotice: () => {},
    connection: { application_name: applicationName },
    async socket() {
      try {
        if (session.lost) throw new Error("The session was lost");
        const socket = await openSocket(new URL(url), { onLost: lose });
        if (!over) return socket;
        socket.destroy();
        throw new Error("The session was ended");
      } catch (error) {
        // postgres.js would take itself for connecting for ever.
        lose();
        throw error;
      }
    },
  };
  const sql = postgres(url, options);
  const { end } = sql;
  let over = false;
  const session: Session = {
    lost: false,
    sql: Object.assign(sql, {
      async end(how?: { timeout?: number }) {
        over ||= how?.timeout === 0;
        await end(how);
        over = true;
      },
    }),
  };
  const lose = async () => {
    session.lost = true;
    over = true;
    await end({ timeout: 0 });
  };
  return session;
}
