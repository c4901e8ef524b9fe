/** What can be exported. In: nothing. Out: the reports there are, with their columns, filters and formats. */
import type { SupabaseClient } from "@supabase/supabase-js";
import { callFunction } from "./call_function.ts";
import { isRecord, LongshoreClientError } from "./client_error.ts";
import type { ReportDescription } from "./export_types.ts";

export async function listReports(supabase: SupabaseClient): Promise<ReportDescription[]> {
  const answer = await callFunction(supabase, "export");
  const reports = isRecord(answer) ? answer["reports"] : undefined;
  if (Array.isArray(reports)) return reports;
  throw new LongshoreClientError(
    "internal",
    "Cannot read the answer: found no reports in it, expected a list",
  );
}
