/**
 * An .xlsx workbook, written as its rows come: rows in, bytes out, in constant memory. It can be left between two
 * calls and gone on with in another process, which gives the same file. Texts are stored in their cells, so no table
 * of them is kept; there are no formulas: a text that starts like one stays a text. Rows that do not fit in a sheet
 * go on in the next.
 */

import { crc32 } from "./crc32.ts";
import { CellWriter } from "./cell_writer.ts";
import { columnName } from "./column_code.ts";
import { CsvRows } from "./csv_rows.ts";
import { columnWidth, scalesOf, type WorkbookColumn } from "./workbook_columns.ts";
import { firstParts, lastParts, sheetEnd, sheetPath, sheetStart, type XmlPart } from "./workbook_parts.ts";
import { type WorkbookValue, writeValue } from "./write_value.ts";
import { ZipWriter, type ZipWriterState } from "./zip_writer.ts";

export interface WorkbookOptions {
  /** Name of the sheet; at most 31 characters, none of `[]:*?/\`. Further ones are called `Sheet1 (2)` and so on. @default "Sheet1" */
  sheet?: string;
  /** The first columns, or all. @default columns without headings, each value by its own type */
  columns?: readonly WorkbookColumn[];
  /** Whether the headings have buttons to filter by. @default false */
  autoFilter?: boolean;
  /**
   * What becomes of a text of more than 32,767 characters, which a cell cannot hold: an error, or the text cut, with
   * an ellipsis for its end, and counted. @default "refuse"
   */
  longTexts?: "refuse" | "cut";
  /** Rows in a sheet, headings included. @default 1,048,576, the most there can be */
  rowsPerSheet?: number;
}

/** Where a workbook was left; plain JSON of less than a kilobyte. */
export interface WorkbookState {
  zip: ZipWriterState;
  /** Rows of each sheet so far, headings included. */
  sheetRows: number[];
  cutTexts: number;
  /** Checksum of the options, which have to be the same. */
  options: number;
}

export interface WorkbookWriter {
  /** Rows of values so far, headings not included. */
  readonly rowCount: number;
  /** Texts that were too long for a cell and were cut. */
  readonly cutTexts: number;
  /** Bytes of the file given so far. */
  readonly byteCount: number;
  /** Adds rows; gives the next bytes of the file, often none. */
  writeRows(rows: Iterable<readonly WorkbookValue[]>): Uint8Array;
  /**
   * Adds rows from CSV as COPY writes it, UTF-8 and without headings: about twice as fast as rows of strings. Bytes may
   * end anywhere; a row waits for its end. They must not change before the next call.
   */
  writeCsv(bytes: Uint8Array): Uint8Array;
  /**
   * The bytes that were still waiting, and the state to go on from behind them; not in the middle of a row of CSV.
   * Writing may go on here as well.
   */
  pause(): { bytes: Uint8Array; state: WorkbookState };
  /** Ends the workbook; gives the last bytes of the file. */
  finish(): Uint8Array;
}

const MAX_ROWS = 1_048_576;
/** Of a sheet's XML: readers, this project's among them, refuse parts of 2 GiB. */
const MAX_SHEET_BYTES = 1_900_000_000;
/** Of a sheet's XML that is deflated in one piece. */
const PIECE_BYTES = 1024 * 1024;

/** Begins a workbook, or goes on with one that was left; the options are then those that it was begun with. */
export function createWorkbookWriter(options: WorkbookOptions = {}, state?: WorkbookState): WorkbookWriter {
  const sheet = options.sheet ?? "Sheet1";
  if (sheet === "" || sheet.length > 31 || /[[\]:*?/\\]|^'|'$/.test(sheet)) {
    throw new RangeError(
      `Cannot name a sheet "${sheet}": expected 1 to 31 characters without []:*?/\\ and no quote at either end`,
    );
  }
  return new Writer({ ...options, sheet }, state);
}

class Writer implements WorkbookWriter {
  readonly #options: WorkbookOptions & { sheet: string };
  readonly #optionsSum: number;
  readonly #columns: readonly WorkbookColumn[];
  readonly #hasHeadings: boolean;
  readonly #rowsPerSheet: number;
  readonly #zip: ZipWriter;
  readonly #cells: CellWriter;
  readonly #csv: CsvRows;
  /** Of the sheets before this one. */
  readonly #sheetRows: number[];
  #byteCount: number;

