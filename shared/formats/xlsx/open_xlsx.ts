/**
 * An .xlsx workbook as batches of rows of one sheet, in constant memory but for its shared strings. Reads ranges of
 * the file: the zip directory from its end, then the parts that are needed. Blank rows are left out; which row holds
 * the headings is not known here. Formulas give the results that were saved with them.
 */

import type { ByteSource, RowBatch, RowReader } from "../reader.ts";
import { ByteWindow } from "./byte_window.ts";
import type { SheetContext } from "./cell_reader.ts";
import { chooseSheet } from "./choose_sheet.ts";
import { readSharedStrings } from "./read_shared_strings.ts";
import { readStyles } from "./read_styles.ts";
import { readWorkbook, type Workbook, type Worksheet } from "./read_workbook.ts";
import { readZipDirectory } from "./read_zip_directory.ts";
import { type ReadMeter, readZipEntry } from "./read_zip_entry.ts";
import { refuseForeignFile } from "./refuse_foreign_file.ts";
import { SharedStrings } from "./shared_strings.ts";
import { type SheetRows, SheetScanner } from "./sheet_scanner.ts";
import { malformed } from "./tag_reader.ts";

/** Where a sheet was left. */
export interface XlsxCursor {
  sheet: string;
  /** The last row given. */
  row: number;
  /** Bytes of the sheet's inflated XML up to the end of that row. */
  offset: number;
}

export interface OpenXlsxOptions {
  /** Name of the sheet; capitals do not matter. @default the first one that is not hidden */
  sheet?: string;
  /** The cursor of the batch after which to go on; names the sheet too. @default the start of the sheet */
  cursor?: XlsxCursor;
  /** Rows in a batch, at most; fewer where they are very wide. @default 5000 */
  rowsPerBatch?: number;
}

/** Keeps a batch of rows that reach to the last column within some megabytes. */
const MAX_CELLS_PER_BATCH = 500_000;

export async function openXlsx(
  source: ByteSource,
  options: OpenXlsxOptions = {},
): Promise<RowReader<XlsxCursor>> {
  const { cursor, rowsPerBatch = 5000 } = options;
  const meter: ReadMeter = { bytesRead: 0 };
  await refuseForeignFile(source);
  const directory = await readZipDirectory(source);
  const workbook = await readWorkbook(source, directory, { meter });
  const sheet = chooseSheet(workbook.sheets, cursor?.sheet ?? options.sheet);
  const context = await readContext(source, workbook, meter);
  return {
    info: { format: "xlsx", sheet: sheet.name, sheets: workbook.sheets.map(({ name }) => name) },
    batches: () => readBatches(source, { sheet, context, cursor, rowsPerBatch, meter }),
  };
}

async function readContext(source: ByteSource, workbook: Workbook, meter: ReadMeter): Promise<SheetContext> {
  const { styles, sharedStrings, is1904 } = workbook;
  const [kinds, strings] = await Promise.all([
    styles ? readStyles(source, styles, { meter }) : [],
    sharedStrings ? readSharedStrings(source, sharedStrings, { meter }) : new SharedStrings(),
  ]);
  return { kinds, strings, is1904 };
}

interface SheetReading {
  sheet: Worksheet;
  context: SheetContext;
  cursor: XlsxCursor | undefined;
  rowsPerBatch: number;
  meter: ReadMeter;
}

async function* readBatches(
  source: ByteSource,
  { sheet, context, cursor, rowsPerBatch, meter }: SheetReading,
): AsyncGenerator<RowBatch<XlsxCursor>, void, void> {
  const chunks = readZipEntry(source, sheet.entry, { meter });
  const window = new ByteWindow(cursor ? withoutFirst(chunks, cursor.offset) : chunks);
  const scanner = new SheetScanner(window, cursor ? { context, after: cursor } : { context });
  const limit = { rows: rowsPerBatch, cells: MAX_CELLS_PER_BATCH };
  let batch = emptyBatch();
  const take = (): RowBatch<XlsxCursor> => {
    const { rows, rowNumbers } = batch;
    batch = emptyBatch();
    const at = { sheet: sheet.name, row: scanner.row, offset: scanner.offset };
    return { rows, rowNumbers, lines: null, flaws: null, cursor: at, bytesRead: meter.bytesRead };
  };
  try {
    while (true) {
      const outcome = scanner.scan(batch, limit);
      if (outcome === "end") break;
      if (outcome === "full") yield take();
      else if (await window.fill()) scanner.refresh();
      else throw malformed("no end of the rows");
    }
    await window.drain();
    if (batch.rows.length > 0) yield take();
  } finally {
    await window.close();
  }
}

function emptyBatch(): SheetRows {
  return { rows: [], rowNumbers: [], cellCount: 0 };
}

/** Inflates what was read before, which deflate cannot avoid, and looks at none of it. */
async function* withoutFirst(chunks: AsyncGenerator<Uint8Array, void, void>, count: number) {
  let left = count;
  for await (const chunk of chunks) {
    if (left < chunk.byteLength) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.byteLength);
  }
}
