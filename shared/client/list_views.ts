/** The views that can be refreshed, and as of when their numbers are. In: nothing. Out: all of them, by name. */
import type { SupabaseClient } from "@supabase/supabase-js";
import { fromSupabase } from "./client_error.ts";
import type { RefreshableView } from "./refresh_types.ts";
import { tryAgain } from "./try_again.ts";

export async function listViews(supabase: SupabaseClient): Promise<RefreshableView[]> {
  return await tryAgain(async () => {
    const { data, error, status } = await supabase.schema("jobs").from("refreshable_views")
      .select("view,refreshed_at,duration_ms,failed_at,error").order("view");
    if (error) throw fromSupabase(error, { task: "read the views that can be refreshed", status });
    return data as RefreshableView[];
  });
}