  constructor(options: WorkbookOptions & { sheet: string }, state: WorkbookState | undefined) {
    const { columns = [], longTexts = "refuse", rowsPerSheet = MAX_ROWS } = options;
    this.#options = options;
    this.#optionsSum = crc32(new TextEncoder().encode(JSON.stringify(options)));
    if (state && state.options !== this.#optionsSum) {
      throw new RangeError("Cannot go on with the workbook: found other options than it was begun with");
    }
    this.#columns = columns;
    this.#hasHeadings = columns.some(({ heading = "" }) => heading !== "");
    this.#rowsPerSheet = Math.max(2, Math.min(MAX_ROWS, rowsPerSheet));
    this.#sheetRows = state?.sheetRows.slice(0, -1) ?? [];
    this.#cells = new CellWriter({
      columns,
      longTexts,
      row: state?.sheetRows.at(-1) ?? 0,
      cutTexts: state?.cutTexts ?? 0,
    });
    this.#csv = new CsvRows(this.#cells);
    this.#zip = new ZipWriter(state?.zip);
    this.#byteCount = state?.zip.offset ?? 0;
    if (state) return;
    this.#writeParts(firstParts(scalesOf(columns)));
    this.#openSheet();
  }

  get rowCount(): number {
    const sheets = [...this.#sheetRows, this.#cells.row];
    return sheets.reduce((sum, rows) => sum + Math.max(0, rows - (this.#hasHeadings ? 1 : 0)), 0);
  }

  get cutTexts(): number {
    return this.#cells.cutTexts;
  }

  get byteCount(): number {
    return this.#byteCount;
  }

  writeRows(rows: Iterable<readonly WorkbookValue[]>): Uint8Array {
    const cells = this.#cells;
    for (const values of rows) {
      this.#makeRoomForRow();
      cells.openRow();
      for (let i = 0; i < values.length; i++) {
        const value = values[i];
        const column = cells.column(i);
        if (value !== null && value !== undefined) writeValue(cells, column, value);
      }
      cells.closeRow();
    }
    return this.#take();
  }

  writeCsv(bytes: Uint8Array): Uint8Array {
    this.#csv.add(bytes);
    do this.#makeRoomForRow(); while (this.#csv.writeRow());
    return this.#take();
  }

  pause(): { bytes: Uint8Array; state: WorkbookState } {
    if (!this.#csv.isEmpty) throw new RangeError("Cannot pause: found the start of a row, expected its end");
    this.#writePiece();
    const state = {
      zip: this.#zip.state(),
      sheetRows: [...this.#sheetRows, this.#cells.row],
      cutTexts: this.cutTexts,
      options: this.#optionsSum,
    };
    return { bytes: this.#take(), state };
  }

  finish(): Uint8Array {
    if (!this.#csv.isEmpty) throw new RangeError("Cannot finish: found the start of a row, expected its end");
    this.#closeSheet();
    const sheets = this.#sheetRows.map((rows, i) => ({
      name: this.#sheetName(i),
      filter: this.#filter(rows),
    }));
    this.#writeParts(lastParts(sheets));
    this.#zip.finish();
    return this.#take();
  }

  #openSheet(): void {
    const index = this.#sheetRows.length;
    this.#zip.open(sheetPath(index));
    this.#writeXml(
      sheetStart({
        widths: this.#columns.map(columnWidth),
        hasHeadings: this.#hasHeadings,
        isFirst: index === 0,
      }),
    );
    if (this.#hasHeadings) this.#writeHeadings();
  }

  #writeHeadings(): void {
    const cells = this.#cells;
    cells.openRow();
    this.#columns.forEach(({ heading = "" }, i) => {
      if (heading !== "") cells.writeHeading(cells.column(i), heading);
    });
    cells.closeRow();
  }

  #writeXml(xml: string): void {
    this.#cells.out.makeRoom(xml.length * 3);
    this.#cells.out.putText(xml);
  }

  /** Before each row: it may need a sheet of its own, and what waits may be worth deflating. */
  #makeRoomForRow(): void {
    if (this.#cells.out.length >= PIECE_BYTES) this.#writePiece();
    if (this.#cells.row >= this.#rowsPerSheet || this.#zip.entrySize >= MAX_SHEET_BYTES) this.#nextSheet();
  }

  #closeSheet(): void {
    const rows = this.#cells.row;
    this.#writeXml(sheetEnd(this.#filter(rows)));
    this.#writePiece();
    this.#zip.close();
    this.#sheetRows.push(rows);
    this.#cells.row = 0;
  }

  #nextSheet(): void {
    this.#closeSheet();
    this.#openSheet();
  }

  #writePiece(): void {
    this.#zip.write(this.#cells.out.take());
  }

  #writeParts(parts: readonly XmlPart[]): void {
    for (const { name, xml } of parts) {
      this.#zip.open(name);
      this.#zip.write(new TextEncoder().encode(xml));
      this.#zip.close();
    }
  }

  #take(): Uint8Array {
    const bytes = this.#zip.take();
    this.#byteCount += bytes.length;
    return bytes;
  }

  #filter(rows: number): string | null {
    if (!this.#options.autoFilter || !this.#hasHeadings) return null;
    return `$A$1:$${columnName(this.#columns.length - 1)}$${rows}`;
  }

  #sheetName(index: number): string {
    const ending = index === 0 ? "" : ` (${index + 1})`;
    return this.#options.sheet.slice(0, MAX_NAME_CHARS - ending.length) + ending;
  }
}

const MAX_NAME_CHARS = 31;
