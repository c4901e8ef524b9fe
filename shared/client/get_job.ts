/** One job as it is now. In: its id. Out: the whole row; `job_not_found` where there is none that the caller may read. */
import type { SupabaseClient } from "@supabase/supabase-js";
import type { Job } from "../jobs/job.ts";
import { fromSupabase, LongshoreClientError } from "./client_error.ts";
import { tryAgain } from "./try_again.ts";
import { withoutRetries } from "./without_retries.ts";

export interface GetJobOptions {
  signal?: AbortSignal | undefined;
  /** How often it is asked while the network or the server fails. @default 4 */
  attempts?: number;
}

export async function getJob(
  supabase: SupabaseClient,
  jobId: string,
  { signal, attempts = 4 }: GetJobOptions = {},
): Promise<Job> {
  return await tryAgain(async () => {
    const query = withoutRetries(supabase.schema("jobs").from("jobs").select().eq("id", jobId).limit(1));
    const { data, error, status } = await (signal ? query.abortSignal(signal) : query);
    signal?.throwIfAborted();
    if (error) throw fromSupabase(error, { task: `read the job "${jobId}"`, status });
    const [job] = data as Job[];
    if (job) return job;
    const message = `Cannot read the job "${jobId}": found none of yours with this id`;
    throw new LongshoreClientError("job_not_found", message, { status: 404 });
  }, { signal, attempts });
}
