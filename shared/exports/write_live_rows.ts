/**
 * Rows → file while they are read, in one transaction and from one snapshot. When the slice has to end before the rows
 * do, the database keeps the rest, rendered, and commits it with the cursor. While one block is encoded and sent, the
 * next are read.
 */
import type { Lease } from "../jobs/engine.ts";
import type { Slice } from "../jobs/slice.ts";
import type { Transaction } from "../jobs/connect.ts";
import type { WritingCursor } from "./export_cursor.ts";
import { type ExportFile, refuseLarger } from "./export_file.ts";
import { makePlan } from "./make_plan.ts";
import { type Block, fetchBlock, keepTail, openExport, stageExport } from "./reading.ts";
import type { ResolvedExport } from "./resolve_request.ts";

/** Of a block: few messages for the isolate; larger ones cost the database a sixth more, in memory that it has to ask for. */
const BLOCK_BYTES = 256 * 1024;
/** Of a piece: few rows of the table for later slices to ask for. */
const PIECE_BYTES = 1024 * 1024;
/** Rows of the first block, before it is known how long rows are. */
const FIRST_ROWS = 200;
const MOST_ROWS = 20_000;
/** Asked for before they are needed: where the isolate has to wait for its turn, the database does not. */
const BLOCKS_AHEAD = 6;
/** The database comes back so often while it keeps rows, so that a slice that has to stop does. */
const STAGE_MS = 300;
/** Kept rows of a workbook are larger than its file. */
const WORKBOOK_SHRINKS = 8;

/** An export that begins, with what its rows depend on. */
export interface LiveExport extends ResolvedExport {
  rights: string | null;
}

/** Null when the last row is in the file. */
export async function writeLiveRows(
  slice: Slice,
  request: LiveExport,
  file: ExportFile,
): Promise<WritingCursor | null> {
  const lease: Lease = { jobId: slice.job.id, token: slice.token };
  const { format } = request;
  const { signal } = slice;
  const kept: { cursor: WritingCursor | null } = { cursor: null };
  await slice.sql.begin(async (transaction) => {
    await openExport(transaction, lease, makePlan(request));
    let count = FIRST_ROWS;
    const coming: Promise<Block | null>[] = [];
    const readAhead = () => {
      const block = fetchBlock(transaction, { format, count, signal });
      // It is awaited after those before it, which may fail.
      block.catch(() => {});
      coming.push(block);
    };
    readAhead();
    let ended = false;
    while (coming.length > 0) {
      const block = await coming.shift()!;
      ended ||= block === null;
      if (!block) continue;
      count = rowsOfABlock(block, count);
      while (!ended && !slice.shouldStop() && coming.length < BLOCKS_AHEAD) readAhead();
      await file.write(block);
      signal.throwIfAborted();
      slice.progress({ phase: "writing", done: file.rows, bytes: file.bytes });
    }
    if (!ended) kept.cursor = await keepRest(transaction, slice, { request, file, count });
  });
  return kept.cursor;
}

/** As many rows as make a block, by the last one; carefully more, since rows may differ. */
function rowsOfABlock({ bytes, rows }: Block, before: number): number {
  const fitting = Math.floor(rows * BLOCK_BYTES / bytes.length);
  return Math.max(1, Math.min(fitting, before * 8, MOST_ROWS));
}

async function keepRest(
  transaction: Transaction,
  slice: Slice,
  { request, file, count }: { request: LiveExport; file: ExportFile; count: number },
): Promise<WritingCursor> {
  const lease: Lease = { jobId: slice.job.id, token: slice.token };
  const { format } = request;
  const limit = slice.settings.export_bytes * (format === "xlsx" ? WORKBOOK_SHRINKS : 1);
  const kept = { pieces: 0, rows: 0, bytes: 0 };
  let next = count;
  for (let ended = false; !ended;) {
    const staged = await stageExport(transaction, lease, {
      format,
      place: kept.pieces,
      count: next,
      bytes: PIECE_BYTES,
      ms: STAGE_MS,
      signal: slice.signal,
    });
    ended = staged.ended;
    next = staged.nextCount;
    kept.pieces += staged.pieces;
    kept.rows += staged.rows;
    kept.bytes += staged.bytes;
    refuseLarger(file.bytes + kept.bytes, limit);
    slice.progress({ phase: "reading", done: file.rows + kept.rows });
  }
  const { state, tail } = await file.pause();
  const cursor: WritingCursor = {
    phase: "writing",
    pieces: kept.pieces,
    next: 0,
    rows: file.rows + kept.rows,
    rights: request.rights,
    path: file.path,
    file: state,
  };
  await keepTail(transaction, lease, tail);
  await slice.checkpoint(transaction, JSON.parse(JSON.stringify(cursor)));
  return cursor;
}
