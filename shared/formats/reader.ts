/**
 * What every reader of a file offers: bytes in, batches of rows out, in constant memory, able to start again
 * from a cursor. A reader knows no dataset and no database; which row holds the headings is not its business.
 */

/** Characters of one record; a longer one has the flaw `too_long`, and not all of its content. */
export const MAX_RECORD_LENGTH = 1024 * 1024;
/** Characters from which on a batch is full whatever its rows, so that long rows stay within memory. */
export const MAX_BATCH_LENGTH = 4 * 1024 * 1024;

/** Random access to the bytes of one file that does not change while it is read. */
export interface ByteSource {
  /** Bytes in all. */
  readonly size: number;
  /** Bytes `[start, end)` as a stream; `end` is `size` by default. Cancelling the stream ends the transfer. */
  stream(start: number, end?: number): Promise<ReadableStream<Uint8Array>>;
  /** Bytes `[start, end)` whole, for small ranges. */
  read(start: number, end: number): Promise<Uint8Array>;
}

/** A date, a time or both, as a workbook's number format says; `iso` is `2025-12-31`, `2025-12-31T08:00:00` or `08:00:00`. */
export class DateCell {
  constructor(readonly iso: string) {}
  toString(): string {
    return this.iso;
  }
}

/** A cell that holds an error instead of a value, such as `#REF!`. */
export class ErrorCell {
  constructor(readonly error: string) {}
  toString(): string {
    return this.error;
  }
}

/** `null` is an empty cell. A CSV has strings only; text is given as it stands in the file, not trimmed. */
export type Cell = string | number | boolean | null | DateCell | ErrorCell;

/** Why a record could not be read as it should; it still has a row, and its number. */
export type RowFlaw = "unbalanced_quotes" | "invalid_text" | "too_long";

export interface RowBatch<Cursor> {
  /**
   * Cells by position; rows may differ in length. Blank rows are left out, but they count in `rowNumbers`; a long stretch
   * of them makes batches without rows, so that nobody has to pass over all of it in one go.
   */
  rows: Cell[][];
  /** The number of each row as a spreadsheet shows it, from 1. */
  rowNumbers: number[];
  /** The physical line on which each record starts, from 1; CSV only. */
  lines: number[] | null;
  /** Flaws by index in `rows`, where there are any. */
  flaws: Map<number, RowFlaw> | null;
  /** Rows with content that are hidden in the workbook, and left out for that. @default 0 */
  hiddenCount?: number;
  /** Where to go on after this batch; plain JSON. */
  cursor: Cursor;
  /** Bytes of the file read so far, for progress. */
  bytesRead: number;
}

/** What a reader found out about the file; plain JSON. */
export interface FileInfo {
  format: "csv" | "xlsx" | "xls" | "xlsb" | "ods";
  encoding?: string;
  delimiter?: string;
  sheet?: string;
  sheets?: string[];
}

export interface RowReader<Cursor> {
  readonly info: FileInfo;
  /** Batches from the start, or from the cursor the reader was opened with. Ends after the last row. */
  batches(): AsyncGenerator<RowBatch<Cursor>, void, void>;
}
