/**
 * A page of the shared strings of a workbook: from a place in the part up to another, or as many as a page holds. The runs
 * of rich text are joined; phonetic runs, which only say how to pronounce a text, are left out.
 */

import { LongshoreError } from "../../errors.ts";
import type { ByteSource } from "../reader.ts";
import { ByteWindow } from "./byte_window.ts";
import { decodeXmlText, plainXml } from "./decode_xml_text.ts";
import { joinedRuns } from "./joined_runs.ts";
import { refuseDoctype } from "./read_xml_part.ts";
import type { ZipEntry } from "./read_zip_directory.ts";
import type { EntryMark, ReadMeter } from "./read_zip_entry.ts";
import { readXmlEntry } from "./read_xml_entry.ts";
import { Texts } from "./texts.ts";
import { addUsualItems } from "./add_usual_items.ts";
import { withoutFirst } from "./without_first.ts";

/** Where a page starts, in inflated bytes, and a mark before that. */
export interface PageStart {
  offset: number;
  mark: EntryMark | undefined;
}

export interface ReadTextsOptions {
  from: PageStart;
  /** Where the page ends. @default where the entry can be marked, after `pageBytes` */
  end: number | undefined;
  /** Of the elements' names, if it is known. @default as the root has it */
  prefix: string | undefined;
  /** Inflated. */
  pageBytes: number;
  /** Refuses a page that takes more memory. */
  maxBytes: number;
  meter?: ReadMeter;
}

export interface TextsPage {
  texts: Texts;
  prefix: string;
  /** Where the next page starts, if this one ended before it had to. */
  next: PageStart | undefined;
  /** Inflated bytes read. */
  bytes: number;
}

export async function readTexts(
  source: ByteSource,
  entry: ZipEntry,
  { from, end = Infinity, prefix, pageBytes, maxBytes, meter }: ReadTextsOptions,
): Promise<TextsPage> {
  let mark: EntryMark | undefined;
  const chunks = readXmlEntry(source, entry, {
    ...(meter ? { meter } : {}),
    from: from.mark,
    markEvery: pageBytes,
    onMark: (each) => mark ??= each,
  });
  const window = new ByteWindow(withoutFirst(chunks, from.offset - (from.mark?.offset ?? 0)));
  const texts = new Texts();
  let offset = from.offset;
  let next: PageStart | undefined;
  try {
    for (let isOpen = true; isOpen && offset < end && !next;) {
      isOpen = await window.fill();
      const available = Math.min(window.end, window.start + end - offset);
      const done = isOpen && available === window.end ? lastItemEnd(window) : available;
      if (done < 0) continue;
      prefix = addItems(texts, {
        bytes: window.bytes,
        start: window.start,
        end: done,
        prefix,
        part: entry.name,
      });
      if (texts.bytes > maxBytes) throw tooLarge(maxBytes);
      offset += done - window.start;
      window.start = done;
      if (mark && offset >= mark.offset && offset < end) next = { offset, mark };
    }
  } finally {
    await window.close();
  }
  return { texts, prefix: prefix ?? "", next, bytes: offset - from.offset };
}

function tooLarge(maxBytes: number): LongshoreError {
  return new LongshoreError(
    "file_too_large",
    `Cannot read the workbook: its texts take more than ${
      maxBytes >> 20
    } MiB of memory at once, expected less: ` +
      "save it anew as .xlsx, split it or save it as CSV",
  );
}

/** Just behind the last `</si>`; -1 if there is none. All that lies before it can be decoded in one piece. */
function lastItemEnd({ bytes, start, end }: ByteWindow): number {
  const LESS = 0x3c, GREATER = 0x3e, SLASH = 0x2f, I = 0x69, S = 0x73;
  const LONGEST_NAME = 64;
  for (let at = end - 1; at >= start + 4; at--) {
    if (bytes[at] !== GREATER || bytes[at - 1] !== I || bytes[at - 2] !== S) continue;
    const least = Math.max(start, at - LONGEST_NAME);
    let open = at - 3;
    while (open > least && bytes[open] !== LESS) open--;
    if (bytes[open] === LESS && bytes[open + 1] === SLASH) return at + 1;
  }
  return -1;
}

