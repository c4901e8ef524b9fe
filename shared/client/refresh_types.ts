/** What a refresh gives, and what is known of the views that can be refreshed. */
import type { Job, JobError } from "../jobs/job.ts";

/** `result` of a refresh that succeeded. */
export interface RefreshResult {
  view: string;
  /** The moment whose data the view shows; never earlier than the request. */
  refreshed_at: string;
  duration_ms: number;
  /** Whether readers went on reading meanwhile; false for the first refresh of an empty view. */
  concurrent: boolean;
  /** Jobs that had waited for this run and ended with it, beside the one that ran it. */
  jobs_served: number;
}

/** A row of `jobs.refreshable_views`. */
export interface RefreshableView {
  /** Such as `certus.mv_metrics_daily`. */
  view: string;
  /** The moment whose data the view shows; null before the first refresh. */
  refreshed_at: string | null;
  duration_ms: number | null;
  /** When the last refresh failed; null once one has succeeded again. */
  failed_at: string | null;
  error: JobError | null;
}

/** The refresh's result, where the job is a refresh that succeeded; else null. */
export function refreshResult(job: Job): RefreshResult | null {
  return job.kind === "refresh" && job.state === "succeeded" ? job.result as RefreshResult | null : null;
}
