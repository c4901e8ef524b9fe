/**
 * Staged rows → written for good, chunk by chunk, in two sessions at a time where no row can affect another. Each chunk is
 * committed with a cursor that has it among the ranges of rows that are written: they need not follow each other, so
 * neither session waits for the other. Ends with the last row, when too many rows have failed, or with the budget.
 */
import type { Slice } from "../jobs/slice.ts";
import type { CutOffs } from "./cut_offs.ts";
import { runLanes } from "./run_lanes.ts";
import { nextRange, rangesAreIndependent, type StepCursor, type WriteRange, writeRange } from "./staging.ts";
import { withChunkRetries } from "./with_chunk_retries.ts";

/** Where a commit is: plain JSON. */
export interface CommitCursor extends StepCursor, CutOffs {
  rows: number;
  /** Rows with a problem at the check. */
  invalid: number;
  /** The numbers of the rows that are written, as PostgreSQL writes a multirange. @default none */
  written?: string;
  /** Failed rows for which the commit has been stopped already: a retry goes on until as many have failed again. */
  forgiven?: number;
}

export interface WriteInChunksOptions {
  importId: string;
  /** End when so many rows have failed, counted in the order of the file; null for never. */
  stopAfter: number | null;
}

/** Chunks that are worth a second session. */
const MANY_CHUNKS = 2;

export async function writeInChunks(
  slice: Slice,
  start: CommitCursor,
  { importId, stopAfter }: WriteInChunksOptions,
): Promise<CommitCursor> {
  const size = slice.settings.chunk_rows;
  let cursor = start;
  let taken = start.written ?? "{}";

  // Beats carry it: with the chunk it would be what was known before the other session's last.
  const report = () => slice.progress({ phase: "writing", done: cursor.done, total: cursor.rows });
  report();

  const many = start.rows - start.done > MANY_CHUNKS * size;
  const ended = await runLanes<WriteRange>(slice, {
    two: many && stopAfter === null && await rangesAreIndependent(slice.sql, importId),
    async take(sql) {
      const range = await nextRange(sql, { importId, taken, size });
      taken = range?.taken ?? taken;
      return range;
    },
    async run(range, sql) {
      const after = await withChunkRetries(slice, () => writeRange(sql, slice, { importId, range, start }));
      // The other session may have heard later of what it committed before.
      if (after.done > cursor.done) cursor = after;
      report();
    },
    isEnough: () => hasTooMany(cursor, stopAfter),
  });
  return ended ? { ...cursor, ended } : cursor;
}

export function hasTooMany({ counts, forgiven = 0 }: CommitCursor, stopAfter: number | null): boolean {
  return stopAfter !== null && counts.failed - forgiven >= stopAfter;
}
