/**
 * Refuses an archive that is not safe to be inflated whole and taken apart by SheetJS: entries that lie about their sizes,
 * content that would grow too far, and repeated cells of an OpenDocument sheet, of which a few bytes can make millions.
 */
import { LongshoreError } from "../../errors.ts";
import type { ByteSource } from "../reader.ts";
import { readRelationships } from "../xlsx/read_workbook.ts";
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
  const isOther = kind === "xlsb" ? await otherParts(source, directory) : () => false;
  for (const entry of entries) {
    const content = await contentOf(source, entry);
    const name = normalName(entry.name);
    if (kind === "xlsb") {
      if (name.endsWith(".bin") && !isOther(name)) refuseDamagedRecords(content, entry.name);
    } else if (name === "meta-inf/manifest.xml") {
      refuseEncrypted(new TextDecoder().decode(content));
    } else if (name === "content.xml") {
      refuseManyCells(new TextDecoder().decode(content));
    }
  }
}

/** Which parts hold something else than records: macros, settings of printers. Not where the workbook names them as sheets. */
async function otherParts(source: ByteSource, directory: ZipDirectory): Promise<(name: string) => boolean> {
  const parts = await readRelationships(source, directory, { of: "xl/workbook.bin" });
  const sheets = parts.filter(({ type }) => /sheet$/i.test(type)).map(({ target }) => normalName(target));
  if (sheets.some((name) => !name.endsWith(".bin"))) {
    throw new LongshoreError(
      "unreadable_file",
      "Cannot open the .xlsb workbook: found a sheet of another kind, so the file is damaged: save it as .xlsx and try again",
    );
  }
  const OTHER = /(?:^|\/)(?:vbaproject|printersettings\d*|customproperty\d*|activex\d*|oleobject\d*)\.bin$/;
  return (name) => OTHER.test(name) && !sheets.includes(name);
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
const ROW = /^(?:table-row|行)$/;
const CELL = /^(?:(?:covered-)?table-cell|数据)$/;
const REPEATED = /-repeated\s*=\s*["']([^"'<]{0,40})/g;

/** An empty cell takes nothing, however often it is repeated: programs write them to the end of a sheet. */
function refuseManyCells(xml: string): void {
  if (/<!(?:DOCTYPE|ENTITY)/i.test(xml)) {
    throw new LongshoreError(
      "unsafe_file",
      'Cannot read "content.xml": found a document type, expected none',
    );
  }
  let cells = 0;
  let rows = 1;
  for (let at = xml.indexOf("<"); at >= 0;) {
    const next = xml.indexOf("<", at + 1);
    const tag = xml.slice(at + 1, next < 0 ? xml.length : next);
    at = next;
    const name = /^(?:[^\s<>\/:]*:)?([^\s<>\/:_]{1,40})/.exec(tag)?.[1] ?? "";
    if (!ROW.test(name) && !CELL.test(name)) continue;
    if (tag.split('"').length % 2 === 0) {
      throw new LongshoreError(
        "unreadable_file",
        'Cannot read "content.xml": found "<" within an attribute, so the file is damaged',
      );
    }
    const times = Math.max(1, ...[...tag.matchAll(REPEATED)].map(([, count = ""]) => numberOf(count)));
    if (ROW.test(name)) rows = times;
    else if (!/\/>\s*$/.test(tag) || tag.includes("value-type") || tag.includes("数据类型")) {
      cells += rows * times;
    }
    if (cells > MAX_CELLS) {
      throw new LongshoreError(
        "unsafe_file",
        `Cannot read the .ods workbook: found more than ${MAX_CELLS} cells, expected fewer: save it as .xlsx and try again`,
      );
    }
  }
}

/** Numbers are written in more than one way, and SheetJS takes what either of JavaScript's two ways makes of them. */
function numberOf(text: string): number {
  return Math.max(Number(text) || 0, parseInt(text, 10) || 0);
}
