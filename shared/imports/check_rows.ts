/**
 * Staged rows → what would become of them, by writing them for real as the owner and undoing it. Each chunk is undone
 * by itself and committed with the cursor that counts it, unless rows of the file can affect each other in the target:
 * then all chunks are written in one transaction, which is undone as a whole and starts over when it is cut off.
 */
import type { Slice } from "../jobs/slice.ts";
import type { CheckingCursor } from "./check_cursor.ts";
import { checkInLanes } from "./check_in_lanes.ts";
import { countIfCutOff, takesTooLong } from "./cut_offs.ts";
import { refuseTooMany } from "./refuse_too_many.ts";
import type { ResolvedRequest } from "./resolve_request.ts";
import { forgetProblems, importStep, markDuplicates, recordProblems, vacuum } from "./staging.ts";
import { withChunkRetries } from "./with_chunk_retries.ts";

/** Undone writes leave dead rows in the target, and dead index entries slow the rest of a long check down. */
const VACUUM_EVERY_ROWS = 250_000;
/** Problems that one transaction keeps in memory, in characters; with more, the check goes chunk by chunk. */
const PROBLEM_CHARACTERS = 16_000_000;

/** Goes on until all rows are checked, which the cursor says, or the budget is spent. */
export async function checkRows(
  slice: Slice,
  request: ResolvedRequest,
  start: CheckingCursor,
): Promise<CheckingCursor> {
  // A slice that was cut off while it reported: another pass would first forget what has been found.
  if (start.ended) return start;
  const limit = request.options.stop_after_problems;
  const whole = start.whole && !takesTooLong(start)
    ? await checkInOneTransaction(slice, start, limit ?? Infinity)
    : null;
  if (whole) {
    await refuseTooMany(slice, limit, invalidRows(whole));
    return whole;
  }
  const cursor: CheckingCursor = {
    ...start,
    ...(start.whole ? { guarantee: "per_chunk", whole: false } : {}),
  };
  return await checkInLanes(slice, cursor, {
    async committed(before, after, sql) {
      await refuseTooMany(slice, limit, invalidRows(after));
      const [from, to] = [before, after].map(({ done }) => Math.floor(done / VACUUM_EVERY_ROWS));
      if (to! > from! && after.done < after.rows) await vacuum(sql, writtenTables(request));
    },
  });
}

/** Leaves the target as it was for whoever writes next: the commit, most likely. Nobody waits for it. */
export async function tidyUp(slice: Slice, request: ResolvedRequest, rows: number): Promise<void> {
  if (rows >= 100_000) await vacuum(slice.sql, writtenTables(request));
}

function writtenTables({ dataset }: ResolvedRequest): string[] {
  return [dataset.target, ...dataset.alsoWrites ?? []];
}

function invalidRows({ invalid, counts }: CheckingCursor): number {
  return invalid + counts.failed;
}

/**
 * Goes on until all rows are checked or `limit` rows have problems; then the job's cursor stays where it was, since another
 * attempt has to write all rows again. Null where the problems are too many to be kept until the transaction is undone.
 */
async function checkInOneTransaction(
  slice: Slice,
  start: CheckingCursor,
  limit: number,
): Promise<CheckingCursor | null> {
  const importId = slice.job.id;
  countIfCutOff(slice, start);
  await forgetProblems(slice.sql, slice, { importId, checking: true });
  return await withChunkRetries(slice, () =>
    slice.sql.begin(async (transaction) => {
      let cursor = start;
      const problems: string[] = [];
      let kept = 0;
      await transaction`savepoint untouched`;
      while (!cursor.ended && kept <= PROBLEM_CHARACTERS && invalidRows(cursor) < limit) {
        const step = await importStep(transaction, slice, {
          importId,
          cursor,
          checking: true,
          undo: false,
        });
        cursor = step.cursor;
        if (step.problems !== null) problems.push(step.problems);
        kept += step.problems?.length ?? 0;
        slice.progress({ phase: "checking", done: cursor.done, total: cursor.rows });
      }
      await transaction`rollback to savepoint untouched`;
      const tooMany = invalidRows(cursor) >= limit;
      if (!cursor.ended && !tooMany) return null;
      await recordProblems(transaction, slice, { importId, checking: true, problems });
      // The marks were undone with the writes; with every other problem known, one pass sets them again.
      await markDuplicates(transaction, { importId, last: cursor.after });
      await slice.checkpoint(transaction, tooMany ? start : cursor);
      return cursor;
    }));
}
