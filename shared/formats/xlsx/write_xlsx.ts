/** Rows of cells as an .xlsx workbook: a stream of bytes in constant memory, written as fast as it is read. */

import type { Cell } from "../reader.ts";
import { createWorkbookWriter, type WorkbookOptions, type WorkbookWriter } from "./workbook_writer.ts";

export interface WriteXlsxOptions extends Omit<WorkbookOptions, "columns"> {
  /** Headings for a first row that is set off and stays in view. @default no such row */
  headings?: string[];
  /** Widths of the columns, in characters. @default by the headings */
  widths?: number[];
}

export function writeXlsx(
  rows: AsyncIterable<Cell[]> | Iterable<Cell[]>,
  { headings = [], widths = [], ...options }: WriteXlsxOptions = {},
): ReadableStream<Uint8Array> {
  const columns = Array.from({ length: Math.max(headings.length, widths.length) }, (_, i) => ({
    ...(headings[i] === undefined ? {} : { heading: headings[i] }),
    ...(widths[i] === undefined ? {} : { width: widths[i] }),
  }));
  const chunks = fileChunks(rows, createWorkbookWriter({ ...options, columns }));
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await chunks.return();
    },
  }, { highWaterMark: 0 });
}

async function* fileChunks(
  rows: AsyncIterable<Cell[]> | Iterable<Cell[]>,
  writer: WorkbookWriter,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const row of rows) {
    const bytes = writer.writeRows([row]);
    if (bytes.length > 0) yield bytes;
  }
  yield writer.finish();
}
