/**
 * Refuses an archive that is not safe to be inflated whole and taken apart by SheetJS: entries that lie about their sizes,
 * content that would grow too far, and repeated cells of an OpenDocument sheet, of which a few bytes can make millions.
 */
import { LongshoreError } from "../../errors.ts";
import type { ByteSource } from "../reader.ts";
import { readRelationships } from "../xlsx/read_workbook.ts";
import { readXmlPart } from "../xlsx/read_xml_part.ts";
import {
  normalName,
  readZipDirectory,
  type ZipDirectory,
  type ZipEntry,
} from "../xlsx/read_zip_directory.ts";
import { readZipEntry } from "../xlsx/read_zip_entry.ts";
import type { LegacyKind } from "./legacy_kind.ts";
import { refuseDamagedRecords } from "./refuse_damaged_records.ts";

/** Inflated, in all. Measured: 0.9 s of CPU for an .ods of that size. */
const MAX_INFLATED_BYTES: Record<Exclude<LegacyKind, "xls">, number> = {
  xlsb: 40 * 1024 * 1024,
  ods: 40 * 1024 * 1024,
};
const MAX_CELLS = 1_000_000;

export async function refuseUnsafeZip(source: ByteSource, kind: Exclude<LegacyKind, "xls">): Promise<void> {
  const directory = await readZipDirectory(source);
  const entries = [...directory.entries.values()];
  const inflated = entries.reduce((sum, entry) => sum + entry.size, 0);
  if (inflated > MAX_INFLATED_BYTES[kind]) {
    throw new LongshoreError(
      "file_too_large",
      `Cannot read the .${kind} workbook: its content takes ${inflated} bytes, expected at most ` +
        `${MAX_INFLATED_BYTES[kind]}: save it as .xlsx and try again`,
      { details: { bytes: inflated, limit: MAX_INFLATED_BYTES[kind] } },
    );
  }
  // Each is held to what it says before anybody trusts it.
  const hasRecords = kind === "xlsb" ? await recordParts(source, directory) : () => false;
  for (const entry of entries) {
    const content = await contentOf(source, entry);
    const name = normalName(entry.name);
    if (kind === "xlsb") {
      if (hasRecords(name)) refuseDamagedRecords(content, entry.name);
    } else if (name === "meta-inf/manifest.xml") {
      refuseEncrypted(new TextDecoder().decode(content));
    } else if (name === "content.xml") {
      refuseManyCells(new TextDecoder().decode(content));
    }
  }
}

/**
 * Which parts hold records: those that usually do, and those that the workbook or the archive's list of types says do. Others
 * hold macros, their signatures, settings of printers.
 */
async function recordParts(source: ByteSource, directory: ZipDirectory): Promise<(name: string) => boolean> {
  const USUAL =
    /^xl\/(?:workbook|styles|sharedstrings|metadata|comments\d*|(?:worksheets|externallinks)\/[^/]+)\.bin$/;
  const RECORDS = /sheet|strings|styles|comments|externallink|metadata/i;
  const declared = new Set<string>();
  for (const { type, target } of await readRelationships(source, directory, { of: "xl/workbook.bin" })) {
    if (!RECORDS.test(type)) continue;
    declared.add(normalName(target));
    if (/sheet$/i.test(type) && !/\.bin$/i.test(target)) {
      throw new LongshoreError(
        "unreadable_file",
        "Cannot open the .xlsb workbook: found a sheet of another kind, so the file is damaged: save it as .xlsx and try again",
      );
    }
  }
  const types = directory.find("[Content_Types].xml");
  for (const { name, attributes } of types ? await readXmlPart(source, types) : []) {
    if (name !== "Override" || !RECORDS.test(attributes.get("ContentType") ?? "")) continue;
    declared.add(normalName(attributes.get("PartName") ?? ""));
  }
  return (name) => name.endsWith(".bin") && (USUAL.test(name) || declared.has(name));
}

async function contentOf(source: ByteSource, entry: ZipEntry): Promise<Uint8Array> {
  const content = new Uint8Array(entry.size);
  let end = 0;
  for await (const chunk of readZipEntry(source, entry)) {
    content.set(chunk, end);
    end += chunk.length;
  }
  return content;
}

function refuseEncrypted(manifest: string): void {
  if (!manifest.includes("encryption-data")) return;
  throw new LongshoreError(
    "encrypted_file",
    "Cannot open the workbook: it is protected by a password, expected none: save it without and try again",
  );
}

/** As SheetJS reads them: whatever the prefix of the names, and rows and cells by their Chinese names, too. */
const NAME = /(?:[^\s<>\/:"']*:)?(table-row|行|(?:covered-)?table-cell|数据)(?=[\s\/>_])/y;
const REPEATED = /-repeated\s*=\s*"([^"]{0,40})/g;

/** An empty cell takes nothing, however often it is repeated: programs write them to the end of a sheet. */
function refuseManyCells(content: string): void {
  if (/<!(?:DOCTYPE|ENTITY)/i.test(content)) {
    throw new LongshoreError(
      "unsafe_file",
      'Cannot read "content.xml": found a document type, expected none',
    );
  }
  const xml = content.replace(/<!--[^]*?(?:-->|$)/g, "");
  let cells = 0;
  let rows = 1;
  for (let at = xml.indexOf("<"); at >= 0; at = xml.indexOf("<", at + 1)) {
    NAME.lastIndex = at + 1;
    const name = NAME.exec(xml)?.[1];
    if (name === undefined) continue;
    const tag = tagAt(xml, at);
    let times = 1;
    for (const [, count = ""] of tag.matchAll(REPEATED)) times = Math.max(times, numberOf(count));
    if (name === "table-row" || name === "行") rows = times;
    else if (!tag.endsWith("/") || /value-type|数据类型/.test(tag)) cells += rows * times;
    if (cells > MAX_CELLS) {
      throw new LongshoreError(
        "unsafe_file",
        `Cannot read the .ods workbook: found more than ${MAX_CELLS} cells, expected fewer: save it as .xlsx and try again`,
      );
    }
  }
}

/** What stands between `<` and `>`. Only what SheetJS reads as a tag will do: it leaves cells in any other form out. */
function tagAt(xml: string, start: number): string {
  let isQuoted = false;
  for (let at = start + 1; at < xml.length; at++) {
    const char = xml[at];
    if (char === '"') isQuoted = !isQuoted;
    else if (char === "<" || char === "'" && !isQuoted) break;
    else if (char === ">" && !isQuoted) return xml.slice(start + 1, at);
  }
  throw new LongshoreError(
    "unreadable_file",
    "Cannot read the .ods workbook: found a cell in a form that cannot be read, such as with attributes in single " +
      "quotes: open it in a spreadsheet, save it anew and try again",
  );
}

/** Numbers are written in more than one way, and SheetJS takes what either of JavaScript's two ways makes of them. */
function numberOf(text: string): number {
  return Math.max(Number(text) || 0, parseInt(text, 10) || 0);
}
