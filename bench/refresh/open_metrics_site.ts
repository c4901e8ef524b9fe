/**
 * Where refreshes are measured: a local stack of its own, durable, with the hosted limits and stock settings of Postgres;
 * the owner of an organization whose restaurants had a year of calls. All of it is gone when it is disposed of.
 */
import { join } from "@std/path";
import { createClient } from "@supabase/supabase-js";
import postgres from "postgres";
import { startStack } from "../../local/stack.ts";
import { createLongshore, type RefreshResult } from "../../shared/client/mod.ts";
import { makeLogs } from "../certus/make_logs.ts";

export interface MetricsSite extends AsyncDisposable {
  /** The database as superuser. */
  admin: postgres.Sql;
  orgId: string;
  /** Modes of locks that were seen on the view while `watchLocks()` looked. */
  locks: ReadonlySet<string>;
  /** As an app does it. */
  refresh(view: string): Promise<RefreshResult>;
  /** 90 days of one account, as the owner, through PostgREST. */
  readTiles(): Promise<void>;
  /** Looks every few milliseconds; `stop()` says how often a reader was seen waiting for a lock. */
  watchLocks(): { stop(): Promise<number> };
  /** The query of a view. */
  definition(view: string): Promise<string>;
}

export interface MetricsSiteOptions {
  calls: number;
  locations: number;
}

const LOOK_MS = 10;

export async function openMetricsSite({ calls, locations }: MetricsSiteOptions): Promise<MetricsSite> {
  await using opening = new AsyncDisposableStack();
  const dir = await Deno.makeTempDir({ prefix: "longshore-bench-" });
  opening.defer(() => Deno.remove(dir, { recursive: true }));
  // The database runs as a user of its own where the bench runs as root.
  await Deno.chmod(dir, 0o755);
  const stack = await startStack({ port: 0, dataDir: join(dir, "stack") });
  opening.defer(() => stack.stop());
  const admin = postgres(stack.adminUrl, { onnotice() {}, max: 4 });
  opening.defer(() => admin.end());
  // The clock's refreshes would come between those that are measured.
  await admin`update cron.job set active = false where jobname like 'longshore-refresh-%'`;

  const person = createClient(stack.url, stack.publishableKey, { auth: { persistSession: false } });
  opening.defer(() => person.removeAllChannels().then(() => person.auth.stopAutoRefresh()));
  const { error } = await person.auth.signUp({ email: "owner@bench.example", password: crypto.randomUUID() });
  if (error) throw error;
  const organization = await person.rpc("create_organization", { p_name: "Bench" }).throwOnError();
  const orgId: string = organization.data.id;
  await makeLogs(admin, { orgId, calls, locations });
  const [account] = await admin<
    { id: string }[]
  >`select id from certus.accounts where org_id = ${orgId} limit 1`;
  const longshore = createLongshore(person);
  const since = new Date(Date.now() - 90 * 86_400_000).toISOString().slice(0, 10);
  const locks = new Set<string>();
  const opened = opening.move();

  return {
    admin,
    orgId,
    locks,
    refresh: (view) => longshore.refreshView(view),
    async readTiles() {
      const { data } = await person.schema("certus").from("metrics_daily_v")
        .select("local_date,total_calls,orders_count,reservations_count,total_revenue_orders,minutes_saved")
        .eq("account_id", account!.id).gte("local_date", since).limit(1000).throwOnError();
      if (data.length === 0) throw new Error("Cannot measure: found no metrics");
    },
    watchLocks() {
      let stopped = false;
      let waits = 0;
      const look = async () => {
        while (!stopped) {
          const rows = await admin<{ mode: string; granted: boolean; reader: boolean }[]>`
            select l.mode, l.granted, a.usename = 'authenticator' as reader
            from pg_locks l join pg_stat_activity a using (pid)
            where l.relation = 'certus.mv_metrics_daily'::regclass and l.pid <> pg_backend_pid()`;
          for (const { mode, granted, reader } of rows) {
            locks.add(mode);
            if (reader && !granted) waits++;
          }
          await new Promise((go) => setTimeout(go, LOOK_MS));
        }
        return waits;
      };
      const looking = look();
      return {
        async stop() {
          stopped = true;
          return await looking;
        },
      };
    },
    async definition(view) {
      const [row] = await admin<{ query: string }[]>`
        select rtrim(pg_get_viewdef(${view}::regclass), ';') as query`;
      return row!.query;
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
