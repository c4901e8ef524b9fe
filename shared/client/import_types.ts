/** What an import takes and gives, as the contract says it, and the results of its jobs by kind. */
import type { Job } from "../jobs/job.ts";

export interface StoredFile {
  bucket: string;
  path: string;
}

export type ImportMode = "insert" | "upsert" | "update";

export interface ImportRequest {
  /** Such as `pipetrak.components`. */
  dataset: string;
  /** What holds for all rows, such as `{ project_id }`. */
  scope?: Record<string, unknown>;
  options?: ImportOptions;
}

export interface ImportOptions {
  /** What happens to rows whose key is there already. @default "insert" */
  mode?: ImportMode;
  /** The sheet of a workbook. @default the first */
  sheet?: string;
  /** The row of the headings, as a spreadsheet shows it. @default found */
  header_row?: number;
  /** @default found */
  delimiter?: string;
  /** @default found */
  encoding?: string;
  /** Heading of the file → column of the dataset, or null to leave it out. @default by the headings */
  columns?: Record<string, string | null>;
  date_order?: "dmy" | "mdy" | "ymd";
  decimal?: "." | ",";
  /** Ends the check as failed at this many problems. */
  stop_after_problems?: number;
  /** Whatever the dataset adds. */
  [option: string]: unknown;
}

/** `result` of a check that succeeded. */
export interface CheckResult {
  rows: number;
  valid: number;
  invalid: number;
  would: { insert: number; update: number; unchanged: number };
  problems_by_code: Record<string, number>;
  /** The first 20 rows as they would be written. Channels leave it out. */
  preview?: Record<string, unknown>[];
  columns: { mapped: Record<string, string>; ignored: string[]; missing: string[] };
  problems_file: StoredFile | null;
  /** The rows with problems are more than a file may have: problems.csv has the first ones. */
  problems_file_cut?: true;
  guarantee: "exact" | "per_chunk";
  sheet?: string;
  /** Rows of a workbook that were left out because they are hidden; a filter hides rows too. */
  hidden_rows?: number;
  encoding?: string;
  delimiter?: string;
  expires_at: string;
}

export type CommitPolicy = "all_or_nothing" | "valid_rows" | "stop_after";

/** `result` of a commit. */
export interface CommitResult {
  inserted: number;
  updated: number;
  unchanged: number;
  skipped: number;
  failed: number;
}

export interface ImportProblem {
  job_id: string;
  /** The record's number as a spreadsheet shows it. */
  row: number;
  /** The physical line of a CSV. */
  line: number | null;
  sheet: string | null;
  /** The cell of a workbook, such as `D17`. */
  cell: string | null;
  /** The dataset's column. */
  column: string | null;
  /** The file's heading. */
  heading: string | null;
  code: string;
  message: string;
  value: string | null;
}

export interface DatasetDescription {
  name: string;
  title: string;
  columns: {
    name: string;
    type: string;
    required: boolean;
    headings: string[];
    example: string;
    values?: string[];
  }[];
  key: string[];
  modes: ImportMode[];
}

/** The check's result, where the job is a check that succeeded; else null. */
export function checkResult(job: Job): CheckResult | null {
  return job.kind === "import_check" && job.state === "succeeded" ? job.result as CheckResult | null : null;
}

/** The commit's result, where there is one: a commit that failed may have written rows before. */
export function commitResult(job: Job): CommitResult | null {
  return job.kind === "import_commit" ? job.result as CommitResult | null : null;
}
