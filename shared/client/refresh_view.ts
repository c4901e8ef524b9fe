/**
 * A refresh from the request to its end. In: the view's name, and what to call with every newer state of the job. Out: as
 * of when its numbers are now; a refresh that did not succeed is a `LongshoreClientError` with the job's code.
 */
import type { SupabaseClient } from "@supabase/supabase-js";
import type { Job } from "../jobs/job.ts";
import { LongshoreClientError } from "./client_error.ts";
import { type RefreshResult, refreshResult } from "./refresh_types.ts";
import { startRefresh } from "./start_refresh.ts";
import { watchJob } from "./watch_job.ts";

export interface RefreshViewOptions {
  onJob?: ((job: Job) => void) | undefined;
  /** Ends the watching, not the job. */
  signal?: AbortSignal;
}

export async function refreshView(
  supabase: SupabaseClient,
  view: string,
  { onJob, signal }: RefreshViewOptions = {},
): Promise<RefreshResult> {
  const { id } = await startRefresh(supabase, view, signal ? { signal } : {});
  const job = await watchJob(supabase, id, { onJob, signal });
  const result = refreshResult(job);
  if (result) return result;
  const { code, message, details } = job.error ?? {
    code: job.state,
    message: `Cannot refresh the view "${view}": found its job ${job.state}, expected succeeded`,
    details: null,
  };
  throw new LongshoreClientError(code, message, { details: { ...details, job_id: id }, status: 200 });
}
