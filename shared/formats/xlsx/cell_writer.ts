/**
 * Cells of a sheet as the bytes of its XML, one by one, each where the last one ended. What a cell's value is worth is
 * decided elsewhere; here is how each kind stands in the file.
 */

import { LongshoreError } from "../../errors.ts";
import { ByteWriter, type Snippet, snippet } from "./byte_writer.ts";
import { type ColumnCode, columnCode, numberOpen } from "./column_code.ts";
import { encodeXmlText } from "./encode_xml_text.ts";
import { type IsoSerial, serialOfIso } from "./serial_of_iso.ts";
import { scalesOf, type WorkbookColumn } from "./workbook_columns.ts";
import { CELL_STYLES } from "./workbook_parts.ts";

export interface CellWriterOptions {
  columns: readonly WorkbookColumn[];
  /** What becomes of texts of more than 32,767 characters, which a cell cannot hold. */
  longTexts: "refuse" | "cut";
  /** The last row of the sheet that has been written. */
  row: number;
  /** Texts that were cut so far. */
  cutTexts: number;
}

export const MAX_TEXT_CHARS = 32_767;
/** Room for a cell without its text. */
export const FRAME_BYTES = 128;

const MAX_COLUMNS = 16_384;
/** Spreadsheets keep no more of a number. */
const MAX_DIGITS = 15;
const CUT_MARK = "…";
/** The most that a character can take: `_xFFFF_`. */
const BYTES_PER_CHAR = 7;
const START_BYTES = 1_536 * 1024;

const TAB = 9, LINE_FEED = 10, BLANK = 32, AMPERSAND = 38, MINUS = 45, POINT = 46, ZERO = 48;
const LESS = 60, GREATER = 62, UNDERSCORE = 95, SMALL_X = 120, NINE = 57;

const ROW_OPEN = snippet('<row r="');
const ROW_OPENED = snippet('">');
const ROW_CLOSE = snippet("</row>");
export const TEXT_OPEN = snippet('" t="inlineStr"><is><t>');
const KEPT_TEXT_OPEN = snippet('" t="inlineStr"><is><t xml:space="preserve">');
const HEADING_OPEN = snippet(`" s="${CELL_STYLES.heading}" t="inlineStr"><is><t>`);
const KEPT_HEADING_OPEN = snippet(
  `" s="${CELL_STYLES.heading}" t="inlineStr"><is><t xml:space="preserve">`,
);
export const TEXT_CLOSE = snippet("</t></is></c>");
const VALUE_CLOSE = snippet("</v></c>");
const BOOLEAN_OPEN = snippet('" t="b"><v>');
const ERROR_OPEN = snippet('" t="e"><v>');
const SHAPE_OPEN = {
  date: numberOpen(CELL_STYLES.date),
  datetime: numberOpen(CELL_STYLES.datetime),
  time: numberOpen(CELL_STYLES.time),
  elapsed: numberOpen(CELL_STYLES.elapsed),
};
export const ENTITIES: ReadonlyMap<number, Snippet> = new Map([
  [AMPERSAND, snippet("&amp;")],
  [LESS, snippet("&lt;")],
  [GREATER, snippet("&gt;")],
]);
/** Looks like one of the escapes by which a workbook writes characters that XML cannot hold. */
const ESCAPE_LIKE = /^_x[0-9A-Fa-f]{4}_$/;
const ESCAPED_UNDERSCORE = snippet("_x005F_");
/** Characters that are written as they are, with one byte. */
const PLAIN = new Uint8Array(128).map((_, code) =>
  code > BLANK && ![AMPERSAND, LESS, GREATER, UNDERSCORE].includes(code) ? 1 : 0
);
/** The fraction of a day has ten digits, written in two halves: the last is worth 9 µs, more would be rounding errors. */
const HALF_FRACTION = 100_000;
const HALF_FRACTION_DIGITS = 5;
const DAY_SECONDS = 86_400;

export class CellWriter {
  readonly out = new ByteWriter(START_BYTES);
  /** The last row that was opened. */
  row: number;
  cutTexts: number;
  readonly #columns: ColumnCode[];
  readonly #longTexts: "refuse" | "cut";
  readonly #rowDigits = snippet("0000000");
  readonly #digitBytes = new Uint8Array(this.#rowDigits.words.buffer);
  readonly #isoBytes = new Uint8Array(48);

