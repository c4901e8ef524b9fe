/**
 * Writes staged rows chunk by chunk, each committed with the cursor that counts it. Ends with the last row, when too
 * many rows have failed, or with the budget.
 */
import type { Slice } from "../jobs/slice.ts";
import type { CutOffs } from "./cut_offs.ts";
import { importStep, type StepCursor } from "./staging.ts";
import { withChunkRetries } from "./with_chunk_retries.ts";

/** Where a commit is: plain JSON. */
export interface CommitCursor extends StepCursor, CutOffs {
  rows: number;
  /** Rows with a problem at the check. */
  invalid: number;
  /** Failed rows for which the commit has been stopped already: a retry goes on until as many have failed again. */
  forgiven?: number;
}

export interface WriteInChunksOptions {
  importId: string;
  /** End when so many rows have failed; null for never. */
  stopAfter: number | null;
}

export async function writeInChunks(
  slice: Slice,
  start: CommitCursor,
  { importId, stopAfter }: WriteInChunksOptions,
): Promise<CommitCursor> {
  let cursor = start;
  // At least one step, however little a slice may do: slices without a step would follow each other for ever.
  for (let steps = 0; steps === 0 || !slice.shouldStop(); steps++) {
    if (cursor.ended || hasTooMany(cursor, stopAfter)) break;
    const progress = slice.progress({ phase: "writing", done: cursor.done, total: cursor.rows });
    const options = { importId, cursor, checking: false, undo: false, checkpoint: true, progress };
    ({ cursor } = await withChunkRetries(slice, () => importStep(slice.sql, slice, options)));
    slice.progress({ phase: "writing", done: cursor.done, total: cursor.rows });
  }
  return cursor;
}

export function hasTooMany({ counts, forgiven = 0 }: CommitCursor, stopAfter: number | null): boolean {
  return stopAfter !== null && counts.failed - forgiven >= stopAfter;
}
