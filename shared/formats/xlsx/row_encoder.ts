/**
 * Rows of values → the bytes of a sheet's `<row>` elements. Writes bytes at once, without strings in between, since
 * that is where the time of an export goes. Knows where its rows are in the sheet, but nothing of sheets or files.
 */

import { LongshoreError } from "../../errors.ts";
import { DateCell, ErrorCell } from "../reader.ts";
import { encodeXmlText } from "./encode_xml_text.ts";
import { type IsoSerial, serialOfIso } from "./serial_of_iso.ts";
import { numberStyle, scalesOf, type WorkbookColumn } from "./workbook_columns.ts";
import { CELL_STYLES } from "./workbook_parts.ts";

/** What a cell can be made of; null is an empty cell. Dates are UTC, as a workbook knows no time zones. */
export type WorkbookValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | Date
  | DateCell
  | ErrorCell;

export interface RowEncoderOptions {
  columns: readonly WorkbookColumn[];
  /** What becomes of texts of more than 32,767 characters, which a cell cannot hold. */
  longTexts: "refuse" | "cut";
  /** The last row of the sheet that has been written. */
  row: number;
}

const MAX_COLUMNS = 16_384;
const MAX_TEXT_CHARS = 32_767;
/** Spreadsheets keep no more of a number. */
const MAX_DIGITS = 15;
const CUT_MARK = "…";
/** Room for a cell without its text. */
const FRAME_BYTES = 128;
/** The most that a character can take: `_xFFFF_`, or the four bytes of two. */
const BYTES_PER_CHAR = 7;
const START_BYTES = 1_280 * 1024;

const [BLANK, QUOTE, AMPERSAND, LESS, GREATER, UNDERSCORE, SMALL_X] = [32, 34, 38, 60, 62, 95, 120];
const [ZERO, NINE, MINUS, POINT] = [48, 57, 45, 46];

const ROW_OPEN = ascii('<row r="');
const ROW_OPENED = ascii('">');
const ROW_CLOSE = ascii("</row>");
const TEXT_OPEN = ascii('" t="inlineStr"><is><t>');
const KEPT_TEXT_OPEN = ascii('" t="inlineStr"><is><t xml:space="preserve">');
const HEADING_OPEN = ascii(`" s="${CELL_STYLES.heading}" t="inlineStr"><is><t>`);
const KEPT_HEADING_OPEN = ascii(
  `" s="${CELL_STYLES.heading}" t="inlineStr"><is><t xml:space="preserve">`,
);
const TEXT_CLOSE = ascii("</t></is></c>");
const VALUE_CLOSE = ascii("</v></c>");
const BOOLEAN_OPEN = ascii('" t="b"><v>');
const ERROR_OPEN = ascii('" t="e"><v>');
const SHAPE_OPEN = {
  date: numberOpen(CELL_STYLES.date),
  datetime: numberOpen(CELL_STYLES.datetime),
  time: numberOpen(CELL_STYLES.time),
  elapsed: numberOpen(CELL_STYLES.elapsed),
};
/** Looks like one of the escapes by which a workbook writes characters that XML cannot hold. */
const ESCAPE_LIKE = /^_x[0-9A-Fa-f]{4}_$/;
const ESCAPED_UNDERSCORE = ascii("_x005F_");
const ENTITIES = new Map([AMPERSAND, LESS, GREATER].map((code) => {
  const char = String.fromCharCode(code);
  return [code, ascii(encodeXmlText(char))];
}));
/** Characters that are written as they are, with one byte. */
const PLAIN = new Uint8Array(128).map((_, code) =>
  code > BLANK && ![QUOTE, AMPERSAND, LESS, GREATER, UNDERSCORE].includes(code) ? 1 : 0
);

interface ColumnCode {
  type: WorkbookColumn["type"];
  /** `<c r="AB`; the number of the row comes next. */
  open: Uint8Array;
  numberOpen: Uint8Array;
}

export class RowEncoder {
  /** The last row that was written. */
  row: number;
  /** Texts that were cut so far. */
  cutTexts = 0;
  readonly #columns: ColumnCode[];
  readonly #longTexts: "refuse" | "cut";
  #bytes: Uint8Array = new Uint8Array(START_BYTES);
  #length = 0;
  #rowDigits: Uint8Array = new Uint8Array(0);

  constructor({ columns, longTexts, row }: RowEncoderOptions) {
    const scales = scalesOf(columns);
    this.#columns = columns.map((column, i) => columnCode(i, column, scales));
    this.#longTexts = longTexts;
    this.row = row;
  }

  /** Bytes that wait to be taken. */
  get length(): number {
    return this.#length;
  }

  /** The bytes that were written since the last call; valid until the next row is written. */
  take(): Uint8Array {
    const bytes = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return bytes;
  }

  writeXml(xml: string): void {
    this.#makeRoom(xml.length * BYTES_PER_CHAR);
    this.#length += encoder.encodeInto(xml, this.#bytes.subarray(this.#length)).written;
  }

