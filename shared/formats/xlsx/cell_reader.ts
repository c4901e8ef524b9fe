/**
 * What the content of a cell stands for: its type and style and a range of the sheet's bytes in, the value out.
 * Finds no cells; that is the scanner's part.
 */

import { type Cell, DateCell, ErrorCell } from "../reader.ts";
import type { DateFormatKind } from "./date_format_kind.ts";
import { dateOfSerial } from "./date_of_serial.ts";
import { decodeXmlText } from "./decode_xml_text.ts";
import { isoOfText } from "./iso_of_text.ts";
import { numberOfText, parseShortNumber } from "./parse_number.ts";
import type { SharedStrings } from "./shared_strings.ts";
import { CellType, type CellTypeCode, malformed } from "./tag_reader.ts";

/** What the cells of a sheet refer to. */
export interface SheetContext {
  strings: SharedStrings;
  /** By cell style. */
  kinds: DateFormatKind[];
  is1904: boolean;
}

export interface CellContent {
  type: CellTypeCode;
  style: number;
  start: number;
  end: number;
}

const SPACE = 0x20,
  AMPERSAND = 0x26,
  LESS = 0x3c,
  UNDERSCORE = 0x5f,
  CR = 0x0d,
  DIGIT_0 = 0x30,
  DIGIT_1 = 0x31;
const NONE = -1;
const CACHED_DATES = 10_000;

export class CellReader {
  readonly #context: SheetContext;
  readonly #utf8 = new TextDecoder("utf-8", { fatal: true });
  readonly #singleByte = new TextDecoder("latin1");
  /** The same dates come again and again: by kind, then by number. */
  readonly #dates = new Map<DateFormatKind, Map<number, Cell>>();
  #bytes: Uint8Array = new Uint8Array(0);
  #end = 0;
  /** The number of a shared string that must be loaded before its cell can be read; -1 if none is missing. */
  missing = NONE;
  /** The bytes as a string with one character for each; made when the first text is met. */
  #chars: string | undefined;

  constructor(context: SheetContext) {
    this.#context = context;
  }

  /** To be called whenever there are other bytes than before. */
  setBytes(bytes: Uint8Array, end: number): void {
    this.#bytes = bytes;
    this.#end = end;
    this.#chars = undefined;
  }

  read(content: CellContent): Cell {
    const { type, start, end } = content;
    if (start === end) return type === CellType.STRING || type === CellType.INLINE ? "" : null;
    switch (type) {
      case CellType.NUMBER:
        return this.#number(content);
      case CellType.SHARED:
        return this.#shared(content);
      case CellType.BOOLEAN:
        return this.#bytes[start] === DIGIT_1 || this.text(start, end).trim().toLowerCase() === "true";
      case CellType.ERROR:
        return new ErrorCell(this.text(start, end));
      case CellType.DATE:
        return this.#isoDate(content);
      default:
        return this.text(start, end);
    }
  }

  /** The text of a range. Plain ASCII, the usual case, is cut out; the rest is decoded. */
  text(start: number, end: number): string {
    const bytes = this.#bytes;
    let isPlain = true;
    for (let p = start; p < end; p++) {
      const byte = bytes[p]!;
      if (byte >= 0x80 || byte === AMPERSAND || byte === UNDERSCORE || byte === LESS || byte === CR) {
        isPlain = false;
        break;
      }
    }
    if (isPlain) {
      this.#chars ??= this.#singleByte.decode(bytes.subarray(0, this.#end));
      return this.#chars.slice(start, end);
    }
    return decodeXmlText(this.raw(start, end));
  }

  /** The characters of a range as they stand in the XML. */
  raw(start: number, end: number): string {
    try {
      return this.#utf8.decode(this.#bytes.subarray(start, end));
    } catch {
      throw malformed("bytes that are no UTF-8");
    }
  }

  /** What should be a number and is none is left as the text it is. */
  #number(content: CellContent): Cell {
    let value = parseShortNumber(this.#bytes, content);
    if (Number.isNaN(value)) {
      const text = decodeXmlText(this.raw(content.start, content.end)).trim();
      value = numberOfText(text);
      if (Number.isNaN(value)) return text || null;
    }
    const kind = this.#context.kinds[content.style];
    return kind === undefined || kind === "number" ? value : this.#date(value, kind);
  }

  #date(value: number, kind: Exclude<DateFormatKind, "number">): Cell {
    let cache = this.#dates.get(kind);
    if (!cache || cache.size > CACHED_DATES) this.#dates.set(kind, cache = new Map());
    let cell = cache.get(value);
    if (cell === undefined) {
      const iso = dateOfSerial(value, { kind, is1904: this.#context.is1904 });
      cell = iso === null ? value : new DateCell(iso);
      cache.set(value, cell);
    }
    return cell;
  }

  #shared({ start, end }: CellContent): string | null {
    while (this.#bytes[start]! <= SPACE && start < end) start++;
    while (this.#bytes[end - 1]! <= SPACE && start < end) end--;
    let index = start < end ? 0 : NONE;
    for (let p = start; p < end && index >= 0; p++) {
      const digit = this.#bytes[p]! - DIGIT_0;
      index = digit >= 0 && digit <= 9 && p - start < 9 ? index * 10 + digit : NONE;
    }
    if (index === NONE) throw malformed(`a shared text numbered "${this.text(start, end)}"`);
    const text = this.#context.strings.get(index);
    if (text !== undefined) return text;
    this.missing = index;
    return null;
  }

  #isoDate({ start, end }: CellContent): Cell {
    const text = this.text(start, end);
    const iso = isoOfText(text);
    return iso === null ? text : new DateCell(iso);
  }
}
