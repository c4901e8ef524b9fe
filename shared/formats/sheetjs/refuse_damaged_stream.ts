/**
 * Refuses the stream of a .xls workbook whose records do not follow each other to their end, or say that there is more than
 * they hold, as damaged ones do: SheetJS would take what follows for something else, and memory for what is not there.
 */
import { LongshoreError } from "../../errors.ts";

const EOF = 0x0a;
/** How the substreams of a workbook begin, in each edition of the format. */
const BOF = new Set([0x009, 0x209, 0x409, 0x809]);
const SHARED_STRINGS = 0xfc;
const DIMENSIONS = 0x200;
// LibreOffice names its own last row where a whole column has a format.
const MAX_ROWS = 1_048_576;
const MAX_COLUMNS = 256;
/** By the number of a record: its length, always. Rows, empty cells, numbers, truth values and errors, texts by number. */
const LENGTHS = new Map([[0x208, 16], [0x201, 6], [0x203, 14], [0x27e, 10], [0x205, 8], [0xfd, 10]]);
/** A shared string takes at least its length and a byte about it. */
const LEAST_STRING_BYTES = 3;

export function refuseDamagedStream(stream: Uint8Array): void {
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  let at = 0;
  let depth = 0;
  let isWorkbook = false;
  while (at + 4 <= view.byteLength) {
    const record = view.getUint16(at, true);
    const length = view.getUint16(at + 2, true);
    at += 4;
    // Behind the last substream a container has room to spare.
    if (depth === 0 && !BOF.has(record)) break;
    if (at + length > view.byteLength || (LENGTHS.get(record) ?? length) !== length) throw damaged();
    if (BOF.has(record)) depth++;
    else if (record === EOF) depth--;
    else if (record === SHARED_STRINGS && length >= 8) {
      if (view.getUint32(at + 4, true) * LEAST_STRING_BYTES > view.byteLength) throw damaged();
    } else if (record === DIMENSIONS && length >= 14) {
      const isFar = view.getUint32(at + 4, true) > MAX_ROWS || view.getUint16(at + 10, true) > MAX_COLUMNS;
      if (isFar) throw damaged();
    }
    isWorkbook = true;
    at += length;
  }
  if (depth !== 0 || !isWorkbook) throw damaged();
}

function damaged(): LongshoreError {
  return new LongshoreError(
    "unreadable_file",
    "Cannot open the .xls workbook: it is damaged: save it as .xlsx and try again",
  );
}
