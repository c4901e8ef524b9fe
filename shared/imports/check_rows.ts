/**
 * Staged rows → what would become of them, by writing them for real as the owner and undoing it. Each chunk is undone
 * by itself and committed with the cursor that counts it, unless rows of the file can affect each other in the target:
 * then all chunks are written in one transaction, which is undone as a whole and starts over when it is cut off.
 */
import type { Slice } from "../jobs/slice.ts";
import type { CheckingCursor } from "./check_cursor.ts";
import { maskPreview } from "./mask_preview.ts";
import { refuseTooMany } from "./refuse_too_many.ts";
import type { ResolvedRequest } from "./resolve_request.ts";
import {
  type ChunkOutcome,
  forgetProblems,
  importChunk,
  nextChunk,
  recordProblems,
  vacuum,
} from "./staging.ts";
import { withChunkRetries } from "./with_chunk_retries.ts";

/** Undone writes leave dead rows in the target, and dead index entries slow the rest of a long check down. */
const VACUUM_EVERY_ROWS = 100_000;
/** Problems that one transaction keeps in memory, in characters; with more, the check goes chunk by chunk. */
const PROBLEM_CHARACTERS = 16_000_000;

/** Goes on until all rows are checked or the budget is spent: then `after` is before the last row. */
export async function checkRows(
  slice: Slice,
  request: ResolvedRequest,
  start: CheckingCursor,
): Promise<{ cursor: CheckingCursor; ended: boolean }> {
  let cursor = start;
  if (cursor.guarantee === "exact" && cursor.whole) {
    const whole = await checkInOneTransaction(slice, request, cursor);
    if (whole) return { cursor: whole, ended: true };
    cursor = { ...cursor, guarantee: "per_chunk", whole: false };
  }

  let vacuumed = cursor.done;
  for (;;) {
    const chunk = await nextChunk(slice.sql, slice.job.id, {
      after: cursor.after,
      size: slice.settings.chunk_rows,
    });
    const { last } = chunk;
    if (last === null) return { cursor, ended: true };
    const from: CheckingCursor = cursor;
    cursor = await withChunkRetries(slice, () =>
      slice.sql.begin(async (transaction) => {
        const outcome = await importChunk(transaction, slice, {
          importId: slice.job.id,
          first: from.after + 1,
          last,
          checking: true,
          undo: true,
          classify: from.classify,
          preview: from.preview.length === 0,
          keepProblems: false,
        });
        const next = advance(request, from, { outcome, last, count: chunk.count });
        await slice.checkpoint(transaction, JSON.parse(JSON.stringify(next)));
        return next;
      }));
    slice.progress({ phase: "checking", done: cursor.done, total: cursor.rows });
    await refuseTooMany(slice, request.options.stop_after_problems, cursor.invalid);
    if (cursor.done - vacuumed >= VACUUM_EVERY_ROWS) {
      vacuumed = cursor.done;
      await vacuum(slice.sql, [request.dataset.target, ...request.dataset.alsoWrites ?? []]);
    }
    if (slice.shouldStop()) return { cursor, ended: cursor.done >= cursor.rows };
  }
}

/** Null where the problems are too many to be kept until the transaction is undone. */
async function checkInOneTransaction(
  slice: Slice,
  request: ResolvedRequest,
  start: CheckingCursor,
): Promise<CheckingCursor | null> {
  const importId = slice.job.id;
  await forgetProblems(slice.sql, slice, { importId, checking: true });
  return await withChunkRetries(slice, () =>
    slice.sql.begin(async (transaction) => {
      let cursor = start;
      const problems: string[] = [];
      let kept = 0;
      await transaction`savepoint untouched`;
      for (;;) {
        const chunk = await nextChunk(transaction, importId, {
          after: cursor.after,
          size: slice.settings.chunk_rows,
        });
        if (chunk.last === null) break;
        const outcome = await importChunk(transaction, slice, {
          importId,
          first: cursor.after + 1,
          last: chunk.last,
          checking: true,
          undo: false,
          classify: cursor.classify,
          preview: cursor.preview.length === 0,
          keepProblems: true,
        });
        cursor = advance(request, cursor, { outcome, last: chunk.last, count: chunk.count });
        if (outcome.failed > 0) problems.push(outcome.problems);
        kept += outcome.problems.length;
        slice.progress({ phase: "checking", done: cursor.done, total: cursor.rows });
        if (kept > PROBLEM_CHARACTERS) break;
      }
      await transaction`rollback to savepoint untouched`;
      if (kept > PROBLEM_CHARACTERS) return null;
      await recordProblems(transaction, slice, { importId, checking: true, problems });
      await slice.checkpoint(transaction, JSON.parse(JSON.stringify(cursor)));
      return cursor;
    }));
}

function advance(
  { dataset }: ResolvedRequest,
  cursor: CheckingCursor,
  { outcome, last, count }: { outcome: ChunkOutcome; last: number; count: number },
): CheckingCursor {
  const { counts } = cursor;
  return {
    ...cursor,
    after: last,
    done: cursor.done + count,
    invalid: cursor.invalid + outcome.failed,
    counts: {
      inserted: counts.inserted + outcome.inserted,
      updated: counts.updated + outcome.updated,
      unchanged: counts.unchanged + outcome.unchanged,
    },
    classify: outcome.failed > 0,
    preview: cursor.preview.length > 0 ? cursor.preview : maskPreview(dataset, outcome.preview ?? []),
  };
}
