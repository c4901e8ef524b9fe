/**
 * Writes all staged rows in one transaction, or none. A row that fails now, though the check let it pass, undoes them
 * all and is told; so does a death, after which the commit starts over.
 */
import { LongshoreError } from "../errors.ts";
import type { Slice } from "../jobs/slice.ts";
import {
  forgetProblems,
  importChunk,
  nextChunk,
  PHASES,
  publishProblems,
  recordProblems,
} from "./staging.ts";
import { withChunkRetries } from "./with_chunk_retries.ts";
import { advance, type CommitCursor, sum } from "./write_in_chunks.ts";

export async function writeInOneTransaction(
  slice: Slice,
  importId: string,
  start: CommitCursor,
): Promise<CommitCursor> {
  refuse(slice, start);
  await forgetProblems(slice.sql, slice, { importId, checking: false });
  const problems: string[] = [];
  try {
    return await withChunkRetries(slice, () =>
      slice.sql.begin(async (transaction) => {
        let cursor = start;
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
            checking: false,
            undo: false,
            classify: false,
            preview: false,
            keepProblems: true,
          });
          cursor = advance(cursor, { chunk, outcome, stopAfter: null });
          if (outcome.failed > 0) {
            problems.push(outcome.problems);
            throw new UndoneError(outcome.failed);
          }
          slice.progress({ phase: "writing", done: sum(cursor.counts), total: cursor.rows });
        }
        cursor = { ...cursor, ended: true };
        await slice.checkpoint(transaction, JSON.parse(JSON.stringify(cursor)));
        return cursor;
      }));
  } catch (error) {
    if (!(error instanceof UndoneError)) throw error;
    await recordProblems(slice.sql, slice, { importId, checking: false, problems });
    await publishProblems(slice.sql, slice, { importId, phases: PHASES.commit });
    throw new LongshoreError(
      "has_problems",
      `Cannot commit all rows: ${error.failed} rows fail now that passed the check, nothing was written`,
      { details: { failed: error.failed } },
    );
  }
}

/** Ends the transaction; its rows are undone. */
class UndoneError extends Error {
  constructor(readonly failed: number) {
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
