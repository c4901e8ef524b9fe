/** Where a check is: plain JSON, committed with what it counts. One shape for each phase of its life. */
import type { CsvCursor } from "../formats/csv/mod.ts";
import type { FileInfo } from "../formats/reader.ts";
import type { XlsxCursor } from "../formats/xlsx/mod.ts";

/** How the file's columns lie; settled with the first batch and the same from then on. */
export interface Layout {
  /** The number of the staging tables. */
  slot: number;
  info: FileInfo;
  headingRow: number;
  headings: string[];
  /** By place in the dataset's columns: the place in the file, or null. */
  fileIndex: (number | null)[];
  mapped: Record<string, string>;
  ignored: string[];
  missing: string[];
  /** Cells of the widest record so far. */
  width: number;
}

export interface Counts {
  inserted: number;
  updated: number;
  unchanged: number;
}

export type CheckCursor =
  | { phase: "reading"; layout: Layout; reader: CsvCursor | XlsxCursor; rows: number; invalid: number }
  | {
    phase: "checking";
    layout: Layout;
    rows: number;
    invalid: number;
    /** The last row number that was checked. */
    after: number;
    done: number;
    counts: Counts;
    /** Whether the last chunk had new problems: the next one is classified before it is tried. */
    classify: boolean;
    guarantee: "exact" | "per_chunk";
    /** Whether all rows are checked in one transaction, which starts over when it is cut off. */
    whole: boolean;
    preview: Record<string, unknown>[];
  }
  | {
    phase: "reporting";
    layout: Layout;
    counts: Counts;
    guarantee: "exact" | "per_chunk";
    preview: Record<string, unknown>[];
  };

export type ReadingCursor = Extract<CheckCursor, { phase: "reading" }>;
export type CheckingCursor = Extract<CheckCursor, { phase: "checking" }>;
export type ReportingCursor = Extract<CheckCursor, { phase: "reporting" }>;
