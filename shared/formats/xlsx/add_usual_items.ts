/**
 * Shared strings as nearly all are, `<si><t>text</t></si>` one after the other: the texts are moved together byte by byte
 * and become one string, so that neither the markup nor millions of small strings take memory.
 */

import { decodeXmlText } from "./decode_xml_text.ts";
import type { Texts } from "./texts.ts";

export interface ItemBytes {
  bytes: Uint8Array;
  start: number;
  end: number;
}

const RETURN = 0x0d, SPACE = 0x20, AMPERSAND = 0x26, SLASH = 0x2f, LESS = 0x3c, GREATER = 0x3e;
const UNDERSCORE = 0x5f, I = 0x69, S = 0x73, T = 0x74, X = 0x78;
/** Bytes of which each is a character that stands for itself. */
const PLAIN = new Uint8Array(256).map((_, byte) =>
  byte < 0x80 && ![RETURN, AMPERSAND, LESS, UNDERSCORE].includes(byte) ? 1 : 0
);
const ROOT_END = /^\s*<\/sst>\s*$/;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** False, and nothing is added, where there is anything else in the range, or bytes that are no UTF-8. */
export function addUsualItems(texts: Texts, { bytes, start, end }: ItemBytes): boolean {
  const compact = new Uint8Array(end - start);
  let to = 0;
  /** Bytes so far that are no UTF-16 units of their own. */
  let surplus = 0;
  let at = start;
  texts.beginBlock();
  while (at < end) {
    if (!opensItem(bytes, at)) {
      if (bytes[at]! <= SPACE) at++;
      else if (endsRoot(bytes, at, end)) break;
      else return false;
      continue;
    }
    at = behindTag(bytes, at + 6, end);
    // A text that starts within a character must not be taken for the end of the one before it.
    if (at < 0 || isContinuation(bytes[at])) return false;
    const textStart = at;
    const compactStart = to;
    const surplusBefore = surplus;
    let needsDecoding = false;
    for (; at < end; at++) {
      const byte = bytes[at]!;
      if (PLAIN[byte] === 1) compact[to++] = byte;
      else if (byte === LESS) break;
      else {
        if (isContinuation(byte)) surplus++;
        else if (byte >= 0xf0) surplus--;
        else if (byte < 0x80) needsDecoding ||= byte !== UNDERSCORE || bytes[at + 1] === X;
        compact[to++] = byte;
      }
    }
    if (!closesItem(bytes, at) || at + 9 > end) return false;
    if (needsDecoding) {
      const text = decoded(bytes.subarray(textStart, at));
      if (text === null) return false;
      to = compactStart + encoder.encodeInto(text, compact.subarray(compactStart)).written;
      surplus = surplusBefore + to - compactStart - text.length;
    }
    texts.addText(to - surplus);
    at += 9;
  }
  try {
    texts.endBlock(decoder.decode(compact.subarray(0, to)));
  } catch {
    return false;
  }
  return true;
}

/** `<si><t`, whatever comes behind it. */
function opensItem(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === LESS && bytes[at + 1] === S && bytes[at + 2] === I && bytes[at + 3] === GREATER &&
    bytes[at + 4] === LESS && bytes[at + 5] === T;
}

/** `</t></si>` */
function closesItem(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === LESS && bytes[at + 1] === SLASH && bytes[at + 2] === T && bytes[at + 3] === GREATER &&
    bytes[at + 4] === LESS && bytes[at + 5] === SLASH && bytes[at + 6] === S && bytes[at + 7] === I &&
    bytes[at + 8] === GREATER;
}

/** Behind the tag whose name ends there; -1 if it is another name, or an empty element. */
function behindTag(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] === GREATER) return at + 1;
  if (bytes[at]! > SPACE) return -1;
  while (at < end && bytes[at] !== GREATER && bytes[at] !== LESS) at++;
  return bytes[at] === GREATER && bytes[at - 1] !== SLASH ? at + 1 : -1;
}

function endsRoot(bytes: Uint8Array, at: number, end: number): boolean {
  const MOST_BYTES = 64;
  return end - at < MOST_BYTES && ROOT_END.test(String.fromCharCode(...bytes.subarray(at, end)));
}

/** Null where bytes cannot hold the text: halves of characters that were written as escapes. */
function decoded(raw: Uint8Array): string | null {
  try {
    const text = decodeXmlText(decoder.decode(raw));
    return /\p{Surrogate}/u.test(text) ? null : text;
  } catch {
    return null;
  }
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
