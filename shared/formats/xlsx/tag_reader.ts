/**
 * One tag at a time out of the bytes of a sheet's XML: which element, whether it opens or closes it, and the few
 * attributes that matter. The result is left in fields, as millions of tags must not become objects. Elements go
 * by their name without prefix. Knows nothing of how elements nest.
 */

import { LongshoreError } from "../../errors.ts";

export const Tag = { OPEN: 0, CLOSE: 1, EMPTY: 2, ASIDE: 3 } as const;
export const Element = {
  OTHER: 0,
  ROW: 1,
  CELL: 2,
  VALUE: 3,
  INLINE: 4,
  SHEET_DATA: 5,
  COLUMN: 6,
} as const;
export const CellType = {
  NUMBER: 0,
  SHARED: 1,
  STRING: 2,
  INLINE: 3,
  BOOLEAN: 4,
  ERROR: 5,
  DATE: 6,
} as const;

export type TagCode = typeof Tag[keyof typeof Tag];
export type ElementCode = typeof Element[keyof typeof Element];
export type CellTypeCode = typeof CellType[keyof typeof CellType];

/** The bytes at hand end within the tag. */
export const MORE = -1;

const SPACE = 0x20, BANG = 0x21, QUOTE = 0x22, APOSTROPHE = 0x27, SLASH = 0x2f, COLON = 0x3a;
const LESS = 0x3c,
  EQUALS = 0x3d,
  GREATER = 0x3e,
  QUESTION = 0x3f,
  DASH = 0x2d,
  DIGIT_0 = 0x30,
  DIGIT_9 = 0x39;
/** Beyond any row or column, and small enough to be counted on with. */
const FAR = 100_000_000;
const B = 0x62,
  C = 0x63,
  D = 0x64,
  E = 0x65,
  H = 0x68,
  I = 0x69,
  N = 0x6e,
  R = 0x72,
  S = 0x73,
  T = 0x74,
  V = 0x76;

export class TagReader {
  bytes: Uint8Array = new Uint8Array(0);
  end = 0;
  kind: TagCode = Tag.OPEN;
  element: ElementCode = Element.OTHER;
  /** `r` of a row, or the row in `r` of a cell; 0 without. */
  row = 0;
  /** Column of a cell, from 1; 0 without. */
  column = 0;
  type: CellTypeCode = CellType.NUMBER;
  style = 0;
  /** Of a row. */
  hidden = false;

  /** Where the next tag starts, from `at` on. */
  find(at: number): number {
    const { bytes, end } = this;
    while (at < end && bytes[at] !== LESS) at++;
    return at < end ? at : MORE;
  }

  /** Reads the tag that starts at `at`; gives the place behind it, or `MORE`. */
  read(at: number): number {
    const { bytes, end } = this;
    let p = at + 1;
    if (p + 1 >= end) return MORE;
    let first = bytes[p]!;
    if (first === BANG) return this.#aside(at);
    if (first === QUESTION) return this.#asideUntil(at, "?>");
    this.kind = Tag.OPEN;
    if (first === SLASH) {
      this.kind = Tag.CLOSE;
      first = bytes[++p]!;
    }
    let nameStart = p;
    let byte = first;
    while (byte > SPACE && byte !== GREATER && byte !== SLASH) {
      if (byte === LESS) throw malformed("a tag within a tag");
      if (byte === COLON) nameStart = p + 1;
      if (++p >= end) return MORE;
      byte = bytes[p]!;
    }
    this.element = this.#elementOf(nameStart, p - nameStart);
    if (byte === GREATER) {
      this.#forgetAttributes();
      return p + 1;
    }
    if (this.kind === Tag.OPEN && (this.element === Element.CELL || this.element === Element.ROW)) {
      return this.#attributes(p);
    }
    return this.#skipAttributes(p);
  }

  #elementOf(start: number, length: number): ElementCode {
    const first = this.bytes[start];
    if (length === 1) return first === C ? Element.CELL : first === V ? Element.VALUE : Element.OTHER;
    if (length === 2) return first === I && this.bytes[start + 1] === S ? Element.INLINE : Element.OTHER;
    if (length === 3) {
      if (first === R && this.#spells(start, "row")) return Element.ROW;
      return first === C && this.#spells(start, "col") ? Element.COLUMN : Element.OTHER;
    }
    if (length === 9) {
      return first === S && this.#spells(start, "sheetData") ? Element.SHEET_DATA : Element.OTHER;
    }
    return Element.OTHER;
  }

