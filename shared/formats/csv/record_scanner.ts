/**
 * The one parser of CSV text. It takes text from the start of a record on, in pieces, and gives records:
 * cells, the record's number, its line, and what is wrong with it. It knows no bytes and no encodings.
 *
 * A quote opens a quoted field only as the first character of the field. What it decides about a record
 * depends on nothing but the text from the record's start to `maxRecordLength`, never on where one piece of
 * text ended and the next began: that is what makes a restart give the same rows.
 *
 * Papa Parse is about as fast (`bench/readers/csv.ts`), but after a stray quote it takes line after line for
 * one cell, and it does not tell on which line a record starts. To find the cuts between its blocks takes a
 * scanner that knows what a quote means: this one, and then nothing is left to do.
 */
import { LongshoreError } from "../../errors.ts";
import type { Cell, RowFlaw } from "../reader.ts";

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;

/** Characters shown of a record that is too long to be read. */
const PREVIEW_LENGTH = 1000;

/** Where records go. */
export interface Records {
  rows: Cell[][];
  rowNumbers: number[];
  lines: number[];
  flaws: Map<number, RowFlaw> | null;
}

export interface RecordScannerOptions {
  /** One character. */
  delimiter: string;
  /** Characters of the longest record; a quote that is not closed within them is taken as stray. */
  maxRecordLength: number;
  /** Records before the text. */
  row: number;
  /** Line on which the text starts, from 1. */
  line: number;
}

/** Where a scan may stop. */
export interface ScanLimits {
  /** Rows the records may hold. */
  rows: number;
  /** Total `length` from which on no further record is begun. */
  length: number;
}

/**
 * - `limit`: the records are full.
 * - `end`: the text is used up, up to a record that goes on behind it.
 * - `overlong`: the text is used up, and its last record has already been given up as too long: what is left
 *   of that line, which may be any amount, is to be skipped.
 */
export type ScanStop = "limit" | "end" | "overlong";

export class RecordScanner {
  /** Records, blank ones included, before the position. */
  row: number;
  /** Line of the position, from 1. */
  line: number;
  /** How far the text has been read; always the start of a record. */
  position = 0;
  /**
   * Characters of all records read so far, blank ones included; a record too long counts as the longest
   * possible.
   */
  length = 0;

  readonly #delimiter: string;
  readonly #delimiterCode: number;
  readonly #maxLength: number;
  #text = "";
  #final = false;
  #carriageReturns: "none" | "with_line_feeds" | "alone" = "none";

  // The line being read: where its text ends, and where the next line starts. They are equal only where the
  // text ends without a line end.
  #lineEnd = 0;
  #nextLine = 0;
  // Where each of these is next. Remembered, since a search for what is rare would otherwise go through the
  // rest of the text again for every line.
  #quote = -1;
  #broken = -1;
  #lineFeed = -1;
  #carriageReturn = -1;
  #delimiterAt = -1;
  #unbalanced = false;

  constructor(options: RecordScannerOptions) {
    this.#delimiter = options.delimiter;
    this.#delimiterCode = options.delimiter.charCodeAt(0);
    this.#maxLength = options.maxRecordLength;
    this.row = options.row;
    this.line = options.line;
  }

