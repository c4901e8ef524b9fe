/** Where a check is: plain JSON, committed with what it counts. One shape for each phase of its life. */
import type { FileInfo } from "../formats/reader.ts";
import type { CutOffs } from "./cut_offs.ts";
import type { FileCursor } from "./open_file.ts";
import type { StepCursor } from "./staging.ts";

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

export interface ReadingCursor {
  phase: "reading";
  layout: Layout;
  reader: FileCursor;
  rows: number;
  /** Rows that show a problem by themselves. */
  invalid: number;
}

export interface CheckingCursor extends StepCursor, CutOffs {
  phase: "checking";
  layout: Layout;
  rows: number;
  invalid: number;
  /** Rows of a workbook that were left out because they are hidden. */
  hiddenRows: number;
  guarantee: "exact" | "per_chunk";
  /** Whether all rows are checked in one transaction, which starts over when it is cut off. */
  whole: boolean;
}

/** Rows that would be written, or stand in the target already as they are. */
export function validRows({ counts }: StepCursor): number {
  return counts.inserted + counts.updated + counts.unchanged;
}

export type CheckCursor = ReadingCursor | CheckingCursor;
