/**
 * Rows of CSV, as COPY writes it, → cells, from byte to byte: the values never become strings but where they need care.
 * Commas, line feeds, double quotes; what is not quoted and empty is an empty cell. A row that is not there whole waits
 * for the next bytes.
 */

import {
  type CellWriter,
  ENTITIES,
  FRAME_BYTES,
  isKept,
  MAX_TEXT_CHARS,
  TEXT_CLOSE,
  TEXT_OPEN,
} from "./cell_writer.ts";
import type { ColumnCode } from "./column_code.ts";
import { serialOfIso } from "./serial_of_iso.ts";
import { writeValue } from "./write_value.ts";

const LINE_FEED = 10,
  RETURN = 13,
  BLANK = 32,
  QUOTE = 34,
  COMMA = 44,
  MINUS = 45,
  POINT = 46,
  ZERO = 48,
  NINE = 57;
const UNDERSCORE = 95, SMALL_F = 102, SMALL_T = 116, SMALL_X = 120, DELETE = 127;
/** First of three bytes, which may be U+FFFE or U+FFFF. */
const NEEDS_LOOK = 0xef;
const NOT_SIMPLE = -1;
const NOT_WHOLE = -2;
/** The most that a byte can take: `&quot;` is not written. */
const BYTES_PER_BYTE = 5;

/** Bytes that are written as they are, quoted or not. */
const PLAIN = new Uint8Array(256).map((_, byte) =>
  byte > BLANK && ![QUOTE, COMMA, UNDERSCORE, DELETE, NEEDS_LOOK, ...ENTITIES.keys()].includes(byte) ? 1 : 0
);

export class CsvRows {
  readonly #cells: CellWriter;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** No row ends behind it. */
  #lastLineFeed = -1;

  constructor(cells: CellWriter) {
    this.#cells = cells;
  }

  /** Whether all bytes have become rows. */
  get isEmpty(): boolean {
    return this.#at === this.#bytes.length;
  }

  add(bytes: Uint8Array): void {
    const rest = this.#bytes.subarray(this.#at);
    const lastLineFeed = bytes.lastIndexOf(LINE_FEED);
    this.#at = 0;
    this.#lastLineFeed = lastLineFeed < 0 ? lastLineFeed : rest.length + lastLineFeed;
    this.#bytes = bytes;
    if (rest.length === 0) return;
    this.#bytes = new Uint8Array(rest.length + bytes.length);
    this.#bytes.set(rest);
    this.#bytes.set(bytes, rest.length);
  }

  /** Writes the next row; false if it is not there whole. */
  writeRow(): boolean {
    const cells = this.#cells;
    const bytes = this.#bytes;
    const { row, cutTexts, out: { length } } = cells;
    let at = this.#at;
    if (at > this.#lastLineFeed) return false;
    cells.openRow();
    for (let column = 0;; column++) {
      const end = this.#writeField(cells.column(column), at);
      if (end === NOT_WHOLE) {
        cells.row = row;
        cells.cutTexts = cutTexts;
        cells.out.length = length;
        return false;
      }
      at = end + 1;
      if (bytes[end] === COMMA) continue;
      if (bytes[end] === RETURN) at++;
      break;
    }
    cells.closeRow();
    this.#at = at;
    return true;
  }

  /** Writes the value that starts there; tells where the comma or the end of the row behind it is. */
  #writeField(column: ColumnCode, from: number): number {
    const bytes = this.#bytes;
    const first = bytes[from];
    if (first === undefined) return NOT_WHOLE;
    if (first === COMMA || first === LINE_FEED) return from;
    const end = this.#writeSimple(column, from, first);
    return end === NOT_SIMPLE ? this.#writeAny(column, from) : end;
  }

  #writeSimple(column: ColumnCode, from: number, first: number): number {
    switch (column.type) {
      case undefined:
      case "text":
        return this.#writeText(column, first === QUOTE ? from + 1 : from, first === QUOTE);
      case "integer":
      case "decimal":
        return this.#writeNumber(column, from);
      case "boolean":
        if ((first !== SMALL_T && first !== SMALL_F) || !this.#isEnd(from + 1)) return NOT_SIMPLE;
        this.#cells.writeBoolean(column, first === SMALL_T);
        return from + 1;
      default:
        return this.#writeDate(column, first === QUOTE ? from + 1 : from, first === QUOTE);
    }
  }

