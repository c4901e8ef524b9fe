/**
 * A job as clients, functions and slices name its parts. Types only; the rows live in `jobs.jobs`.
 */

export type JobKind = "import_check" | "import_commit" | "export" | "refresh";
export type JobState = "queued" | "running" | "succeeded" | "failed" | "cancelled";

export interface JobProgress {
  phase: string;
  done: number;
  total: number | null;
  unit: string;
  percent: number | null;
  rows_per_second: number;
  eta_seconds: number | null;
  /** Of the file that the job writes. */
  bytes?: number;
}

export interface JobError {
  code: string;
  message: string;
  details: Record<string, unknown> | null;
}

/** The public job: a row of `jobs.jobs`. Times are ISO 8601. */
export interface Job {
  id: string;
  kind: JobKind;
  state: JobState;
  /** Null in a job of the system, which no person sees. */
  org_id: string | null;
  /** Null in a job of the system. */
  owner_id: string | null;
  parent_id: string | null;
  params: Record<string, unknown>;
  progress: JobProgress;
  result: Record<string, unknown> | null;
  error: JobError | null;
  attempt: number;
  max_attempts: number;
  version: number;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  updated_at: string;
}

/** The file of a job as it was when the job was started. */
export interface PinnedFile {
  bucket: string;
  path: string;
  id: string;
  version: string | null;
  etag: string | null;
  /** Bytes. */
  size: number | null;
}

/** The row of `jobs.settings`; units are in the names. */
export interface Settings {
  lease_seconds: number;
  heartbeat_seconds: number;
  max_attempts: number;
  backoff_seconds: number;
  backoff_max_seconds: number;
  running_in_all: number;
  running_per_org: number;
  unfinished_per_person: number;
  progress_interval_ms: number;
  nudge_seconds: number;
  slice_cpu_ms: number;
  slice_wall_ms: number;
  first_slice_cpu_ms: number;
  first_slice_wall_ms: number;
  chunk_rows: number;
  one_transaction_rows: number;
  problems_kept: number;
  csv_bytes: number;
  workbook_bytes: number;
  multipart_bytes: number;
  export_bytes: number;
  check_days: number;
  file_days: number;
  job_days: number;
  refresh_seconds: number;
}
