/** Ends a job that has not ended. In: its id. Out: the job, cancelled, or as it had ended before. */
import type { SupabaseClient } from "@supabase/supabase-js";
import type { Job } from "../jobs/job.ts";
import { callVerb } from "./call_verb.ts";

export async function cancelJob(supabase: SupabaseClient, jobId: string): Promise<Job> {
  return await callVerb(supabase, { verb: "cancel", jobId }, { attempts: 4 });
}