  #writeText(column: ColumnCode, from: number, isQuoted: boolean): number {
    const cells = this.#cells;
    const { out } = cells;
    const bytes = this.#bytes;
    const limit = Math.min(bytes.length, from + MAX_TEXT_CHARS);
    out.makeRoom((limit - from) * BYTES_PER_BYTE + FRAME_BYTES);
    const start = out.length;
    cells.openCell(column, TEXT_OPEN);
    const to = out.bytes;
    let at = out.length;
    let before = BLANK;
    for (let i = from; i < limit; i++) {
      const byte = bytes[i]!;
      if (PLAIN[byte] === 1) to[at++] = byte;
      else if (byte === BLANK && before !== BLANK) to[at++] = byte;
      else if (byte === UNDERSCORE && bytes[i + 1] !== SMALL_X) to[at++] = byte;
      else if (byte === COMMA && isQuoted) to[at++] = byte;
      else if (isQuoted ? byte === QUOTE && this.#isEnd(i + 1) : byte === COMMA || byte === LINE_FEED) {
        if (before === BLANK) break;
        out.length = at;
        out.put(TEXT_CLOSE);
        return isQuoted ? i + 1 : i;
      } else {
        const entity = ENTITIES.get(byte);
        if (!entity) break;
        out.length = at;
        out.put(entity);
        at = out.length;
      }
      before = byte;
    }
    out.length = start;
    return NOT_SIMPLE;
  }

  #writeNumber(column: ColumnCode, from: number): number {
    const cells = this.#cells;
    const { out } = cells;
    const bytes = this.#bytes;
    let whole = 0;
    let digits = 0;
    let hasPoint = false;
    let i = bytes[from] === MINUS ? from + 1 : from;
    for (; i < bytes.length; i++) {
      const byte = bytes[i]!;
      if (byte >= ZERO && byte <= NINE) {
        digits++;
        if (!hasPoint) whole++;
      } else if (byte === POINT && !hasPoint) hasPoint = true;
      else break;
    }
    if (!this.#isEnd(i) || !isKept({ whole, digits, hasPoint })) return NOT_SIMPLE;
    out.makeRoom(i - from + FRAME_BYTES);
    cells.openCell(column, column.numberOpen);
    const to = out.bytes;
    let at = out.length;
    for (let k = from; k < i; k++) to[at++] = bytes[k]!;
    out.length = at;
    cells.closeNumber();
    return i;
  }

  #writeDate(column: ColumnCode, from: number, isQuoted: boolean): number {
    const bytes = this.#bytes;
    let end = from;
    while (end < bytes.length && bytes[end]! > QUOTE && bytes[end] !== COMMA || bytes[end] === BLANK) end++;
    if (!this.#isEnd(isQuoted ? end + 1 : end) || (isQuoted && bytes[end] !== QUOTE)) return NOT_SIMPLE;
    const serial = serialOfIso(bytes, from, end);
    if (!serial) return NOT_SIMPLE;
    this.#cells.writeSerial(column, serial);
    return isQuoted ? end + 1 : end;
  }

  /** Values with doubled quotes, characters that need care, or the wrong type for their column. */
  #writeAny(column: ColumnCode, from: number): number {
    const bytes = this.#bytes;
    const isQuoted = bytes[from] === QUOTE;
    const end = isQuoted ? this.#endOfQuoted(from + 1) : this.#endOfUnquoted(from);
    if (end === NOT_WHOLE) return NOT_WHOLE;
    const text = decoder.decode(isQuoted ? bytes.subarray(from + 1, end - 1) : bytes.subarray(from, end));
    const value = isQuoted ? text.replaceAll('""', '"') : text;
    if (isQuoted || value !== "") writeValue(this.#cells, column, value);
    return end;
  }

  #endOfUnquoted(from: number): number {
    for (let i = from; i < this.#bytes.length; i++) if (this.#isEnd(i)) return i;
    return NOT_WHOLE;
  }

  /** The place behind the closing quote. */
  #endOfQuoted(from: number): number {
    const bytes = this.#bytes;
    for (let i = bytes.indexOf(QUOTE, from); i >= 0; i = bytes.indexOf(QUOTE, i + 2)) {
      const next = bytes[i + 1];
      if (next === QUOTE) continue;
      if (this.#isEnd(i + 1)) return i + 1;
      if (next === undefined || (next === RETURN && bytes[i + 2] === undefined)) return NOT_WHOLE;
      throw new SyntaxError(
        `Cannot read row ${this.#cells.row} of the CSV: found a byte ${next} behind a closing quote, ` +
          "expected a comma or the end of the line",
      );
    }
    return NOT_WHOLE;
  }

  /** Whether a value ends there, before a comma, a line feed, or a carriage return and a line feed. */
  #isEnd(at: number): boolean {
    const byte = this.#bytes[at];
    return byte === COMMA || byte === LINE_FEED || (byte === RETURN && this.#bytes[at + 1] === LINE_FEED);
  }
}

/** A mark of byte order at the start of a value is a character like others. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
