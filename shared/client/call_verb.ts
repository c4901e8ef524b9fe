/** A verb of the engine on one job of the caller's. In: its name and the job's id. Out: the job afterwards. */
import type { SupabaseClient } from "@supabase/supabase-js";
import type { Job } from "../jobs/job.ts";
import { fromSupabase } from "./client_error.ts";
import { readJobAnswer } from "./read_job_answer.ts";
import { tryAgain } from "./try_again.ts";
import { withoutRetries } from "./without_retries.ts";

export interface CallVerbOptions {
  /** How often it is called while the network or the server fails; one where a second call is refused. */
  attempts: number;
}

export async function callVerb(
  supabase: SupabaseClient,
  { verb, jobId }: { verb: "cancel" | "retry"; jobId: string },
  { attempts }: CallVerbOptions,
): Promise<Job> {
  return await tryAgain(async () => {
    const { data, error, status } = await withoutRetries(
      supabase.schema("jobs").rpc(`${verb}_job`, { job_id: jobId }),
    );
    if (error) throw fromSupabase(error, { task: `${verb} the job "${jobId}"`, status });
    return readJobAnswer({ job: data });
  }, { attempts });
}
