/** What can be imported. In: nothing. Out: the datasets that the caller may use, with their columns. */
import type { SupabaseClient } from "@supabase/supabase-js";
import { callFunction } from "./call_function.ts";
import { isRecord, LongshoreClientError } from "./client_error.ts";
import type { DatasetDescription } from "./import_types.ts";

export async function listDatasets(supabase: SupabaseClient): Promise<DatasetDescription[]> {
  const answer = await callFunction(supabase, "import");
  const datasets = isRecord(answer) ? answer["datasets"] : undefined;
  if (Array.isArray(datasets)) return datasets;
  throw new LongshoreClientError(
    "internal",
    "Cannot read the answer: found no datasets in it, expected a list",
  );
}
