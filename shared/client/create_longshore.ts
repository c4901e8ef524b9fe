/**
 * Longshore for an app. In: a supabase-js client of a person, with a session or with the `accessToken` option. Out: its
 * verbs as methods. It keeps nothing: two of them on one client are the same thing.
 */
import type { SupabaseClient } from "@supabase/supabase-js";
import type { Job } from "../jobs/job.ts";
import { cancelJob } from "./cancel_job.ts";
import { commitImport, type CommitImportOptions } from "./commit_import.ts";
import { downloadExport } from "./download_export.ts";
import { downloadProblems } from "./download_problems.ts";
import { exportReport } from "./export_report.ts";
import type { ExportedFile, ExportRequest, ReportDescription } from "./export_types.ts";
import { getJob, type GetJobOptions } from "./get_job.ts";
import type { DatasetDescription, ImportProblem, ImportRequest, StoredFile } from "./import_types.ts";
import { listDatasets } from "./list_datasets.ts";
import { listProblems, type ListProblemsOptions } from "./list_problems.ts";
import { listReports } from "./list_reports.ts";
import { listViews } from "./list_views.ts";
import type { RefreshableView, RefreshResult } from "./refresh_types.ts";
import { refreshView } from "./refresh_view.ts";
import { retryJob } from "./retry_job.ts";
import { startExport, type StartExportOptions } from "./start_export.ts";
import { startImport, type StartImportOptions } from "./start_import.ts";
import { startRefresh, type StartRefreshOptions } from "./start_refresh.ts";
import { watchJob, type WatchOptions } from "./watch_job.ts";

export interface Longshore {
  /** What can be imported. */
  datasets(): Promise<DatasetDescription[]>;
  /** Uploads a file, or takes one from Storage, and starts its check. Writes nothing to the target. */
  startImport(file: File | StoredFile, request: ImportRequest, options?: StartImportOptions): Promise<Job>;
  /** Writes what the check has found good. */
  commitImport(importId: string, options?: CommitImportOptions): Promise<Job>;
  /** Calls back with every newer state of a job; resolves with the job when it has ended. */
  watch(jobId: string, onJob?: (job: Job) => void, options?: WatchOptions): Promise<Job>;
  getJob(jobId: string, options?: GetJobOptions): Promise<Job>;
  cancel(jobId: string): Promise<Job>;
  /** Lets a failed or cancelled job go on where it stopped. */
  retry(jobId: string): Promise<Job>;
  /** The problems of an import, a page at a time. */
  problems(jobId: string, options?: ListProblemsOptions): Promise<ImportProblem[]>;
  /** The rows with problems as a CSV file; null where there are none. */
  downloadProblems(job: Job): Promise<Blob | null>;
  /** What can be exported. */
  reports(): Promise<ReportDescription[]>;
  /** Starts an export; its file comes with the end of the job. */
  startExport(request: ExportRequest, options?: StartExportOptions): Promise<Job>;
  /** The same, followed to its end: the file in Storage. Throws where it fails. */
  exportReport(
    request: ExportRequest,
    onJob?: (job: Job) => void,
    options?: { signal?: AbortSignal },
  ): Promise<ExportedFile>;
  /** The bytes of an export's file, as they come. */
  downloadExport(file: StoredFile): Promise<ReadableStream<Uint8Array>>;
  /** Asks for a refresh of a view. */
  startRefresh(view: string, options?: StartRefreshOptions): Promise<Job>;
  /** The same, followed to its end: as of when the view's numbers are then. Throws where it fails. */
  refreshView(
    view: string,
    onJob?: (job: Job) => void,
    options?: { signal?: AbortSignal },
  ): Promise<RefreshResult>;
  /** Views that can be refreshed, and as of when their numbers are. */
  views(): Promise<RefreshableView[]>;
}

export function createLongshore(supabase: SupabaseClient): Longshore {
  return {
    datasets: () => listDatasets(supabase),
    startImport: (file, request, options) => startImport(supabase, { file, request, ...options }),
    commitImport: (importId, options) => commitImport(supabase, importId, options),
    watch: (jobId, onJob, options) => watchJob(supabase, jobId, { ...options, onJob }),
    getJob: (jobId, options) => getJob(supabase, jobId, options),
    cancel: (jobId) => cancelJob(supabase, jobId),
    retry: (jobId) => retryJob(supabase, jobId),
    problems: (jobId, options) => listProblems(supabase, jobId, options),
    downloadProblems: (job) => downloadProblems(supabase, job),
    reports: () => listReports(supabase),
    startExport: (request, options) => startExport(supabase, request, options),
    exportReport: (request, onJob, options) => exportReport(supabase, request, { ...options, onJob }),
    downloadExport: (file) => downloadExport(supabase, file),
    startRefresh: (view, options) => startRefresh(supabase, view, options),
    refreshView: (view, onJob, options) => refreshView(supabase, view, { ...options, onJob }),
    views: () => listViews(supabase),
  };
}
