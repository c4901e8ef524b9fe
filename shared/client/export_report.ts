/**
 * An export from the request to its file. In: the report, and what to call with every newer state of the job. Out: the file
 * in Storage; an export that did not succeed is a `LongshoreClientError` with the job's code.
 */
import type { SupabaseClient } from "@supabase/supabase-js";
import type { Job } from "../jobs/job.ts";
import { LongshoreClientError } from "./client_error.ts";
import { type ExportedFile, type ExportRequest, exportResult } from "./export_types.ts";
import { startExport } from "./start_export.ts";
import { watchJob } from "./watch_job.ts";

export interface ExportReportOptions {
  onJob?: ((job: Job) => void) | undefined;
  /** Ends the watching, not the job. */
  signal?: AbortSignal;
}

export async function exportReport(
  supabase: SupabaseClient,
  request: ExportRequest,
  { onJob, signal }: ExportReportOptions = {},
): Promise<ExportedFile> {
  const { id } = await startExport(supabase, request, signal ? { signal } : {});
  const job = await watchJob(supabase, id, { onJob, signal });
  const result = exportResult(job);
  if (result) return result.file;
  const { code, message, details } = job.error ?? {
    code: job.state,
    message: `Cannot export "${request.report}": found its job ${job.state}, expected succeeded`,
    details: null,
  };
  throw new LongshoreClientError(code, message, { details: { ...details, job_id: id }, status: 200 });
}
