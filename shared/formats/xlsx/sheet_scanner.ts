/**
 * The rows of one sheet, out of a window on its inflated XML. Works on bytes: most cells are numbers or numbers of
 * shared strings, which need not become text first. A row is read whole or not at all; when the window ends within
 * one, it is read again once there is more.
 */

import { LongshoreError } from "../../errors.ts";
import { type Cell, MAX_RECORD_LENGTH, type RowFlaw } from "../reader.ts";
import type { ByteWindow } from "./byte_window.ts";
import { CellReader, type SheetContext } from "./cell_reader.ts";
import { joinedRuns } from "./joined_runs.ts";
import { CellType, type CellTypeCode, Element, malformed, MORE, Tag, TagReader } from "./tag_reader.ts";
import { UNUSUAL, UsualCell } from "./usual_cell.ts";

export interface SheetRows {
  rows: Cell[][];
  rowNumbers: number[];
  /** By index in `rows`. */
  flaws: Map<number, RowFlaw> | null;
  cellCount: number;
  /** Characters of all texts. */
  length: number;
  /** Rows that were left out because they are hidden. */
  hiddenCount: number;
}

/** Of a batch: a limit is reached with the row that exceeds it. */
export interface ScanLimit {
  rows: number;
  cells: number;
  length: number;
  /** Bytes of the sheet, counted from its start: rows that are left out take time as well. */
  offset: number;
}

/**
 * `more`: the window must be filled; `strings`: the shared string `missing` must be loaded; `full`: a limit is reached;
 * `end`: there are no further rows.
 */
export type ScanOutcome = "more" | "strings" | "full" | "end";

/** Columns from the first to the last, counted from 1. */
export type ColumnRange = [first: number, last: number];

export interface SheetScannerOptions {
  context: SheetContext;
  /** What a former scanner had reached; the window starts there. */
  after?: { row: number; offset: number; hiddenColumns: ColumnRange[] };
  /** Reads hidden rows and columns like others. */
  withHidden: boolean;
}

const MAX_ROWS = 1_048_576;
const MAX_COLUMNS = 16_384;
/** What stands before the rows: views, widths of columns. */
const MAX_HEAD_BYTES = 16 * 1024 * 1024;
/** The bytes at hand lack a shared string. */
const MISSING = -2;
const LESS = 0x3c, SLASH = 0x2f, GREATER = 0x3e, C = 0x63, V = 0x76;

export class SheetScanner {
  /** The last row read, blank or not. */
  row: number;
  /** Bytes of the sheet that are done with. */
  offset: number;
  readonly hiddenColumns: ColumnRange[] = [];
  /** By column, from 1: whether it is hidden. Null where none is. */
  #isHiddenColumn: Uint8Array | null = null;
  #columnTags = 0;
  readonly #withHidden: boolean;
  readonly #window: ByteWindow;
  readonly #tag = new TagReader();
  readonly #cells: CellReader;
  readonly #content = { type: CellType.NUMBER as CellTypeCode, style: 0, start: 0, end: 0 };
  readonly #usual = new UsualCell();
  #inData: boolean;

  constructor(window: ByteWindow, { context, after, withHidden }: SheetScannerOptions) {
    this.#window = window;
    this.#cells = new CellReader(context);
    this.row = after?.row ?? 0;
    this.offset = after?.offset ?? 0;
    this.#inData = after !== undefined;
    this.#withHidden = withHidden;
    for (const range of after?.hiddenColumns ?? []) this.#hide(range);
  }

  /** The shared string to load before the scan can go on. */
  get missing(): number {
    return this.#cells.missing;
  }

  /** To be called after each fill of the window. */
  refresh(): void {
    this.#tag.bytes = this.#window.bytes;
    this.#tag.end = this.#window.end;
    this.#cells.setBytes(this.#window.bytes, this.#window.end);
  }

