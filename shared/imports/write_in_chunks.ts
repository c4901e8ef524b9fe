/**
 * Writes staged rows chunk by chunk, each committed with the cursor that counts it. Ends with the last row, when too
 * many rows have failed, or with the budget.
 */
import type { Slice } from "../jobs/slice.ts";
import { type Chunk, type ChunkOutcome, importChunk, nextChunk } from "./staging.ts";
import { withChunkRetries } from "./with_chunk_retries.ts";

/** Counts of rows; in the end they add up to the staged rows. */
export interface CommitCounts {
  inserted: number;
  updated: number;
  unchanged: number;
  /** Had a problem at the check, or were not reached. */
  skipped: number;
  /** Have a problem that is new. */
  failed: number;
}

/** Where a commit is: plain JSON. */
export interface CommitCursor {
  /** The last row number that was dealt with. */
  after: number;
  rows: number;
  /** Rows with a problem at the check. */
  invalid: number;
  counts: CommitCounts;
  ended: boolean;
}

export async function writeInChunks(
  slice: Slice,
  { importId, stopAfter }: { importId: string; stopAfter: number | null },
  start: CommitCursor,
): Promise<CommitCursor> {
  let cursor = start;
  while (!cursor.ended && !slice.shouldStop()) {
    const chunk = await nextChunk(slice.sql, importId, {
      after: cursor.after,
      size: slice.settings.chunk_rows,
    });
    const from = cursor;
    cursor = await withChunkRetries(slice, () =>
      slice.sql.begin(async (transaction) => {
        const next = chunk.last === null ? { ...from, ended: true } : advance(from, {
          chunk,
          stopAfter,
          outcome: await importChunk(transaction, slice, {
            importId,
            first: from.after + 1,
            last: chunk.last,
            checking: false,
            undo: false,
            classify: false,
            preview: false,
            keepProblems: false,
          }),
        });
        await slice.checkpoint(transaction, JSON.parse(JSON.stringify(next)));
        return next;
      }));
    slice.progress({ phase: "writing", done: sum(cursor.counts), total: cursor.rows });
  }
  return cursor;
}

export interface Advance {
  chunk: Chunk;
  outcome: ChunkOutcome;
  stopAfter: number | null;
}

export function advance(cursor: CommitCursor, { chunk, outcome, stopAfter }: Advance): CommitCursor {
  const { counts } = cursor;
  const { inserted, updated, unchanged, failed } = outcome;
  const after: CommitCounts = {
    inserted: counts.inserted + inserted,
    updated: counts.updated + updated,
    unchanged: counts.unchanged + unchanged,
    failed: counts.failed + failed,
    skipped: counts.skipped + chunk.count - inserted - updated - unchanged - failed,
  };
  return {
    ...cursor,
    after: chunk.last ?? cursor.after,
    counts: after,
    ended: stopAfter !== null && after.failed >= stopAfter,
  };
}

export function sum(counts: CommitCounts): number {
  return counts.inserted + counts.updated + counts.unchanged + counts.skipped + counts.failed;
}
