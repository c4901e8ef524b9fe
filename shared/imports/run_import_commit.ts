/**
 * The end of a row's life in an import: the write that was checked, this time for good. Rows that had a problem at the
 * check are passed over, or the whole commit is refused, as the policy says. Every transaction carries the cursor that
 * counts its rows, so that a commit that is cut off goes on without writing a row twice.
 */
import { LongshoreError } from "../errors.ts";
import { parseInput } from "../http/read_body.ts";
import type { Slice, SliceOutcome } from "../jobs/slice.ts";
import { takesTooLong } from "./cut_offs.ts";
import { CommitRequest } from "./import_request.ts";
import { checkedRows, NO_STEPS, PHASES, publishProblems } from "./staging.ts";
import { type CommitCursor, hasTooMany, writeInChunks } from "./write_in_chunks.ts";
import { writeInOneTransaction } from "./write_in_one_transaction.ts";

export async function runImportCommit(slice: Slice): Promise<SliceOutcome> {
  const { policy, stop_after } = parseInput(slice.params, CommitRequest);
  const importId = checkOf(slice);
  const stopAfter = stop_after ?? null;
  const start = slice.cursor as CommitCursor | null ?? await begin(slice, importId);

  if (takesTooLong(start)) return { outcome: "fail", error: cutOff(start), cursor: { ...start, cutOffs: 0 } };

  const cursor = start.ended
    ? start
    : policy === "all_or_nothing"
    ? await writeInOneTransaction(slice, start, { importId })
    : await writeInChunks(slice, start, { importId, stopAfter });
  const tooMany = hasTooMany(cursor, stopAfter);
  if (!cursor.ended && !tooMany) return { outcome: "continue" };

  await publishProblems(slice.sql, slice, { importId, phases: PHASES.commit });
  if (tooMany) {
    const forgiving = { ...cursor, forgiven: cursor.counts.failed };
    return { outcome: "fail", error: tooManyProblems(cursor), cursor: forgiving };
  }
  return { outcome: "done", result: { ...cursor.counts } };
}

/** The check that the database has found to be the owner's: what the request names is not asked, it may be forged. */
function checkOf({ job }: Slice): string {
  if (job.parent_id !== null) return job.parent_id;
  throw new LongshoreError("expired", "Cannot commit the import: its check has been deleted");
}

async function begin(slice: Slice, importId: string): Promise<CommitCursor> {
  const { rows, invalid } = await checkedRows(slice.sql, importId);
  return { ...NO_STEPS, rows, invalid };
}

function cutOff({ rows, cutOffs }: CommitCursor): LongshoreError {
  return new LongshoreError(
    "too_large_for_one_transaction",
    `Cannot commit ${rows} rows in one transaction: it took longer than a function may run, ${cutOffs} times, and ` +
      'nothing was written; check the file again and commit it with the policy "valid_rows"',
    { details: { rows } },
  );
}

function tooManyProblems({ counts, done, rows }: CommitCursor): LongshoreError {
  return new LongshoreError(
    "too_many_problems",
    `Cannot go on with the commit: ${counts.failed} rows have failed; what was written before stays`,
    { details: { ...counts, skipped: counts.skipped + rows - done } },
  );
}