  constructor({ columns, longTexts, row, cutTexts }: CellWriterOptions) {
    const scales = scalesOf(columns);
    this.#columns = columns.map((column, i) => columnCode(i, column, scales));
    this.#longTexts = longTexts;
    this.row = row;
    this.cutTexts = cutTexts;
  }

  column(index: number): ColumnCode {
    const column = this.#columns[index];
    if (column) return column;
    if (index >= MAX_COLUMNS) {
      throw new LongshoreError(
        "file_too_large",
        `Cannot write row ${this.row}: found more than ${MAX_COLUMNS} columns, expected at most as many`,
      );
    }
    return this.#columns[index] = columnCode(index, {}, []);
  }

  openRow(): void {
    const text = String(++this.row);
    for (let i = 0; i < text.length; i++) this.#digitBytes[i] = text.charCodeAt(i);
    this.#rowDigits.length = text.length;
    this.out.makeRoom(FRAME_BYTES);
    this.out.put(ROW_OPEN);
    this.out.put(this.#rowDigits);
    this.out.put(ROW_OPENED);
  }

  closeRow(): void {
    this.out.makeRoom(FRAME_BYTES);
    this.out.put(ROW_CLOSE);
  }

  /** Room has been made. */
  openCell(column: ColumnCode, opened: Snippet): void {
    this.out.put(column.open);
    this.out.put(this.#rowDigits);
    this.out.put(opened);
  }

  closeNumber(): void {
    this.out.put(VALUE_CLOSE);
  }

  writeNumber(column: ColumnCode, value: number): void {
    if (Number.isFinite(value)) this.#writeValue(column, String(value), column.numberOpen);
    else this.writeError(column, "#NUM!");
  }

  /** A number as text, digit by digit as it stands; false where it is none, or one that spreadsheets would change. */
  writeNumeric(column: ColumnCode, text: string): boolean {
    let whole = 0;
    let digits = 0;
    let hasPoint = false;
    for (let i = text.charCodeAt(0) === MINUS ? 1 : 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= ZERO && code <= NINE) {
        digits++;
        if (!hasPoint) whole++;
      } else if (code === POINT && !hasPoint) hasPoint = true;
      else return this.#writeExponent(column, text);
    }
    if (!isKept({ whole, digits, hasPoint })) return false;
    this.#writeValue(column, text, column.numberOpen);
    return true;
  }

  writeBoolean(column: ColumnCode, value: boolean): void {
    this.#writeValue(column, value ? "1" : "0", BOOLEAN_OPEN);
  }

  writeError(column: ColumnCode, error: string): void {
    this.#writeValue(column, encodeXmlText(error), ERROR_OPEN);
  }

  /** A date, a time or both; a text where it is none. */
  writeIso(column: ColumnCode, iso: string): void {
    const bytes = this.#isoBytes;
    const fits = iso.length <= bytes.length;
    for (let i = 0; fits && i < iso.length; i++) bytes[i] = Math.min(iso.charCodeAt(i), 255);
    const serial = fits ? serialOfIso(bytes, 0, iso.length) : null;
    if (serial) this.writeSerial(column, serial);
    else this.writeText(column, iso);
  }

  writeSerial(column: ColumnCode, { day, seconds, shape }: IsoSerial): void {
    const { out } = this;
    out.makeRoom(FRAME_BYTES);
    this.openCell(column, SHAPE_OPEN[shape]);
    out.putWhole(day);
    if (seconds > 0) {
      const parts = Math.min(
        HALF_FRACTION * HALF_FRACTION - 1,
        Math.round(seconds / DAY_SECONDS * HALF_FRACTION * HALF_FRACTION),
      );
      const upper = Math.floor(parts / HALF_FRACTION);
      out.bytes[out.length++] = POINT;
      out.putDigits(upper, HALF_FRACTION_DIGITS);
      out.putDigits(parts - upper * HALF_FRACTION, HALF_FRACTION_DIGITS);
    }
    out.put(VALUE_CLOSE);
  }

  writeHeading(column: ColumnCode, text: string): void {
    this.#writeText(column, text, { isHeading: true, isKept: false });
  }

  writeText(column: ColumnCode, text: string): void {
    this.#writeText(column, text, PLAIN_TEXT);
  }

  #writeValue(column: ColumnCode, text: string, opened: Snippet): void {
    this.out.makeRoom(text.length + FRAME_BYTES);
    this.openCell(column, opened);
    this.out.putAscii(text);
    this.out.put(VALUE_CLOSE);
  }

