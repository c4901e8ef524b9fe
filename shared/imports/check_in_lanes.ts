/**
 * Staged rows → checked, in two sessions at a time: while one tries a span of rows, the other tries the next. A span
 * is committed, with the cursor behind it, only after the one before it. So the cursor is always the number of a row up to
 * which everything is done, and a death at any moment loses at most the spans at hand.
 *
 * Spans know nothing of each other but which rows repeat a key of the file: the first valid one counts. Where a span
 * was tried ahead and an earlier row with a key of its rows turns out to be invalid, it is tried again.
 */
import type { Sql, Transaction } from "../jobs/connect.ts";
import type { Slice } from "../jobs/slice.ts";
import type { CheckingCursor } from "./check_cursor.ts";
import { runLanes } from "./run_lanes.ts";
import { earlierRowsDecide, importStep, nextRows, NO_STEPS, type StepCursor } from "./staging.ts";
import { withChunkRetries } from "./with_chunk_retries.ts";

/** Chunks of a span: each is undone by itself, so that its locks are short; the span shares the cost of a commit. */
const CHUNKS = 4;
/** Towards the end spans get shorter, so that no session waits long for the other. */
const SPANS_LEFT = 4;
/** How long a span that was tried ahead waits for the one before it; the database ends sessions that idle for 60 s. */
const PATIENCE_MS = 20_000;

export interface CheckInLanesOptions {
  /** Called in the order of the file, after each commit, with the session that made it free. */
  committed(before: CheckingCursor, after: CheckingCursor, sql: Sql): Promise<void>;
}

interface Span {
  /** The last row number before it, and its own last. */
  after: number;
  last: number;
  chunks: number;
  /** The cursor behind the span before this one, once that is committed. */
  before: Promise<CheckingCursor>;
  /** Tells the next span. */
  done: PromiseWithResolvers<CheckingCursor>;
}

/** Goes on until all rows are checked, which the cursor says, or the budget is spent. */
export async function checkInLanes(
  slice: Slice,
  start: CheckingCursor,
  { committed }: CheckInLanesOptions,
): Promise<CheckingCursor> {
  const { chunk_rows: chunkRows } = slice.settings;
  const importId = slice.job.id;
  let latest = start;
  let taken = { after: start.after, rows: start.done, done: Promise.resolve(start) };

  /** Where a span begins, the one before it tells. */
  const take = async (sql: Sql): Promise<Span | null> => {
    const { after, done: before } = taken;
    const chunks = chunksOfNext(start.rows - taken.rows, chunkRows);
    const found = await nextRows(sql, { importId, after, size: chunks * chunkRows });
    if (!found) return null;
    const done = Promise.withResolvers<CheckingCursor>();
    // Whoever waits for it hears of a failure; nobody has to.
    done.promise.catch(() => {});
    taken = { after: found.last, rows: taken.rows + found.rows, done: done.promise };
    return { after, last: found.last, chunks, before, done };
  };

  const run = async (span: Span, sql: Sql): Promise<void> => {
    const check = () =>
      withChunkRetries(
        slice,
        () => sql.begin((transaction) => checkSpan(slice, transaction, { span, known: latest })),
      );
    try {
      const after = await check().catch(async (error) => {
        if (!(error instanceof TooEarlyError)) throw error;
        await span.before;
        return await check();
      });
      const before = latest;
      latest = after;
      span.done.resolve(after);
      await committed(before, after, sql);
    } catch (error) {
      span.done.reject(error);
      throw error;
    }
  };

  const two = start.rows - start.done > CHUNKS * chunkRows;
  const ended = await runLanes(slice, { two, take, run });
  return ended ? { ...latest, ended } : latest;
}

function chunksOfNext(rowsLeft: number, chunkRows: number): number {
  return Math.min(Math.max(Math.ceil(rowsLeft / (SPANS_LEFT * chunkRows)), 1), CHUNKS);
}

async function checkSpan(
  slice: Slice,
  transaction: Transaction,
  { span, known }: { span: Span; known: CheckingCursor },
): Promise<CheckingCursor> {
  const importId = slice.job.id;
  const isAhead = known.after < span.after;
  /** Knowing what comes before decides whether to classify first, and how many rows the preview still wants. */
  const tryRows = async ({ classify, preview }: CheckingCursor): Promise<StepCursor> => {
    const cursor: StepCursor = { ...NO_STEPS, after: span.after, classify, preview };
    const options = { importId, cursor, checking: true, undo: true, chunks: span.chunks };
    const step = (await importStep(transaction, slice, options)).cursor;
    return { ...step, preview: step.preview.slice(preview.length) };
  };

  if (isAhead) await transaction`savepoint untried`;
  let step = await tryRows(known);
  const before = await inTime(span.before);
  if (
    isAhead && await earlierRowsDecide(transaction, {
      importId,
      earlierFirst: known.after + 1,
      first: span.after + 1,
      last: span.last,
    })
  ) {
    await transaction`rollback to savepoint untried`;
    step = await tryRows(before);
  }
  const cursor = addStep(before, step);
  slice.progress({ phase: "checking", done: cursor.done, total: cursor.rows });
  await slice.checkpoint(transaction, cursor);
  return cursor;
}

/** Ends the transaction: it would idle for too long. */
class TooEarlyError extends Error {
  constructor() {
    super("The rows before are still being checked");
  }
}

async function inTime(before: Promise<CheckingCursor>): Promise<CheckingCursor> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TooEarlyError()), PATIENCE_MS);
  });
  try {
    return await Promise.race([before, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}

function addStep(before: CheckingCursor, step: StepCursor): CheckingCursor {
  return {
    ...before,
    after: step.after,
    done: before.done + step.done,
    counts: {
      inserted: before.counts.inserted + step.counts.inserted,
      updated: before.counts.updated + step.counts.updated,
      unchanged: before.counts.unchanged + step.counts.unchanged,
      skipped: before.counts.skipped + step.counts.skipped,
      failed: before.counts.failed + step.counts.failed,
    },
    classify: step.classify,
    preview: [...before.preview, ...step.preview].slice(0, 20),
  };
}
