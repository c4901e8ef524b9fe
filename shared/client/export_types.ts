/** What an export takes and gives, as the contract says it. */
import type { Job } from "../jobs/job.ts";
import type { StoredFile } from "./import_types.ts";

export type ExportFormat = "csv" | "xlsx" | "ndjson";

export interface ExportRequest {
  /** Such as `pipetrak.components`. */
  report: string;
  format: ExportFormat;
  /** What the rows are narrowed by; the report's description says what there is. */
  filters?: Record<string, unknown>;
  /** The report's columns by name, in the order of the file. @default all */
  columns?: string[];
}

/** A file in Storage that is complete. */
export interface ExportedFile extends StoredFile {
  bytes: number;
  rows: number;
  /** Of the file's bytes, in hexadecimal digits. */
  sha256: string;
}

/** `result` of an export that succeeded. */
export interface ExportResult {
  file: ExportedFile;
  /** Texts that were too long for a cell of a workbook and were cut, where there are any. */
  cut_texts?: number;
}

export interface ReportDescription {
  name: string;
  title: string;
  columns: { name: string; heading: string; type: string }[];
  /** A JSON Schema. */
  filters: {
    properties?: Record<string, Record<string, unknown>>;
    required?: string[];
    [keyword: string]: unknown;
  };
  formats: ExportFormat[];
}

/** The export's result, where the job is an export that succeeded; else null. */
export function exportResult(job: Job): ExportResult | null {
  return job.kind === "export" && job.state === "succeeded" ? job.result as ExportResult | null : null;
}
