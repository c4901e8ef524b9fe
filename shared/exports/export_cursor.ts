/** Where an export is between two slices: plain JSON. Before its rows are kept, an export starts over. */
import type { Slice } from "../jobs/slice.ts";
import type { FileState } from "./export_file.ts";

export interface WritingCursor {
  phase: "writing";
  /** Pieces that are kept, in all. */
  pieces: number;
  /** The piece that comes next. */
  next: number;
  /** Rows of the export, in all. */
  rows: number;
  /** What the rows that are kept depended on; see `Report.rights`. */
  rights: string | null;
  /** Of the object in the bucket. */
  path: string;
  file: FileState;
}

export type ExportCursor = { phase: "start" } | WritingCursor;

export function writingCursor(slice: Slice): WritingCursor | null {
  const cursor = slice.cursor as unknown as ExportCursor | null;
  return cursor?.phase === "writing" ? cursor : null;
}
