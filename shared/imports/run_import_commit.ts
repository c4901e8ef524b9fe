/**
 * The end of a row's life in an import: the write that was checked, this time for good. Rows that had a problem at the
 * check are passed over, or the whole commit is refused, as the policy says. Every transaction carries the cursor that
 * counts its rows, so that a commit that is cut off goes on without writing a row twice.
 */
import { LongshoreError } from "../errors.ts";
import { parseInput } from "../http/read_body.ts";
import type { Slice, SliceOutcome } from "../jobs/slice.ts";
import { CommitRequest } from "./import_request.ts";
import { countImport, PHASES, publishProblems } from "./staging.ts";
import { type CommitCounts, type CommitCursor, writeInChunks } from "./write_in_chunks.ts";
import { writeInOneTransaction } from "./write_in_one_transaction.ts";

export async function runImportCommit(slice: Slice): Promise<SliceOutcome> {
  const request = parseInput(slice.params, CommitRequest);
  const importId = request.import_id;
  let cursor = slice.cursor as CommitCursor | null;
  if (cursor === null) {
    const { rows, invalid } = await countImport(slice.sql, importId, PHASES.check);
    cursor = { after: 0, rows, invalid, counts: NOTHING, ended: false };
  }

  if (!cursor.ended) {
    if (request.policy === "all_or_nothing") {
      cursor = await writeInOneTransaction(slice, importId, cursor);
    } else {
      cursor = await writeInChunks(slice, { importId, stopAfter: request.stop_after ?? null }, cursor);
      if (!cursor.ended) return { outcome: "continue" };
    }
  }
  await publishProblems(slice.sql, slice, { importId, phases: PHASES.commit });
  refuseTooManyFailures(cursor, request);
  return { outcome: "done", result: { ...cursor.counts } };
}

const NOTHING: CommitCounts = { inserted: 0, updated: 0, unchanged: 0, skipped: 0, failed: 0 };

function refuseTooManyFailures({ counts, rows }: CommitCursor, { stop_after }: CommitRequest): void {
  if (stop_after === undefined || counts.failed < stop_after) return;
  const { inserted, updated, unchanged, failed } = counts;
  throw new LongshoreError(
    "too_many_problems",
    `Cannot go on with the commit: ${failed} rows have failed, expected fewer than ${stop_after}; ` +
      "what was written before stays",
    // Rows behind the end count as skipped.
    { details: { ...counts, skipped: rows - inserted - updated - unchanged - failed } },
  );
}
