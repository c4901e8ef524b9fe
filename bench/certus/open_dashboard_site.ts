/**
 * Where Certus's queries are measured: a local stack of its own, durable, with stock settings of Postgres; one account
 * whose locations had a year of calls, its admin, who sees all, and an operator of one location. All of it is gone when
 * it is disposed of.
 */
import { join } from "@std/path";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import postgres from "postgres";
import { type Stack, startStack } from "../../local/stack.ts";
import { makeLogs } from "./make_logs.ts";

export interface Viewer {
  client: SupabaseClient;
  userId: string;
}

export interface DashboardSite extends AsyncDisposable {
  /** The database as superuser. */
  admin: postgres.Sql;
  accountId: string;
  /** The operator's. */
  locationId: string;
  /** Calls of that location with an order and a reservation. */
  callIds: string[];
  people: Record<"admin" | "operator", Viewer>;
}

export interface DashboardSiteOptions {
  calls: number;
  locations: number;
}

const PROMISED_CALLS = 100;

export async function openDashboardSite(
  { calls, locations }: DashboardSiteOptions,
): Promise<DashboardSite> {
  await using opening = new AsyncDisposableStack();
  const dir = await Deno.makeTempDir({ prefix: "longshore-bench-" });
  opening.defer(() => Deno.remove(dir, { recursive: true }));
  // The database runs as a user of its own where the bench runs as root.
  await Deno.chmod(dir, 0o755);
  const stack = await startStack({ port: 0, dataDir: join(dir, "stack") });
  opening.defer(() => stack.stop());
  const admin = postgres(stack.adminUrl, { onnotice() {}, max: 1, prepare: false });
  opening.defer(() => admin.end());
  // What the clock does would come between.
  await admin`update cron.job set active = false where true`;

  const people = { admin: await signUp(stack, "admin"), operator: await signUp(stack, "operator") };
  for (const { client } of Object.values(people)) opening.defer(() => client.auth.stopAutoRefresh());
  const organization = await people.admin.client.rpc("create_organization", { p_name: "Bench" })
    .throwOnError();
  const orgId: string = organization.data.id;
  await makeLogs(admin, { orgId, calls, locations, locationsPerAccount: locations });
  await admin`refresh materialized view certus.mv_metrics_daily`;
  await admin`vacuum (analyze) certus.mv_metrics_daily`;
  const [place] = await admin<{ account_id: string; location_id: string }[]>`
    select o.account_id, o.location_id
    from certus_private.order_logs o join certus_private.reservations r on r.call_id = o.call_id limit 1`;
  const { account_id, location_id } = place!;
  const { userId } = people.operator;
  await admin`insert into public.memberships (org_id, user_id, role) values (${orgId}, ${userId}, 'member')`;
  await admin`insert into certus.account_members (account_id, user_id, role) values (${account_id}, ${userId}, 'operator')`;
  await admin`insert into certus.member_locations (account_id, user_id, location_id) values (${account_id}, ${userId}, ${location_id})`;
  const detailed = await admin<{ id: string }[]>`
    select o.call_id as id from certus_private.order_logs o join certus_private.reservations r on r.call_id = o.call_id
    where o.location_id = ${location_id} limit ${PROMISED_CALLS}`;
  const opened = opening.move();

  return {
    admin,
    accountId: account_id,
    locationId: location_id,
    callIds: detailed.map(({ id }) => id),
    people,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function signUp(stack: Stack, name: string): Promise<Viewer> {
  const client = createClient(stack.url, stack.publishableKey, { auth: { persistSession: false } });
  const { data, error } = await client.auth.signUp({
    email: `${name}@bench.example`,
    password: crypto.randomUUID(),
  });
  if (error) throw error;
  return { client, userId: data.user!.id };
}
