/**
 * An .xlsx workbook as batches of rows of one sheet, in constant memory but for its shared strings. Reads ranges of
 * the file: the zip directory from its end, then the parts that are needed. Blank rows are left out; which row holds
 * the headings is not known here. Formulas give the results that were saved with them.
 */

import { LongshoreError } from "../../errors.ts";
import { type ByteSource, MAX_BATCH_LENGTH, type RowBatch, type RowReader } from "../reader.ts";
import { ByteWindow } from "./byte_window.ts";
import type { SheetContext } from "./cell_reader.ts";
import { chooseSheet } from "./choose_sheet.ts";
import { type PackedMark, packMark, unpackMark } from "./pack_mark.ts";
import { readStyles } from "./read_styles.ts";
import { readWorkbook, type Workbook, type Worksheet } from "./read_workbook.ts";
import { readZipDirectory } from "./read_zip_directory.ts";
import { readXmlEntry } from "./read_xml_entry.ts";
import type { EntryMark, ReadMeter } from "./read_zip_entry.ts";
import { refuseForeignFile } from "./refuse_foreign_file.ts";
import { SharedStrings, type StringsCursor } from "./shared_strings.ts";
import { type ColumnRange, type SheetRows, SheetScanner } from "./sheet_scanner.ts";
import { malformed } from "./tag_reader.ts";
import { withoutFirst } from "./without_first.ts";

/** Where a sheet was left; some ten kilobytes for a large one, as inflating cannot start anywhere. */
export interface XlsxCursor {
  sheet: string;
  /** The last row given. */
  row: number;
  /** Bytes of the sheet's inflated XML up to the end of that row. */
  offset: number;
  /** The last place before it from which the sheet can be inflated; none near its start. */
  mark: PackedMark | null;
  strings: StringsCursor;
  hiddenColumns: ColumnRange[];
  /** Bytes of the file read so far, for progress. */
  bytesRead: number;
}

export interface OpenXlsxOptions {
  /** Name of the sheet; capitals do not matter. @default the first one that is not hidden */
  sheet?: string;
  /** The cursor of the batch after which to go on; names the sheet too. @default the start of the sheet */
  cursor?: XlsxCursor;
  /** Rows in a batch, at most; fewer where they are very wide. @default 5000 */
  rowsPerBatch?: number;
  /** Whether hidden rows and columns are read too; else such rows are left out and such columns are empty. @default false */
  withHidden?: boolean;
}

/** Keeps a batch of rows that reach to the last column within some megabytes. */
const MAX_CELLS_PER_BATCH = 500_000;
/** Pages of shared strings that are read for one batch: so much is done before the caller may stop. */
const MAX_LOADS_PER_BATCH = 3;
/** Bytes of a sheet that are passed over for one batch, whatever is in them: blank and hidden rows take time, too. */
const MAX_BYTES_PER_BATCH = 8 * 1024 * 1024;
/** Inflated bytes of a sheet that going on from a cursor may have to pass over. */
const MARK_EVERY_BYTES = 32 * 1024 * 1024;
/** More than that, and every slice would do nothing but come to where the last one was. */
const MAX_UNMARKED_BYTES = 192 * 1024 * 1024;
/** Bytes behind the rows that are read for the sake of the checksum only. */
const MAX_REST_BYTES = 32 * 1024 * 1024;

export async function openXlsx(
  source: ByteSource,
  options: OpenXlsxOptions = {},
): Promise<RowReader<XlsxCursor>> {
  const { cursor, rowsPerBatch = 5000, withHidden = false } = options;
  const meter: ReadMeter = { bytesRead: cursor?.bytesRead ?? 0 };
  await refuseForeignFile(source);
  const directory = await readZipDirectory(source);
  const workbook = await readWorkbook(source, directory, { meter });
  const sheet = chooseSheet(workbook.sheets, cursor?.sheet ?? options.sheet);
  const context = await readContext(source, workbook, { meter, cursor: cursor?.strings });
  return {
    info: { format: "xlsx", sheet: sheet.name, sheets: workbook.sheets.map(({ name }) => name) },
    batches: () => readBatches(source, { sheet, context, cursor, rowsPerBatch, withHidden, meter }),
  };
}

