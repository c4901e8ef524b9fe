/**
 * The server's way into Postgres. In: a call. Out: a transaction in which the database sees that call's role, claims,
 * headers and operation, exactly as on hosted Supabase, so that policies decide. It holds no rule of its own:
 * service_role gets past row security by its role's BYPASSRLS.
 */
import postgres from "postgres";
import type { Claims } from "../service.ts";
import type { StorageCall } from "./storage_call.ts";

export type Transaction = postgres.TransactionSql;

export interface Database {
  /** As the tables' owner, whom row security does not bind: for what the server itself must know. */
  sql: postgres.Sql;
  /** A transaction as the caller. */
  as<T>(call: StorageCall, work: (sql: Transaction) => Promise<T>): Promise<T>;
  /** A transaction of the same call as service_role, for what the caller's rights were already tested for. */
  asService<T>(call: StorageCall, work: (sql: Transaction) => Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

export interface DatabaseOptions {
  /** The token of service_role, which triggers and policies may look at. */
  serviceToken: string;
}

export function openDatabase(adminUrl: string, options: DatabaseOptions): Database {
  const url = new URL(adminUrl);
  url.username = "supabase_storage_admin";
  const sql = postgres(url.href, {
    max: 10,
    onnotice: () => {},
    connection: {
      application_name: "storage",
      search_path: "storage, public, extensions",
      statement_timeout: 30_000,
    },
  });
  const service = { token: options.serviceToken, claims: { role: "service_role" } };

  async function run<T>(
    identity: { token: string | null; claims: Claims | null },
    call: StorageCall,
    work: (sql: Transaction) => Promise<T>,
  ): Promise<T> {
    const claims = identity.claims ?? { role: "anon" };
    const role = claims.role || "anon";
    // In an object, because `begin` would unwrap a result that is an array.
    const { result } = await sql.begin(async (tx) => {
      await tx`
        select set_config('role', ${role}, true),
          set_config('request.jwt.claim.role', ${role}, true),
          set_config('request.jwt', ${identity.token ?? ""}, true),
          set_config('request.jwt.claim.sub', ${claims.sub ?? ""}, true),
          set_config('request.jwt.claims', ${JSON.stringify(claims)}, true),
          set_config('request.headers', ${JSON.stringify(Object.fromEntries(call.request.headers))}, true),
          set_config('request.method', ${call.request.method}, true),
          set_config('request.path', ${call.path}, true),
          set_config('storage.operation', ${call.operation}, true),
          set_config('storage.allow_delete_query', 'true', true)`;
      return { result: await work(tx) };
    });
    return result;
  }

  return {
    sql,
    as: (call, work) => run(call, call, work),
    asService: (call, work) => run(service, call, work),
    stop: () => sql.end({ timeout: 5 }),
  };
}

/** Runs `work` and takes it back: what it throws is what the caller may not do. */
export async function tryPermission(
  run: (work: (sql: Transaction) => Promise<void>) => Promise<void>,
  work: (sql: Transaction) => Promise<unknown>,
): Promise<void> {
  const allowed = new Error("Rolled back on purpose");
  try {
    await run(async (sql) => {
      await work(sql);
      throw allowed;
    });
  } catch (error) {
    if (error !== allowed) throw error;
  }
}
