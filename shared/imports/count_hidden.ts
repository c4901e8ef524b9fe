/**
 * A reader that keeps count of the rows it has left out because they are hidden: with its cursor, so that the next slice
 * goes on counting.
 */
import type { RowReader } from "../formats/reader.ts";

export interface HiddenCount {
  /** Hidden rows before the cursor. @default 0 */
  hiddenRows?: number;
}

export function countHidden<Cursor extends object>(
  reader: RowReader<Cursor>,
  start: HiddenCount = {},
): RowReader<Cursor & HiddenCount> {
  return {
    info: reader.info,
    async *batches() {
      let hiddenRows = start.hiddenRows ?? 0;
      for await (const batch of reader.batches()) {
        hiddenRows += batch.hiddenCount ?? 0;
        yield { ...batch, cursor: { ...batch.cursor, hiddenRows } };
      }
    },
  };
}