  writeHeadings(headings: readonly string[]): void {
    this.#openRow(headings.length);
    headings.forEach((heading, i) => {
      if (heading !== "") this.#writeText(this.#column(i), heading, { isHeading: true });
    });
    this.#closeRow();
  }

  writeRow(values: readonly WorkbookValue[]): void {
    const count = values.length;
    this.#openRow(count);
    for (let i = 0; i < count; i++) {
      const value = values[i];
      if (value !== null && value !== undefined) this.#writeValue(this.#columns[i] ?? this.#column(i), value);
    }
    this.#closeRow();
  }

  #openRow(count: number): void {
    const number = this.row + 1;
    if (count > MAX_COLUMNS) {
      throw new LongshoreError(
        "file_too_large",
        `Cannot write row ${number}: found ${count} columns, expected at most ${MAX_COLUMNS}`,
      );
    }
    this.row = number;
    this.#rowDigits = ascii(String(number));
    this.#makeRoom(FRAME_BYTES);
    this.#put(ROW_OPEN);
    this.#put(this.#rowDigits);
    this.#put(ROW_OPENED);
  }

  #closeRow(): void {
    this.#makeRoom(FRAME_BYTES);
    this.#put(ROW_CLOSE);
  }

  #column(index: number): ColumnCode {
    return this.#columns[index] ??= columnCode(index, {}, []);
  }

  #writeValue(column: ColumnCode, value: NonNullable<WorkbookValue>): void {
    switch (column.type) {
      case undefined:
        return this.#writeUntyped(column, value);
      case "text":
        return this.#writeText(column, typeof value === "string" ? value : textOf(value));
      case "integer":
      case "decimal":
        if (typeof value === "number") return this.#writeNumber(column, value);
        if (typeof value === "string" && this.#tryNumeric(column, value)) return;
        if (typeof value === "bigint" && this.#tryNumeric(column, String(value))) return;
        return this.#writeUntyped(column, typeof value === "bigint" ? String(value) : value);
      case "date":
      case "timestamp":
      case "time":
        if (typeof value === "string") return this.#writeIso(column, value);
        return this.#writeUntyped(column, value);
      case "boolean":
        if (value === "t" || value === "true") return this.#writeUntyped(column, true);
        if (value === "f" || value === "false") return this.#writeUntyped(column, false);
        return this.#writeUntyped(column, value);
    }
  }

  #writeUntyped(column: ColumnCode, value: NonNullable<WorkbookValue>): void {
    if (typeof value === "string") this.#writeText(column, value);
    else if (typeof value === "number") this.#writeNumber(column, value);
    else if (typeof value === "boolean") this.#writeAscii(column, value ? "1" : "0", BOOLEAN_OPEN);
    else if (typeof value === "bigint") {
      if (!this.#tryNumeric(column, String(value))) this.#writeText(column, String(value));
    } else if (value instanceof ErrorCell) this.#writeAscii(column, encodeXmlText(value.error), ERROR_OPEN);
    else this.#writeIso(column, textOf(value));
  }

  #writeNumber(column: ColumnCode, value: number): void {
    if (Number.isFinite(value)) this.#writeAscii(column, String(value), column.numberOpen);
    else this.#writeAscii(column, "#NUM!", ERROR_OPEN);
  }

  #writeIso(column: ColumnCode, iso: string): void {
    const date = serialOfIso(iso);
    if (date) this.#writeAscii(column, serialText(date), SHAPE_OPEN[date.shape]);
    else this.#writeText(column, iso);
  }

  /** A number as text, digit by digit as it stands. Not where a spreadsheet would change digits before the point. */
  #tryNumeric(column: ColumnCode, text: string): boolean {
    const length = text.length;
    const first = text.charCodeAt(0) === MINUS ? 1 : 0;
    let whole = 0;
    let digits = 0;
    let hasPoint = false;
    for (let i = first; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code >= ZERO && code <= NINE) {
        digits++;
        if (!hasPoint) whole++;
      } else if (code === POINT && !hasPoint) hasPoint = true;
      else {
        const number = /^-?\d+(\.\d+)?e[+-]?\d+$/i.test(text) ? Number(text) : NaN;
        if (Number.isFinite(number)) this.#writeNumber(column, number);
        return Number.isFinite(number);
      }
    }
    if (whole === 0 || whole > MAX_DIGITS || (hasPoint && digits === whole)) return false;
    this.#writeAscii(column, text, column.numberOpen);
    return true;
  }

  #writeAscii(column: ColumnCode, text: string, open: Uint8Array): void {
    const length = text.length;
    this.#makeRoom(length + FRAME_BYTES);
    this.#put(column.open);
    this.#put(this.#rowDigits);
    this.#put(open);
    const bytes = this.#bytes;
    let at = this.#length;
    for (let i = 0; i < length; i++) bytes[at++] = text.charCodeAt(i);
    this.#length = at;
    this.#put(VALUE_CLOSE);
  }

  /** Blanks that XML readers may drop need a word of their own; most texts have none, which shows on the way. */
  #writeText(
    column: ColumnCode,
    text: string,
    { isHeading = false, isKept = false }: { isHeading?: boolean; isKept?: boolean } = NO_OPTIONS,
  ): void {
    if (text.length > MAX_TEXT_CHARS) text = this.#shorten(column, text);
    const length = text.length;
    this.#makeRoom(length * BYTES_PER_CHAR + FRAME_BYTES);
    const start = this.#length;
    this.#put(column.open);
    this.#put(this.#rowDigits);
    this.#put(isHeading ? isKept ? KEPT_HEADING_OPEN : HEADING_OPEN : isKept ? KEPT_TEXT_OPEN : TEXT_OPEN);
    const bytes = this.#bytes;
    let at = this.#length;
    let before = BLANK;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code < 128 && PLAIN[code] === 1) bytes[at++] = code;
      else if (code === BLANK || code === TAB || code === LINE_FEED) {
        if (!isKept && (before === BLANK || code !== BLANK)) {
          this.#length = start;
          return this.#writeText(column, text, { isHeading, isKept: true });
        }
        bytes[at++] = code;
      } else {
        this.#length = at;
        i += this.#putOther(text, i, code);
        at = this.#length;
      }
      before = code;
    }
    if (before === BLANK && length > 0 && !isKept) {
      this.#length = start;
      return this.#writeText(column, text, { isHeading, isKept: true });
    }
    this.#length = at;
    this.#put(TEXT_CLOSE);
  }

  /** Writes a character that is not plain; tells how many further UTF-16 units it took. */
  #putOther(text: string, i: number, code: number): number {
    const entity = ENTITIES.get(code);
    if (entity) this.#put(entity);
    else if (code === UNDERSCORE) {
      const isEscape = text.charCodeAt(i + 1) === SMALL_X && ESCAPE_LIKE.test(text.slice(i, i + 7));
      if (isEscape) this.#put(ESCAPED_UNDERSCORE);
      else this.#bytes[this.#length++] = code;
    } else if (code === QUOTE) this.#bytes[this.#length++] = code;
    else if (code >= 0x80 && code < 0x800) {
      this.#bytes[this.#length++] = 0xc0 | code >> 6;
      this.#bytes[this.#length++] = 0x80 | code & 63;
    } else if (code >= 0x800 && (code < 0xd800 || code > 0xdfff) && code < 0xfffe) {
      this.#bytes[this.#length++] = 0xe0 | code >> 12;
      this.#bytes[this.#length++] = 0x80 | code >> 6 & 63;
      this.#bytes[this.#length++] = 0x80 | code & 63;
    } else {
      const char = String.fromCodePoint(text.codePointAt(i)!);
      this.#length += encoder.encodeInto(encodeXmlText(char), this.#bytes.subarray(this.#length)).written;
      return char.length - 1;
    }
    return 0;
  }

  #shorten(column: ColumnCode, text: string): string {
    if (this.#longTexts === "refuse") {
      const reference = `${new TextDecoder().decode(column.open.subarray(CELL_OPEN.length))}${this.row}`;
      throw new LongshoreError(
        "file_too_large",
        `Cannot write cell ${reference}: found ${text.length} characters, expected at most ${MAX_TEXT_CHARS}`,
      );
    }
    this.cutTexts++;
    const kept = text.slice(0, MAX_TEXT_CHARS - CUT_MARK.length);
    return (/[\ud800-\udbff]$/.test(kept) ? kept.slice(0, -1) : kept) + CUT_MARK;
  }

  #makeRoom(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array((this.#length + count) * 2);
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }

  /** A loop, since the calls of `set()` cost more than copying the few bytes. */
  #put(piece: Uint8Array): void {
    const bytes = this.#bytes;
    const length = piece.length;
    const at = this.#length;
    for (let i = 0; i < length; i++) bytes[at + i] = piece[i]!;
    this.#length = at + length;
  }
}