  #writeExponent(column: ColumnCode, text: string): boolean {
    if (!/^-?\d+(\.\d+)?e[+-]?\d+$/i.test(text) || !Number.isFinite(Number(text))) return false;
    this.writeNumber(column, Number(text));
    return true;
  }

  /** Blanks that XML readers may drop need a word of their own; most texts have none, which shows on the way. */
  #writeText(column: ColumnCode, text: string, how: { isHeading: boolean; isKept: boolean }): void {
    const { isHeading, isKept } = how;
    if (text.length > MAX_TEXT_CHARS) text = this.#shorten(column, text);
    const { out } = this;
    out.makeRoom(text.length * BYTES_PER_CHAR + FRAME_BYTES);
    const start = out.length;
    this.openCell(
      column,
      isHeading ? isKept ? KEPT_HEADING_OPEN : HEADING_OPEN : isKept ? KEPT_TEXT_OPEN : TEXT_OPEN,
    );
    const { bytes } = out;
    let at = out.length;
    let before = BLANK;
    let wantsKept = false;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code < 128 && PLAIN[code] === 1) bytes[at++] = code;
      else if (code === BLANK || code === TAB || code === LINE_FEED) {
        wantsKept ||= before === BLANK || code !== BLANK;
        bytes[at++] = code;
      } else {
        out.length = at;
        i += this.#putOther(text, i, code);
        at = out.length;
      }
      before = code;
    }
    if (!isKept && (wantsKept || (before === BLANK && text.length > 0))) {
      out.length = start;
      return this.#writeText(column, text, { isHeading, isKept: true });
    }
    out.length = at;
    out.put(TEXT_CLOSE);
  }

  /** Writes a character that is not plain; tells how many further UTF-16 units it took. */
  #putOther(text: string, i: number, code: number): number {
    const { out } = this;
    const { bytes } = out;
    const entity = ENTITIES.get(code);
    if (entity) out.put(entity);
    else if (code === UNDERSCORE) {
      const isEscape = text.charCodeAt(i + 1) === SMALL_X && ESCAPE_LIKE.test(text.slice(i, i + 7));
      if (isEscape) out.put(ESCAPED_UNDERSCORE);
      else bytes[out.length++] = code;
    } else if (code >= 0x80 && code < 0x800) {
      bytes[out.length++] = 0xc0 | code >> 6;
      bytes[out.length++] = 0x80 | code & 63;
    } else if (code >= 0x800 && (code < 0xd800 || code > 0xdfff) && code < 0xfffe) {
      bytes[out.length++] = 0xe0 | code >> 12;
      bytes[out.length++] = 0x80 | code >> 6 & 63;
      bytes[out.length++] = 0x80 | code & 63;
    } else {
      const char = String.fromCodePoint(text.codePointAt(i)!);
      out.putText(encodeXmlText(char));
      return char.length - 1;
    }
    return 0;
  }

  #shorten(column: ColumnCode, text: string): string {
    if (this.#longTexts === "refuse") {
      throw new LongshoreError(
        "file_too_large",
        `Cannot write cell ${column.name}${this.row}: found ${text.length} characters, ` +
          `expected at most ${MAX_TEXT_CHARS}`,
      );
    }
    this.cutTexts++;
    const kept = text.slice(0, MAX_TEXT_CHARS - CUT_MARK.length);
    return (/[\ud800-\udbff]$/.test(kept) ? kept.slice(0, -1) : kept) + CUT_MARK;
  }
}

const PLAIN_TEXT = { isHeading: false, isKept: false };

/** Whether a spreadsheet keeps every digit before the point of a number that was counted through. */
export function isKept(
  { whole, digits, hasPoint }: { whole: number; digits: number; hasPoint: boolean },
): boolean {
  return whole > 0 && whole <= MAX_DIGITS && (!hasPoint || digits > whole);
}