async function readContext(
  source: ByteSource,
  { styles, sharedStrings, is1904 }: Workbook,
  { meter, cursor }: { meter: ReadMeter; cursor: StringsCursor | undefined },
): Promise<SheetContext> {
  const kinds = styles ? await readStyles(source, styles, { meter }) : [];
  const strings = await SharedStrings.open(source, sharedStrings, { meter, cursor });
  return { kinds, strings, is1904 };
}

interface SheetReading {
  sheet: Worksheet;
  context: SheetContext;
  cursor: XlsxCursor | undefined;
  rowsPerBatch: number;
  withHidden: boolean;
  meter: ReadMeter;
}

async function* readBatches(
  source: ByteSource,
  { sheet, context, cursor, rowsPerBatch, withHidden, meter }: SheetReading,
): AsyncGenerator<RowBatch<XlsxCursor>, void, void> {
  const from = cursor?.mark ? await unpackMark(cursor.mark) : undefined;
  // Marks are made as the sheet is inflated, which is ahead of its rows.
  const marks: EntryMark[] = from ? [from] : [];
  const chunks = readXmlEntry(source, sheet.entry, {
    meter,
    from,
    markEvery: MARK_EVERY_BYTES,
    onMark: (mark) => marks.push(mark),
  });
  const window = new ByteWindow(withoutFirst(chunks, (cursor?.offset ?? 0) - (from?.offset ?? 0)));
  const scanner = new SheetScanner(window, { context, withHidden, ...(cursor ? { after: cursor } : {}) });
  const limit = {
    rows: rowsPerBatch,
    cells: MAX_CELLS_PER_BATCH,
    length: MAX_BATCH_LENGTH,
    offset: scanner.offset + MAX_BYTES_PER_BATCH,
  };
  let batch = emptyBatch();
  let loads = 0;
  const take = async (): Promise<RowBatch<XlsxCursor>> => {
    const { rows, rowNumbers, flaws, hiddenCount } = batch;
    const { row, offset, hiddenColumns } = scanner;
    batch = emptyBatch();
    limit.offset = offset + MAX_BYTES_PER_BATCH;
    loads = 0;
    while (marks[1] && marks[1].offset <= offset) marks.shift();
    const last = marks[0] && marks[0].offset <= offset ? marks[0] : null;
    if (offset - (last?.offset ?? 0) > MAX_UNMARKED_BYTES) throw withoutMarks(sheet.name);
    const mark = last && await packMark(last);
    const bytesRead = Math.min(meter.bytesRead, source.size);
    const strings = await context.strings.cursor();
    const at = { sheet: sheet.name, row, offset, mark, strings, hiddenColumns, bytesRead };
    return { rows, rowNumbers, lines: null, flaws, hiddenCount, cursor: at, bytesRead };
  };
  try {
    while (true) {
      const outcome = scanner.scan(batch, limit);
      if (outcome === "end") break;
      if (outcome === "full") yield await take();
      else if (outcome === "strings") {
        if (++loads > MAX_LOADS_PER_BATCH && batch.rows.length > 0) yield await take();
        await context.strings.load(scanner.missing);
      } else if (await window.fill()) scanner.refresh();
      else throw malformed("no end of the rows");
    }
    if (sheet.entry.size - scanner.offset <= MAX_REST_BYTES) await window.drain();
    if (batch.rows.length + batch.hiddenCount > 0) yield await take();
  } finally {
    await window.close();
  }
}

function emptyBatch(): SheetRows {
  return { rows: [], rowNumbers: [], flaws: null, cellCount: 0, length: 0, hiddenCount: 0 };
}

function withoutMarks(sheet: string): LongshoreError {
  return new LongshoreError(
    "file_too_large",
    `Cannot read the sheet ${
      JSON.stringify(sheet)
    }: it is compressed in a way that nobody can go on with in the ` +
      `middle, and has more than ${MAX_UNMARKED_BYTES} bytes: open it in a spreadsheet, save it anew and try again`,
  );
}
