/**
 * The shared strings of a workbook, streamed in. The runs of rich text are joined; phonetic runs, which only say
 * how to pronounce a text, are left out.
 */

import { LongshoreError } from "../../errors.ts";
import type { ByteSource } from "../reader.ts";
import { ByteWindow } from "./byte_window.ts";
import { decodeXmlText } from "./decode_xml_text.ts";
import { joinedRuns } from "./joined_runs.ts";
import { refuseDoctype } from "./read_xml_part.ts";
import type { ZipEntry } from "./read_zip_directory.ts";
import { type ReadMeter, readZipEntry } from "./read_zip_entry.ts";
import { SharedStrings } from "./shared_strings.ts";

export async function readSharedStrings(
  source: ByteSource,
  entry: ZipEntry,
  options: { meter?: ReadMeter } = {},
): Promise<SharedStrings> {
  const window = new ByteWindow(readZipEntry(source, entry, options));
  const strings = new SharedStrings();
  let prefix: string | undefined;
  try {
    for (let isOpen = true; isOpen;) {
      isOpen = await window.fill();
      const end = isOpen ? lastItemEnd(window) : window.end;
      if (end < 0) continue;
      const xml = decodeUtf8(window.bytes.subarray(window.start, end), entry.name);
      refuseDoctype(xml, entry.name);
      prefix ??= rootPrefix(xml, entry.name);
      addItems(strings, { xml, prefix });
      window.start = end;
    }
  } finally {
    await window.close();
  }
  return strings;
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
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
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

interface Items {
  xml: string;
  prefix: string;
}

/** Where the XML shows all texts as they are, it serves as their block; else they are decoded into one of their own. */
function addItems(strings: SharedStrings, items: Items): void {
  const { xml } = items;
  const needsDecoding = ["&", "\r", "_x", "<!"].some((mark) => xml.includes(mark));
  if (!needsDecoding) {
    let isAsShown = true;
    strings.addBlock(xml);
    forEachItem(items, (start, end, isSingleText) => {
      strings.addText(start, end);
      isAsShown &&= isSingleText;
    });
    if (isAsShown) return;
    strings.dropBlock();
  }
  const texts: string[] = [];
  forEachItem(items, (start, end, isSingleText) => {
    const raw = xml.slice(start, end);
    texts.push(isSingleText ? decodeXmlText(raw) : joinedRuns(raw));
  });
  strings.addBlock(texts.join(""));
  let end = 0;
  for (const text of texts) strings.addText(end, end += text.length);
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
