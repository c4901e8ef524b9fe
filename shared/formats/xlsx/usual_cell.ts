/**
 * A cell as nearly all are, read in one go: `<c r="B7" s="1" t="s"><v>12</v></c>`, or a text in its place,
 * `<c r="B7" t="inlineStr"><is><t>text</t></is></c>`. Takes half the time of going tag by tag, which every other form needs.
 */

import type { CellContent } from "./cell_reader.ts";
import { CellType, type CellTypeCode } from "./tag_reader.ts";

/** A cell in another form, or one that the bytes at hand end in. */
export const UNUSUAL = -3;

const SPACE = 0x20, QUOTE = 0x22, EQUALS = 0x3d, LESS = 0x3c, BIG_A = 0x41, BIG_Z = 0x5a, S = 0x73, T = 0x74;
const DIGIT_0 = 0x30, DIGIT_9 = 0x39;
const OPEN = ascii('<c r="');
const VALUE_OPEN = ascii("><v>");
const VALUE_CLOSE = ascii("</v></c>");
const INLINE_OPEN = ascii('inlineStr"><is><t>');
const INLINE_CLOSE = ascii("</t></is></c>");
const MAX_COLUMNS = 16_384;
const MAX_LETTERS = 3;
const MAX_STYLE_DIGITS = 8;

export class UsualCell implements CellContent {
  /** From 1. */
  column = 0;
  type: CellTypeCode = CellType.NUMBER;
  style = 0;
  start = 0;
  end = 0;

  /** Sets the fields and gives the place behind the cell that starts at `at`; or `UNUSUAL`, and the fields mean nothing. */
  read(bytes: Uint8Array, at: number, bytesEnd: number): number {
    if (!spells(bytes, at, OPEN)) return UNUSUAL;
    let p = at + OPEN.length;
    let byte = bytes[p]!;
    let column = 0;
    while (byte >= BIG_A && byte <= BIG_Z) {
      column = column * 26 + byte - BIG_A + 1;
      byte = bytes[++p]!;
    }
    if (column === 0 || column > MAX_COLUMNS || p > at + OPEN.length + MAX_LETTERS) return UNUSUAL;
    while (byte >= DIGIT_0 && byte <= DIGIT_9) byte = bytes[++p]!;
    if (byte !== QUOTE) return UNUSUAL;
    p++;
    this.column = column;
    this.style = 0;
    if (isAttribute(bytes, p, S)) {
      const styleStart = p += 4;
      for (byte = bytes[p]!; byte >= DIGIT_0 && byte <= DIGIT_9; byte = bytes[++p]!) {
        this.style = this.style * 10 + byte - DIGIT_0;
      }
      if (byte !== QUOTE || p > styleStart + MAX_STYLE_DIGITS) return UNUSUAL;
      p++;
    }
    this.type = CellType.NUMBER;
    let isInline = false;
    if (isAttribute(bytes, p, T)) {
      p += 4;
      isInline = spells(bytes, p, INLINE_OPEN);
      if (isInline) {
        this.type = CellType.STRING;
        p += INLINE_OPEN.length;
      } else if (bytes[p] === S && bytes[p + 1] === QUOTE) {
        this.type = CellType.SHARED;
        p += 2;
      } else return UNUSUAL;
    }
    if (!isInline) {
      if (!spells(bytes, p, VALUE_OPEN)) return UNUSUAL;
      p += VALUE_OPEN.length;
    }
    this.start = p;
    while (p < bytesEnd && bytes[p] !== LESS) p++;
    this.end = p;
    const close = isInline ? INLINE_CLOSE : VALUE_CLOSE;
    // What was looked at before lies before this, so it need not be held to the end each time.
    return p + close.length <= bytesEnd && spells(bytes, p, close) ? p + close.length : UNUSUAL;
  }
}

/** A blank, the letter and `="`. */
function isAttribute(bytes: Uint8Array, at: number, letter: number): boolean {
  return bytes[at] === SPACE && bytes[at + 1] === letter && bytes[at + 2] === EQUALS &&
    bytes[at + 3] === QUOTE;
}

function spells(bytes: Uint8Array, at: number, word: Uint8Array): boolean {
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return false;
  return true;
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