function decodeUtf8(bytes: Uint8Array, part: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new LongshoreError("unreadable_file", `Cannot read "${part}": found bytes that are no UTF-8`, {
      cause,
    });
  }
}

function rootPrefix(xml: string, part: string): string {
  const root = /<([^\s<>:\/!?]{1,60}:)?sst[\s>]/.exec(xml);
  if (!root) {
    throw new LongshoreError("unreadable_file", `Cannot read "${part}": expected its root to be "sst"`);
  }
  return root[1] ?? "";
}

interface ItemsRange {
  bytes: Uint8Array;
  start: number;
  end: number;
  prefix: string | undefined;
  part: string;
}

/** Adds the items of a range that ends behind one; gives the prefix of the elements' names. */
function addItems(texts: Texts, { bytes, start, end, prefix, part }: ItemsRange): string {
  const itemsStart = prefix === undefined ? behindHead(bytes, start, end) : start;
  if ((prefix ?? "") === "" && itemsStart >= 0 && addUsualItems(texts, { bytes, start: itemsStart, end })) {
    return "";
  }
  const raw = decodeUtf8(bytes.subarray(start, end), part);
  refuseDoctype(raw, part);
  const xml = plainXml(raw);
  prefix ??= rootPrefix(xml, part);
  const found: string[] = [];
  forEachItem({ xml, prefix }, (itemStart, itemEnd, isSingleText) => {
    const raw = xml.slice(itemStart, itemEnd);
    found.push(isSingleText ? decodeXmlText(raw) : joinedRuns(raw));
  });
  texts.beginBlock();
  let textEnd = 0;
  for (const text of found) texts.addText(textEnd += text.length);
  texts.endBlock(found.join(""));
  return prefix;
}

/** Behind the tag that opens the root, where that is all there is before the first item; else -1. */
function behindHead(bytes: Uint8Array, start: number, end: number): number {
  const MOST_BYTES = 1024;
  const head = String.fromCharCode(...bytes.subarray(start, Math.min(end, start + MOST_BYTES)));
  const found = /^(?:\xef\xbb\xbf)?\s*(?:<\?xml[^<>]*\?>\s*)?<sst(?:\s[^<>]*)?>/.exec(head)?.[0];
  return found === undefined || found.endsWith("/>") ? -1 : start + found.length;
}

interface Items {
  xml: string;
  prefix: string;
}

/** Gives the range of each item's text, or of all its markup where it is more than one text. */
function forEachItem(
  { xml, prefix }: Items,
  visit: (start: number, end: number, isSingleText: boolean) => void,
): void {
  const opener = `<${prefix}si`;
  const closer = `</${prefix}si>`;
  const usualOpener = `<${prefix}si><${prefix}t>`;
  const usualCloser = `</${prefix}t></${prefix}si>`;
  const textOpener = `<${prefix}t`;
  const textCloser = `</${prefix}t>`;
  let at = 0;
  while (true) {
    if (xml.startsWith(usualOpener, at)) {
      const start = at + usualOpener.length;
      const end = xml.indexOf("<", start);
      if (xml.startsWith(usualCloser, end)) {
        visit(start, end, true);
        at = end + usualCloser.length;
        continue;
      }
    }
    const open = xml.indexOf(opener, at);
    const bodyStart = open < 0 ? 0 : xml.indexOf(">", open) + 1;
    if (bodyStart === 0) return;
    if (xml.charAt(bodyStart - 2) === "/") {
      visit(bodyStart, bodyStart, true);
      at = bodyStart;
      continue;
    }
    const bodyEnd = xml.indexOf(closer, bodyStart);
    if (bodyEnd < 0) return;
    const start = xml.indexOf(">", bodyStart) + 1;
    const end = bodyEnd - textCloser.length;
    const isSingleText = start <= end && xml.startsWith(textOpener, bodyStart) &&
      xml.charAt(start - 2) !== "/" &&
      xml.indexOf("<", start) === end && xml.startsWith(textCloser, end);
    if (isSingleText) visit(start, end, true);
    else visit(bodyStart, bodyEnd, false);
    at = bodyEnd + closer.length;
  }
}
