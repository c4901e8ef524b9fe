/**
 * Writes all staged rows in one transaction, or none. A row that fails now, though the check let it pass, undoes them
 * all and is told; so does a death, after which the commit starts over.
 */
import { LongshoreError } from "../errors.ts";
import type { Slice } from "../jobs/slice.ts";
import { countIfCutOff } from "./cut_offs.ts";
import { forgetProblems, importStep, PHASES, publishProblems, recordProblems } from "./staging.ts";
import { withChunkRetries } from "./with_chunk_retries.ts";
import type { CommitCursor } from "./write_in_chunks.ts";

export async function writeInOneTransaction(
  slice: Slice,
  start: CommitCursor,
  { importId }: { importId: string },
): Promise<CommitCursor> {
  refuse(slice, start);
  countIfCutOff(slice, start);
  await forgetProblems(slice.sql, slice, { importId, checking: false });
  try {
    return await withChunkRetries(slice, () => write(slice, start, importId));
  } catch (error) {
    if (!(error instanceof UndoneError)) throw error;
    await recordProblems(slice.sql, slice, { importId, checking: false, problems: [error.problems] });
    await publishProblems(slice.sql, slice, { importId, phases: PHASES.commit });
    throw new LongshoreError(
      "has_problems",
      `Cannot commit all rows: ${error.failed} fail now that passed the check, and nothing was written`,
      { details: { failed: error.failed } },
    );
  }
}

async function write(slice: Slice, start: CommitCursor, importId: string): Promise<CommitCursor> {
  return await slice.sql.begin(async (transaction) => {
    let cursor = start;
    while (!cursor.ended) {
      // Nothing is committed in between, so nobody waits shorter for smaller chunks.
      const size = 4 * slice.settings.chunk_rows;
      const options = { importId, cursor, checking: false, undo: false, size };
      const step = await importStep(transaction, slice, options);
      cursor = step.cursor;
      if (step.problems !== null) throw new UndoneError(cursor.counts.failed, step.problems);
      slice.progress({ phase: "writing", done: cursor.done, total: cursor.rows });
    }
    await slice.checkpoint(transaction, cursor);
    return cursor;
  });
}

/** Ends the transaction; its rows are undone. */
class UndoneError extends Error {
  constructor(readonly failed: number, readonly problems: string) {
    super("A row has failed");
  }
}

function refuse(slice: Slice, { rows, invalid }: CommitCursor): void {
  if (invalid > 0) {
    throw new LongshoreError(
      "has_problems",
      `Cannot commit all rows: ${invalid} have problems; correct them, or commit with the policy "valid_rows"`,
      { details: { invalid } },
    );
  }
  const limit = slice.settings.one_transaction_rows;
  if (rows > limit) {
    throw new LongshoreError(
      "too_large_for_one_transaction",
      `Cannot commit ${rows} rows in one transaction: expected at most ${limit}; commit with the policy "valid_rows"`,
      { details: { rows, limit } },
    );
  }
}
