/** What an app imports: start an import, watch its job, commit it, export a report, refresh a view. Runs in browsers and on Deno, beside supabase-js. */
export { LongshoreClientError } from "./client_error.ts";
export type { CommitImportOptions } from "./commit_import.ts";
export { createLongshore, type Longshore } from "./create_longshore.ts";
export * from "./export_types.ts";
export type { GetJobOptions } from "./get_job.ts";
export * from "./import_types.ts";
export type { ListProblemsOptions } from "./list_problems.ts";
export * from "./refresh_types.ts";
export type { StartExportOptions } from "./start_export.ts";
export type { StartImportOptions } from "./start_import.ts";
export type { StartRefreshOptions } from "./start_refresh.ts";
export { hasEnded, type WatchOptions } from "./watch_job.ts";
export type { Job, JobError, JobKind, JobProgress, JobState } from "../jobs/job.ts";
