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
    while (await window.fill()) {
      const end = lastItemEnd(window);
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
  const LONGEST_PREFIX = 64;
  for (let at = end - 1; at >= start + 4; at--) {
    if (bytes[at] !== GREATER || bytes[at - 1] !== I || bytes[at - 2] !== S) continue;
    const open = bytes.lastIndexOf(LESS, at - 3);
    if (open >= Math.max(start, at - LONGEST_PREFIX) && bytes[open + 1] === SLASH) return at + 1;
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

function addItems(strings: SharedStrings, { xml, prefix }: Items): void {
  const opener = `<${prefix}si`;
  const closer = `</${prefix}si>`;
  const textOpener = `<${prefix}t`;
  const textCloser = `</${prefix}t>`;
  const isPlain = !/[&\r]|_x|<!/.test(xml);
  let at = 0;
  while (true) {
    const open = xml.indexOf(opener, at);
    if (open < 0) return;
    const bodyStart = xml.indexOf(">", open) + 1;
    if (bodyStart === 0) return;
    if (xml.charAt(bodyStart - 2) === "/") {
      strings.add("");
      at = bodyStart;
      continue;
    }
    const end = xml.indexOf(closer, bodyStart);
    if (end < 0) return;
    const textStart = xml.indexOf(">", bodyStart) + 1;
    const textEnd = end - textCloser.length;
    const isSingleText = textStart <= textEnd && xml.startsWith(textOpener, bodyStart) &&
      xml.indexOf("<", textStart) === textEnd && xml.startsWith(textCloser, textEnd);
    if (isSingleText) {
      const raw = xml.slice(textStart, textEnd);
      strings.add(isPlain ? raw : decodeXmlText(raw));
    } else {
      strings.add(joinedRuns(xml.slice(bodyStart, end)));
    }
    at = end + closer.length;
  }
}
