/**
 * A small XML part of a workbook (relationships, sheet list, styles) as its tags, once and in order. Not for sheets and shared
 * strings, which are streamed. Knows no namespaces: names come without their prefix, whatever it is.
 */

import { LongshoreError } from "../../errors.ts";
import type { ByteSource } from "../reader.ts";
import { decodeXml } from "./decode_xml_text.ts";
import type { ZipEntry } from "./read_zip_directory.ts";
import { type ReadMeter, readZipEntry } from "./read_zip_entry.ts";

export interface XmlTag {
  /** Without its prefix; with a leading `/` where an element ends. */
  name: string;
  /** Names without their prefix too, so `r:id` is `id`. */
  attributes: Map<string, string>;
  selfClosing: boolean;
}

const MAX_PART_BYTES = 16 * 1024 * 1024;

export async function readXmlPart(
  source: ByteSource,
  entry: ZipEntry,
  options: { meter?: ReadMeter } = {},
): Promise<Iterable<XmlTag>> {
  if (entry.size > MAX_PART_BYTES) {
    throw new LongshoreError(
      "unsafe_file",
      `Cannot read "${entry.name}": found ${entry.size} bytes, expected at most ${MAX_PART_BYTES}`,
    );
  }
  const bytes = new Uint8Array(entry.size);
  let end = 0;
  for await (const chunk of readZipEntry(source, entry, options)) {
    bytes.set(chunk, end);
    end += chunk.byteLength;
  }
  const xml = decode(bytes);
  refuseDoctype(xml, entry.name);
  return parseTags(xml);
}

/** A document type can define entities that grow without limit or name other files; workbooks never have one. */
export function refuseDoctype(xml: string, part: string): void {
  // The rare character first: an expression that starts with "<" would stop at every tag.
  if (!xml.includes("!") || !/<!(?:DOCTYPE|ENTITY)/i.test(xml)) return;
  throw new LongshoreError("unsafe_file", `Cannot read "${part}": found a document type, expected none`);
}

function decode(bytes: Uint8Array): string {
  const isUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  const encoding = !isUtf16 ? "utf-8" : bytes[0] === 0xff ? "utf-16le" : "utf-16be";
  return new TextDecoder(encoding).decode(bytes);
}

/** One pass by hand: regular expressions would take quadratic time on XML made to that end. */
function* parseTags(xml: string): Generator<XmlTag> {
  let at = xml.indexOf("<");
  while (at >= 0) {
    const close = tagEnd(xml, at);
    if (close < 0) return;
    const mark = xml[at + 1];
    if (mark !== "!" && mark !== "?") yield parseTag(xml.slice(at + 1, close));
    at = xml.indexOf("<", close);
  }
}

/** Where the `>` of the tag, comment or instruction that starts at `at` is; -1 if it is left open. */
function tagEnd(xml: string, at: number): number {
  for (const [opener, closer] of [["<!--", "-->"], ["<![CDATA[", "]]>"], ["<?", "?>"]] as const) {
    if (!xml.startsWith(opener, at)) continue;
    const close = xml.indexOf(closer, at + opener.length);
    return close < 0 ? -1 : close + closer.length - 1;
  }
  let quote = "";
  for (let i = at + 1; i < xml.length; i++) {
    const char = xml[i];
    if (quote) {
      if (char === quote) quote = "";
    } else if (char === ">") return i;
    else if (char === '"' || char === "'") quote = char;
  }
  return -1;
}

function parseTag(text: string): XmlTag {
  const selfClosing = text.endsWith("/");
  const nameEnd = text.search(/[\s\/]/);
  const isEnd = text.startsWith("/");
  const name = isEnd ? text.slice(1).trim() : nameEnd < 0 ? text : text.slice(0, nameEnd);
  return {
    name: `${isEnd ? "/" : ""}${localName(name)}`,
    attributes: isEnd || nameEnd < 0 ? new Map() : parseAttributes(text.slice(nameEnd)),
    selfClosing,
  };
}

function parseAttributes(text: string): Map<string, string> {
  const attributes = new Map<string, string>();
  let at = 0;
  while (true) {
    const equals = text.indexOf("=", at);
    if (equals < 0) return attributes;
    const name = localName(text.slice(at, equals).trim());
    let open = equals + 1;
    while (open < text.length && text.charCodeAt(open) <= 0x20) open++;
    const close = text.indexOf(text.charAt(open) === "'" ? "'" : '"', open + 1);
    if (close < 0) return attributes;
    attributes.set(name, decodeXml(text.slice(open + 1, close)));
    at = close + 1;
  }
}

function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}