  #spells(start: number, word: string): boolean {
    for (let i = 0; i < word.length; i++) {
      if (this.bytes[start + i] !== word.charCodeAt(i)) return false;
    }
    return true;
  }

  #forgetAttributes(): void {
    this.row = 0;
    this.column = 0;
    this.type = CellType.NUMBER;
    this.style = 0;
    this.hidden = false;
  }

  #attributes(p: number): number {
    const { bytes, end } = this;
    this.#forgetAttributes();
    while (p < end) {
      const byte = bytes[p]!;
      if (byte <= SPACE) {
        p++;
        continue;
      }
      if (byte === GREATER) return p + 1;
      if (byte === SLASH) {
        this.kind = Tag.EMPTY;
        p++;
        continue;
      }
      if (byte === R && bytes[p + 1] === EQUALS && bytes[p + 2] === QUOTE) {
        p = this.#reference(p + 3);
        if (p === MORE) return MORE;
        continue;
      }
      if (byte === LESS) throw malformed("a tag within a tag");
      const nameStart = p;
      while (p < end && bytes[p]! > SPACE && bytes[p] !== EQUALS && bytes[p] !== GREATER) p++;
      const isShort = p - nameStart === 1;
      const isHidden = byte === H && p - nameStart === 6 && this.#spells(nameStart, "hidden");
      while (p < end && bytes[p]! <= SPACE) p++;
      if (p >= end) return MORE;
      if (bytes[p] !== EQUALS) throw malformed("an attribute without a value");
      p++;
      while (p < end && bytes[p]! <= SPACE) p++;
      const quote = bytes[p];
      if (p >= end) return MORE;
      if (quote !== QUOTE && quote !== APOSTROPHE) throw malformed("an attribute without quotes");
      const valueStart = ++p;
      while (p < end && bytes[p] !== quote) p++;
      if (p >= end) return MORE;
      if (isShort) {
        if (byte === R) this.#reference(valueStart);
        else if (byte === S) this.style = this.#digits(valueStart, p);
        else if (byte === T) this.type = this.#typeOf(valueStart, p - valueStart);
      } else if (isHidden) {
        this.hidden = bytes[valueStart] === DIGIT_0 + 1 || this.#spells(valueStart, "true");
      }
      p++;
    }
    return MORE;
  }

  /** `B7` of a cell, `7` of a row; gives the place behind the quote that ends it. */
  #reference(p: number): number {
    const { bytes, end } = this;
    let column = 0;
    let row = 0;
    for (; p < end; p++) {
      const byte = bytes[p]!;
      if (byte >= DIGIT_0 && byte <= DIGIT_9) row = Math.min(row * 10 + byte - DIGIT_0, FAR);
      else if (byte === QUOTE || byte === APOSTROPHE) {
        this.column = column;
        this.row = row;
        return p + 1;
      } else {
        const letter = (byte & 0xdf) - 0x40;
        if (letter < 1 || letter > 26) throw malformed("a cell without a place");
        column = Math.min(column * 26 + letter, FAR);
      }
    }
    return MORE;
  }

  /** A number beyond all limits where there is something else than digits, or too many. */
  #digits(start: number, end: number): number {
    let value = 0;
    for (let p = start; p < end; p++) {
      const digit = this.bytes[p]! - DIGIT_0;
      if (digit < 0 || digit > 9 || p - start > 8) return FAR;
      value = value * 10 + digit;
    }
    return value;
  }

  #typeOf(start: number, length: number): CellTypeCode {
    const first = this.bytes[start];
    if (length === 0) return CellType.NUMBER;
    if (length === 1) {
      switch (first) {
        case N:
          return CellType.NUMBER;
        case S:
          return CellType.SHARED;
        case B:
          return CellType.BOOLEAN;
        case E:
          return CellType.ERROR;
        case D:
          return CellType.DATE;
      }
    }
    if (length === 3 && this.#spells(start, "str")) return CellType.STRING;
    if (length === 9 && this.#spells(start, "inlineStr")) return CellType.INLINE;
    throw malformed("a cell of an unknown type");
  }

  #skipAttributes(p: number): number {
    const { bytes, end } = this;
    let quote = 0;
    for (; p < end; p++) {
      const byte = bytes[p]!;
      if (quote !== 0) {
        if (byte === quote) quote = 0;
      } else if (byte === GREATER) {
        if (bytes[p - 1] === SLASH) this.kind = Tag.EMPTY;
        return p + 1;
      } else if (byte === QUOTE || byte === APOSTROPHE) quote = byte;
      else if (byte === LESS) throw malformed("a tag within a tag");
    }
    return MORE;
  }

  /** Comments and CDATA are passed over; anything else of this kind defines things and is refused. */
  #aside(at: number): number {
    const { bytes, end } = this;
    if (at + 4 > end) return MORE;
    if (bytes[at + 2] === DASH && bytes[at + 3] === DASH) return this.#asideUntil(at + 2, "-->");
    if (at + 9 > end) return MORE;
    if (this.#spells(at, "<![CDATA[")) return this.#asideUntil(at, "]]>");
    throw new LongshoreError("unsafe_file", "Cannot read the sheet: found a document type, expected none");
  }

  #asideUntil(at: number, closer: string): number {
    this.kind = Tag.ASIDE;
    this.element = Element.OTHER;
    const last = closer.charCodeAt(closer.length - 1);
    for (let p = at + 1 + closer.length; p < this.end; p++) {
      if (this.bytes[p] === last && this.#spells(p - closer.length + 1, closer)) return p + 1;
    }
    return MORE;
  }
}

export function malformed(found: string): LongshoreError {
  return new LongshoreError(
    "unreadable_file",
    `Cannot read the sheet: found ${found}, so the file is damaged`,
  );
}
