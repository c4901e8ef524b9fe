/**
 * What a dashboard of Certus asks, typed from the schema. In: a client of the person who is signed in; row security
 * decides what there is to see. Out: rows as the database has them, or a `LongshoreClientError`.
 */
import type { SupabaseClient } from "@supabase/supabase-js";
import { fromSupabase } from "../../client/client_error.ts";
import type { Database } from "./database_types.ts";

type Certus = Database["certus"];

/** A client of supabase-js, with types of its own or without. */
export interface CertusClient {
  schema(name: "certus"): unknown;
}

/** An account's day, by the time zone of each location. */
export type MetricsDay = Certus["Functions"]["get_metrics_daily"]["Returns"][number];
/** A call as lists have it; the transcript is in its detail. */
export type RecentCall = Omit<Certus["Views"]["calls_v"]["Row"], "transcript_md">;
export type Call = Certus["Views"]["calls_v"]["Row"];
export type Order = Certus["Views"]["orders_v"]["Row"];
export type Reservation = Certus["Views"]["reservations_v"]["Row"];
export type InternalNote = Certus["Tables"]["internal_notes"]["Row"];

/** A call with all that hangs on it. */
export interface CallDetail {
  call: Call;
  orders: (Order & {
    updates: Certus["Views"]["order_updates_v"]["Row"][];
    upsells: Certus["Views"]["upsells_v"]["Row"][];
  })[];
  reservations: Reservation[];
  notes: InternalNote[];
}

export interface MetricsDailyOptions {
  accountId: string;
  /** The first day, such as `2026-03-01`. */
  from: string;
  /** The last day; at most 1,000 days in all. */
  to: string;
  /** @default all that the person reads */
  locationIds?: string[];
}

/** The days that have anything, added up over locations. */
export async function getMetricsDaily(
  supabase: CertusClient,
  { accountId, from, to, locationIds }: MetricsDailyOptions,
): Promise<MetricsDay[]> {
  const days = (Date.parse(to) - Date.parse(from)) / 86_400_000 + 1;
  // The API would cut the answer off there and not say so.
  if (!(days <= 1000)) throw new RangeError(`Cannot read ${days} days: expected at most 1000`);
  const { data, error, status } = await certus(supabase).rpc("get_metrics_daily", {
    p_account_id: accountId,
    p_from: from,
    p_to: to,
    ...(locationIds && { p_location_ids: locationIds }),
  });
  if (error) throw fromSupabase(error, { task: "read the metrics", status });
  return data;
}

export interface RecentCallsOptions {
  accountId: string;
  /** @default all that the person reads */
  locationIds?: string[];
  /** One of the normalized statuses, such as `missed`. @default all */
  status?: string;
  /** One of the normalized types, such as `order`. @default all */
  callType?: string;
  /** For the next page: the last call of this one. @default the newest calls */
  after?: Pick<RecentCall, "started_at" | "id"> | undefined;
  /** Calls at most, up to 1,000. @default 50 */
  limit?: number;
}

/** The newest calls first. */
export async function listRecentCalls(
  supabase: CertusClient,
  { accountId, locationIds, status: callStatus, callType, after, limit }: RecentCallsOptions,
): Promise<RecentCall[]> {
  const { data, error, status } = await certus(supabase).rpc("list_recent_calls", {
    p_account_id: accountId,
    ...(locationIds && { p_location_ids: locationIds }),
    ...(callStatus !== undefined && { p_status: callStatus }),
    ...(callType !== undefined && { p_call_type: callType }),
    ...(after && { p_before: after.started_at, p_before_id: after.id }),
    ...(limit !== undefined && { p_limit: limit }),
  }).select(
    "id, account_id, location_id, external_id, started_at, ended_at, status, call_type, duration_seconds, caller_name, caller_phone, summary_md, recording_url",
  );
  if (error) throw fromSupabase(error, { task: "list the calls", status });
  return data;
}

/** One call; `call_not_found` where there is none that the person may read. */
export async function getCallDetail(supabase: CertusClient, callId: string): Promise<CallDetail> {
  const { data, error, status } = await certus(supabase).rpc("get_call_detail", { p_call_id: callId });
  if (error) throw fromSupabase(error, { task: `read the call "${callId}"`, status });
  return data as unknown as CallDetail;
}

function certus(supabase: CertusClient) {
  return (supabase as SupabaseClient<Database, "certus">).schema("certus");
}
