/**
 * Rows that an earlier slice has kept → file. Ends with the last of them or with the budget, whichever comes first; null
 * when the last row is in the file.
 */
import type { Lease } from "../jobs/engine.ts";
import type { Slice } from "../jobs/slice.ts";
import type { WritingCursor } from "./export_cursor.ts";
import type { ExportFile } from "./export_file.ts";
import { type Block, keepTail, readPiece } from "./reading.ts";

export async function writeKeptRows(
  slice: Slice,
  file: ExportFile,
  start: WritingCursor,
): Promise<WritingCursor | null> {
  const lease: Lease = { jobId: slice.job.id, token: slice.token };
  const read = (place: number): Promise<Block | null> => {
    const piece = place < start.pieces ? readPiece(slice.sql, lease, place) : Promise.resolve(null);
    piece.catch(() => {});
    return piece;
  };
  let place = start.next;
  let coming = read(place);
  for (let steps = 0; place < start.pieces; steps++) {
    // At least one, however little a slice may do: slices without a step would follow each other for ever.
    if (steps > 0 && slice.shouldStop()) {
      await coming;
      return await leave(slice, file, { ...start, next: place });
    }
    const piece = await coming;
    if (!piece) throw new Error("Cannot go on with an export: found a piece missing");
    coming = read(++place);
    await file.write(piece);
    slice.signal.throwIfAborted();
    slice.progress({ phase: "writing", done: file.rows, total: start.rows, bytes: file.bytes });
  }
  return null;
}

async function leave(slice: Slice, file: ExportFile, at: WritingCursor): Promise<WritingCursor> {
  const { state, tail } = await file.pause();
  const cursor = { ...at, file: state };
  await slice.sql.begin(async (transaction) => {
    await keepTail(transaction, { jobId: slice.job.id, token: slice.token }, tail);
    await slice.checkpoint(transaction, JSON.parse(JSON.stringify(cursor)));
  });
  return cursor;
}
