/**
 * The file problems.csv of a check. In: the job, ended. Out: its bytes, or null where every row is good: the rows with
 * problems as they were, with what is wrong beside them, to be corrected and uploaded again.
 */
import type { SupabaseClient } from "@supabase/supabase-js";
import type { Job } from "../jobs/job.ts";
import { fromSupabase } from "./client_error.ts";
import type { StoredFile } from "./import_types.ts";
import { tryAgain } from "./try_again.ts";

export async function downloadProblems(supabase: SupabaseClient, job: Job): Promise<Blob | null> {
  const file = job.result?.["problems_file"] as StoredFile | null | undefined;
  if (!file) return null;
  return await tryAgain(async () => {
    const { data, error } = await supabase.storage.from(file.bucket).download(file.path);
    if (error) throw fromSupabase(error, { task: `download "${file.path}"` });
    return data;
  });
}
