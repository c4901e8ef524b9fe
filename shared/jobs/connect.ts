/**
 * The database as a slice sees it: one session for the work, a second where work goes on at the same time, and one beside
 * them for heartbeat, progress and cancel, so that none waits for another. In: nothing but the environment. Sessions
 * open with their first query and work through a transaction pooler (no prepared statements). It holds no SQL of its own.
 */
import { SetupError } from "../errors.ts";
import { openSession, type Sql } from "./open_session.ts";

export type { Sql, Transaction } from "./open_session.ts";

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
  const work = openSession(url, { applicationName: worker });
  const second = openSession(url, { applicationName: `${worker}-second` });
  const beside = openSession(url, { applicationName: `${worker}-beside` });
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
    throw new SetupError(
      "DATABASE_URL_MISSING",
      'Cannot connect to the database: found neither "LONGSHORE_DB_URL" nor "SUPABASE_DB_URL"',
    );
  }
  return url;
}