  scan(into: SheetRows, limit: ScanLimit): ScanOutcome {
    const tag = this.#tag;
    this.#cells.missing = -1;
    while (
      into.rows.length < limit.rows && into.cellCount < limit.cells && into.length < limit.length &&
      (this.offset < limit.offset || !this.#inData)
    ) {
      const at = tag.find(this.#window.start);
      if (at === MORE) return "more";
      let next = tag.read(at);
      if (next === MORE) return "more";
      if (tag.element === Element.SHEET_DATA) {
        if (tag.kind !== Tag.OPEN) return "end";
        this.#inData = true;
      } else if (tag.element === Element.ROW && this.#inData && tag.kind !== Tag.CLOSE) {
        next = this.#readRow(next, into);
        if (next === MORE) return "more";
        if (next === MISSING) return "strings";
      } else if (!this.#inData) {
        if (tag.element === Element.COLUMN && !this.#withHidden) this.#readColumns(at, next);
        if (this.offset > MAX_HEAD_BYTES) throw tooLongHead();
      }
      this.offset += next - this.#window.start;
      this.#window.start = next;
    }
    return "full";
  }

  /** A tag about some columns; hidden ones are kept in mind. */
  #readColumns(start: number, end: number): void {
    const tag = this.#cells.raw(start, end);
    const number = (name: string) =>
      Number(new RegExp(`\\s${name}\\s*=\\s*["'](\\d{1,5})["']`).exec(tag)?.[1]);
    if (++this.#columnTags > MAX_COLUMNS || !/\shidden\s*=\s*["'](?:1|true|on)["']/.test(tag)) return;
    const [first, last] = [number("min"), number("max")];
    if (first >= 1 && last >= first) this.#hide([first, Math.min(last, MAX_COLUMNS)]);
  }

  #hide([first, last]: ColumnRange): void {
    this.#isHiddenColumn ??= new Uint8Array(MAX_COLUMNS + 1);
    this.#isHiddenColumn.fill(1, first, last + 1);
    const former = this.hiddenColumns.at(-1);
    if (former && former[1] === first - 1) former[1] = last;
    else this.hiddenColumns.push([first, last]);
  }

  /** From behind the tag that opens a row. Changes nothing when it gives `MORE` or `MISSING`. */
  #readRow(at: number, into: SheetRows): number {
    const tag = this.#tag;
    let number = tag.row;
    const cells: Cell[] = [];
    let column = 0;
    let isBlank = true;
    let length = 0;
    const isHidden = tag.hidden && !this.#withHidden;
    const hiddenColumns = this.#isHiddenColumn;
    const hasContent = tag.kind === Tag.OPEN;
    if (hasContent) {
      while (true) {
        at = tag.find(at);
        if (at === MORE) return MORE;
        let value: Cell;
        const behind = number > 0 ? this.#usual.read(tag.bytes, at, tag.end) : UNUSUAL;
        if (behind !== UNUSUAL) {
          at = behind;
          column = this.#usual.column;
          if (hiddenColumns !== null && hiddenColumns[column] === 1) continue;
          if (isHidden || length > MAX_RECORD_LENGTH) {
            if (this.#usual.end > this.#usual.start) isBlank = false;
            continue;
          }
          value = this.#cells.read(this.#usual);
        } else {
          at = tag.read(at);
          if (at === MORE) return MORE;
          if (tag.element === Element.ROW) {
            if (tag.kind === Tag.CLOSE) break;
            throw malformed("a row within a row");
          }
          if (tag.element === Element.SHEET_DATA) throw malformed("a row without an end");
          if (tag.element !== Element.CELL || tag.kind === Tag.CLOSE) continue;
          column = tag.column || column + 1;
          if (column > MAX_COLUMNS) throw tooFar("column", MAX_COLUMNS);
          number ||= tag.row;
          if (tag.kind !== Tag.OPEN) continue;
          this.#content.type = tag.type;
          this.#content.style = tag.style;
          at = this.#findContent(at);
          if (at === MORE) return MORE;
          if (hiddenColumns !== null && hiddenColumns[column] === 1) continue;
          if (isHidden || length > MAX_RECORD_LENGTH) {
            if (this.#content.end > this.#content.start) isBlank = false;
            continue;
          }
          value = this.#value();
        }
        if (value === null) {
          if (this.#cells.missing >= 0) return MISSING;
          continue;
        }
        if (typeof value === "string") {
          length += value.length;
          if (length > MAX_RECORD_LENGTH) value = null;
        }
        if (value !== "") isBlank = false;
        if (cells.length === column - 1) cells.push(value);
        else place(cells, { column, value });
      }
    }
    number ||= this.row + 1;
    if (number > MAX_ROWS) throw tooFar("row", MAX_ROWS);
    if (number <= this.row) throw malformed(`row ${number} behind row ${this.row}`);
    this.row = number;
    if (isBlank) return at;
    if (isHidden) {
      into.hiddenCount++;
      return at;
    }
    if (length > MAX_RECORD_LENGTH) (into.flaws ??= new Map()).set(into.rows.length, "too_long");
    into.rows.push(cells);
    into.rowNumbers.push(number);
    into.cellCount += cells.length;
    into.length += Math.min(length, MAX_RECORD_LENGTH);
    return at;
  }

  /** Sets the range of the open cell's content and gives the place behind the cell. Without content, `start` is -1. */
  #findContent(at: number): number {
    const tag = this.#tag;
    const { bytes } = tag;
    const content = this.#content;
    content.start = content.end = -1;
    if (bytes[at] === LESS && bytes[at + 1] === V && bytes[at + 2] === GREATER) {
      const end = tag.find(at + 3);
      if (end === MORE) return MORE;
      const isUsual = bytes[end + 1] === SLASH && bytes[end + 2] === V && bytes[end + 3] === GREATER &&
        bytes[end + 4] === LESS && bytes[end + 5] === SLASH && bytes[end + 6] === C &&
        bytes[end + 7] === GREATER;
      if (isUsual && end + 8 <= tag.end) {
        content.start = at + 3;
        content.end = end;
        return end + 8;
      }
    }
    const wanted = content.type === CellType.INLINE ? Element.INLINE : Element.VALUE;
    while (true) {
      const open = tag.find(at);
      if (open === MORE) return MORE;
      at = tag.read(open);
      if (at === MORE) return MORE;
      if (tag.element === Element.CELL) {
        if (tag.kind === Tag.CLOSE) return at;
        throw malformed("a cell within a cell");
      }
      if (tag.element === Element.ROW || tag.element === Element.SHEET_DATA) {
        throw malformed("a cell without an end");
      }
      if (tag.element !== wanted) continue;
      if (tag.kind === Tag.EMPTY) content.start = content.end = at;
      else if (tag.kind === Tag.OPEN) content.start = at;
      else if (tag.kind === Tag.CLOSE && content.start >= 0) content.end = open;
    }
  }

  #value(): Cell {
    const content = this.#content;
    if (content.start < 0 || content.end < content.start) return null;
    if (content.type !== CellType.INLINE) return this.#cells.read(content);
    return this.#inlineText(content.start, content.end);
  }

  /** `<t>text</t>` and nothing else, the usual case, needs no copy of the markup. */
  #inlineText(start: number, end: number): string {
    const { bytes } = this.#tag;
    const T = 0x74;
    const isShort = bytes[start] === LESS && bytes[start + 1] === T && bytes[start + 2] === GREATER;
    if (isShort) {
      const textEnd = this.#tag.find(start + 3);
      if (textEnd === end - 4 && bytes[textEnd + 1] === SLASH && bytes[textEnd + 2] === T) {
        return this.#cells.text(start + 3, textEnd);
      }
    }
    return joinedRuns(this.#cells.raw(start, end));
  }
}

function place(cells: Cell[], { column, value }: { column: number; value: Cell }): void {
  while (cells.length < column - 1) cells.push(null);
  cells[column - 1] = value;
}

function tooLongHead(): LongshoreError {
  return new LongshoreError(
    "unsafe_file",
    `Cannot read the sheet: found more than ${MAX_HEAD_BYTES} bytes before its rows, expected fewer`,
  );
}

function tooFar(what: "row" | "column", limit: number): LongshoreError {
  return new LongshoreError(
    "unsafe_file",
    `Cannot read the sheet: found a ${what} beyond ${limit}, the format's limit`,
  );
}
