/** Starts an export. In: the report, the format, what narrows it down. Out: the job, queued; the file comes with its end. */
import type { SupabaseClient } from "@supabase/supabase-js";
import type { Job } from "../jobs/job.ts";
import { callFunction } from "./call_function.ts";
import type { ExportRequest } from "./export_types.ts";
import { readJobAnswer } from "./read_job_answer.ts";

export interface StartExportOptions {
  /** The same key and request give the same job. @default one made for this call */
  idempotencyKey?: string;
  /** Ends the call; a job that has been started stays. */
  signal?: AbortSignal;
}

export async function startExport(
  supabase: SupabaseClient,
  request: ExportRequest,
  { idempotencyKey, signal }: StartExportOptions = {},
): Promise<Job> {
  const body = { ...request };
  return readJobAnswer(await callFunction(supabase, "export", { body, idempotencyKey, signal }));
}