  /**
   * Text that starts at the position; `final` says that the file ends with it. It never ends between CR and
   * LF.
   */
  feed(text: string, options: { final: boolean }): void {
    this.#text = text;
    this.#final = options.final;
    this.position = 0;
    this.#quote = this.#find('"', 0);
    this.#broken = this.#find("\ufffd", 0);
    this.#lineFeed = this.#find("\n", 0);
    this.#delimiterAt = this.#find(this.#delimiter, 0);
    this.#carriageReturn = this.#find("\r", 0);
    if (this.#carriageReturn === text.length) this.#carriageReturns = "none";
    else this.#carriageReturns = /\r(?!\n)/.test(text) ? "alone" : "with_line_feeds";
  }

  /** Reads records until a limit or the end of the text. */
  scan(into: Records, limits: ScanLimits): ScanStop {
    const text = this.#text;
    while (this.position < text.length) {
      if (into.rows.length >= limits.rows || this.length >= limits.length) return "limit";
      const start = this.position;
      if (text.charCodeAt(start) === LF) {
        // A blank line, of which there may be millions.
        this.row++;
        this.line++;
        this.length++;
        this.position++;
        continue;
      }
      const line = this.line;
      this.#unbalanced = false;
      this.#findLineEnd(start);
      if (this.#quote < start) this.#quote = this.#find('"', start);
      const cells = this.#quote >= this.#lineEnd
        ? text.substring(start, this.#lineEnd).split(this.#delimiter)
        : this.#readQuotedRecord(start);
      if (cells === null) return "end";
      const tooLong = this.#lineEnd - start > this.#maxLength;
      const open = this.#nextLine === this.#lineEnd && !this.#final;
      if (open && !tooLong) {
        this.line = line;
        return "end";
      }
      if (tooLong) this.#refuseIfFirst();

      this.row++;
      this.line++;
      this.length += Math.min(this.#nextLine - start, this.#maxLength);
      this.position = this.#nextLine;
      this.#add(into, tooLong ? this.#preview(start) : cells, { start, line, tooLong });
      if (open) return "overlong";
    }
    return "end";
  }

  #add(into: Records, read: string[], record: { start: number; line: number; tooLong: boolean }): void {
    const cells: Cell[] = read;
    let blank = true;
    for (let index = 0; index < cells.length; index++) {
      if (cells[index] === "") cells[index] = null;
      else blank = false;
    }
    if (blank && !record.tooLong) return;

    if (this.#broken < record.start) this.#broken = this.#find("\ufffd", record.start);
    const flaw = record.tooLong
      ? "too_long"
      : this.#unbalanced
      ? "unbalanced_quotes"
      : this.#broken < this.#lineEnd
      ? "invalid_text"
      : null;
    if (flaw !== null) (into.flaws ??= new Map()).set(into.rows.length, flaw);
    into.rows.push(cells);
    into.rowNumbers.push(this.row);
    into.lines.push(record.line);
  }

  /**
   * The cells of a record with a quote on its first line, or null where the text ends before that can be
   * told.
   */
  #readQuotedRecord(start: number): string[] | null {
    const text = this.#text;
    const firstLine = this.line;
    const cells: string[] = [];
    let position = start;
    while (true) {
      let cell = "";
      let end = position;
      if (text.charCodeAt(position) === QUOTE) {
        const close = this.#findClosingQuote(position, start);
        if (close === null) {
          this.line = firstLine;
          return null;
        }
        if (close < 0) {
          // Nothing closes this quote: it is data, and so the record ends with the line it stands on.
          this.#unbalanced = true;
          end = this.#findFieldEnd(position);
          cell = text.substring(position, end);
        } else {
          this.#passLines(close);
          cell = text.substring(position + 1, close);
          if (cell.includes('"')) cell = cell.replaceAll('""', '"');
          end = this.#findFieldEnd(close + 1);
          if (end > close + 1) cell += textAfterQuote(text.substring(close + 1, end));
        }
      } else {
        end = this.#findFieldEnd(position);
        cell = text.substring(position, end);
      }
      cells.push(cell);
      if (end >= this.#lineEnd) return cells;
      position = end + 1;
    }
  }

  /**
   * The quote that closes the one at `open`; -1 where there is none within the longest record; null where the
   * text ends before that can be told. A field that has run over lines must end there: text right after such
   * a quote means that a stray quote has swallowed lines up to the next quoted field.
   */
  #findClosingQuote(open: number, start: number): number | null {
    const text = this.#text;
    let close = open + 1;
    while (true) {
      close = text.indexOf('"', close);
      if (close < 0 || close - start > this.#maxLength) {
        return this.#final || text.length - start > this.#maxLength ? -1 : null;
      }
      if (close + 1 === text.length && !this.#final) return null;
      if (text.charCodeAt(close + 1) !== QUOTE) break;
      close += 2;
    }
    if (close > this.#lineEnd && !this.#endsField(close + 1)) return -1;
    return close;
  }

  #endsField(position: number): boolean {
    const code = this.#text.charCodeAt(position);
    return position >= this.#text.length || code === this.#delimiterCode || code === LF || code === CR;
  }

  #findFieldEnd(position: number): number {
    if (this.#delimiterAt < position) this.#delimiterAt = this.#find(this.#delimiter, position);
    return Math.min(this.#delimiterAt, this.#lineEnd);
  }

  /** Makes the line that `position` stands on the current one. */
  #passLines(position: number): void {
    while (this.#nextLine <= position) {
      this.line++;
      this.#findLineEnd(this.#nextLine);
    }
  }

  #findLineEnd(from: number): void {
    if (this.#lineFeed < from) this.#lineFeed = this.#find("\n", from);
    const lineFeed = this.#lineFeed;
    if (this.#carriageReturns === "alone") {
      if (this.#carriageReturn < from) this.#carriageReturn = this.#find("\r", from);
      if (this.#carriageReturn < lineFeed) {
        this.#lineEnd = this.#carriageReturn;
        this.#nextLine = this.#lineEnd + (lineFeed === this.#lineEnd + 1 ? 2 : 1);
        this.#nextLine = Math.min(this.#nextLine, this.#text.length);
        return;
      }
    }
    this.#lineEnd = lineFeed;
    this.#nextLine = Math.min(lineFeed + 1, this.#text.length);
    if (this.#carriageReturns === "with_line_feeds" && lineFeed > from) {
      if (this.#text.charCodeAt(lineFeed - 1) === CR) this.#lineEnd--;
    }
  }

  /** Where `what` is next at or after `from`; the text's length where it is not. */
  #find(what: string, from: number): number {
    const found = this.#text.indexOf(what, from);
    return found < 0 ? this.#text.length : found;
  }

  #preview(start: number): string[] {
    const length = Math.min(PREVIEW_LENGTH, this.#maxLength);
    return this.#text.substring(start, start + length).split(this.#delimiter);
  }

  /** A file that starts with an endless record is no CSV at all. */
  #refuseIfFirst(): void {
    if (this.row > 0) return;
    throw new LongshoreError(
      "unreadable_file",
      `Cannot read the first row of the file: found more than ${this.#maxLength} characters without a line end, ` +
        `expected rows of at most that length`,
    );
  }
}

/**
 * What stands between a closing quote and the end of its field, as data: `"ab"cd` is `abcd`, as a spreadsheet
 * has it. If it ends with a quote, the field was quoted without doubling the quotes inside: `"4" valve"` is
 * `4" valve`.
 */
function textAfterQuote(tail: string): string {
  return tail.endsWith('"') ? `"${tail.slice(0, -1)}` : tail;
}
