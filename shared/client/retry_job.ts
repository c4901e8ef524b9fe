/** Lets a failed or cancelled job go on where it stopped. In: its id. Out: the job, queued. */
import type { SupabaseClient } from "@supabase/supabase-js";
import type { Job } from "../jobs/job.ts";
import { callVerb } from "./call_verb.ts";

export async function retryJob(supabase: SupabaseClient, jobId: string): Promise<Job> {
  return await callVerb(supabase, { verb: "retry", jobId }, { attempts: 1 });
}
