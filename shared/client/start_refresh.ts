/**
 * Asks for a refresh of a view. In: its name. Out: the job, queued. Whoever asks while the view is being refreshed waits
 * for the next run; one run serves all who wait.
 */
import type { SupabaseClient } from "@supabase/supabase-js";
import type { Job } from "../jobs/job.ts";
import { callFunction } from "./call_function.ts";
import { readJobAnswer } from "./read_job_answer.ts";

export interface StartRefreshOptions {
  /** The same key and request give the same job. @default one made for this call */
  idempotencyKey?: string;
  /** Ends the call; a job that has been started stays. */
  signal?: AbortSignal;
}

export async function startRefresh(
  supabase: SupabaseClient,
  view: string,
  { idempotencyKey, signal }: StartRefreshOptions = {},
): Promise<Job> {
  return readJobAnswer(
    await callFunction(supabase, "refresh-metrics", { body: { view }, idempotencyKey, signal }),
  );
}