const TAB = 9;
const LINE_FEED = 10;
const CELL_OPEN = '<c r="';
const NO_OPTIONS = {};
const encoder = new TextEncoder();

function ascii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

function numberOpen(style: number): Uint8Array {
  return ascii(style === CELL_STYLES.plain ? '"><v>' : `" s="${style}"><v>`);
}

function columnCode(index: number, column: WorkbookColumn, scales: readonly number[]): ColumnCode {
  return {
    type: column.type,
    open: ascii(CELL_OPEN + columnName(index)),
    numberOpen: numberOpen(numberStyle(column, scales)),
  };
}

/** `A` for 0, `AB` for 27. */
export function columnName(index: number): string {
  const last = String.fromCharCode(65 + index % 26);
  return index < 26 ? last : columnName(Math.floor(index / 26) - 1) + last;
}

function textOf(value: NonNullable<WorkbookValue>): string {
  return value instanceof Date
    ? Number.isNaN(value.getTime()) ? String(value) : value.toISOString()
    : String(value);
}

/** To a hundred-millionth of a second's day: more digits would be the rounding of fractions. */
function serialText({ serial, shape }: IsoSerial): string {
  return shape === "date" ? String(serial) : String(Math.round(serial * SERIAL_PARTS) / SERIAL_PARTS);
}

const SERIAL_PARTS = 1e10;
