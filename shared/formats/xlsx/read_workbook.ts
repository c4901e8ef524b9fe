/**
 * What a workbook consists of: its worksheets in order, which of them are hidden, its epoch, and where the parts
 * for sheets, styles and shared strings lie. Follows the relationships, as part names are free to choose.
 */

import { LongshoreError } from "../../errors.ts";
import type { ByteSource } from "../reader.ts";
import { storableText } from "../../text/storable_text.ts";
import { readXmlPart } from "./read_xml_part.ts";
import type { ZipDirectory, ZipEntry } from "./read_zip_directory.ts";
import type { ReadMeter } from "./read_zip_entry.ts";

export interface Worksheet {
  name: string;
  hidden: boolean;
  entry: ZipEntry;
}

export interface Workbook {
  sheets: Worksheet[];
  /** Days count from 1904-01-01 instead of 1900-01-00. */
  is1904: boolean;
  styles: ZipEntry | undefined;
  sharedStrings: ZipEntry | undefined;
}

export interface Relationship {
  id: string;
  /** The last word of its type, such as `worksheet`: the part before differs between the format's two editions. */
  type: string;
  /** Path of a part, from the root. */
  target: string;
}

const SAVE_AS_XLSX = "expected an .xlsx workbook: save it as .xlsx and try again";

export async function readWorkbook(
  source: ByteSource,
  directory: ZipDirectory,
  options: { meter?: ReadMeter } = {},
): Promise<Workbook> {
  const relationships = (of: string) => readRelationships(source, directory, { ...options, of });
  const root = (await relationships("")).find((each) => each.type === "officeDocument");
  const path = root?.target ?? "xl/workbook.xml";
  const entry = findPart(directory, path);
  if (!entry || !path.toLowerCase().endsWith(".xml") || path.toLowerCase().startsWith("word/")) {
    throw notAWorkbook(directory, path);
  }
  const [tags, parts] = await Promise.all([readXmlPart(source, entry, options), relationships(path)]);
  const partsById = new Map(parts.map((each) => [each.id, each]));
  const partOf = (type: string) =>
    findPart(directory, parts.find((each) => each.type === type)?.target ?? "");
  const sheets: Worksheet[] = [];
  let is1904 = false;
  for (const { name, attributes } of tags) {
    // Extensions at the end have an element of that name again.
    if (name === "workbookPr") is1904 ||= ["1", "true", "on"].includes(attributes.get("date1904") ?? "");
    if (name !== "sheet") continue;
    const part = partsById.get(attributes.get("id") ?? "");
    if (part?.type !== "worksheet") continue;
    const sheetName = storableText(attributes.get("name") ?? "");
    const sheetEntry = findPart(directory, part.target);
    if (!sheetEntry) {
      throw new LongshoreError(
        "unreadable_file",
        `Cannot open the workbook: the sheet "${sheetName}" is missing in it`,
      );
    }
    const state = attributes.get("state") ?? "visible";
    sheets.push({ name: sheetName, hidden: state !== "visible", entry: sheetEntry });
  }
  return { sheets, is1904, styles: partOf("styles"), sharedStrings: partOf("sharedStrings") };
}

/** Which parts a part refers to; those outside the archive are left out. */
export async function readRelationships(
  source: ByteSource,
  directory: ZipDirectory,
  options: { meter?: ReadMeter; of: string },
): Promise<Relationship[]> {
  const slash = options.of.lastIndexOf("/");
  const folder = options.of.slice(0, slash + 1);
  const entry = directory.find(`${folder}_rels/${options.of.slice(slash + 1)}.rels`);
  if (!entry) return [];
  const found: Relationship[] = [];
  for (const { name, attributes } of await readXmlPart(source, entry, options)) {
    const target = attributes.get("Target");
    if (name !== "Relationship" || target === undefined || attributes.get("TargetMode") === "External") {
      continue;
    }
    const type = attributes.get("Type") ?? "";
    found.push({
      id: attributes.get("Id") ?? "",
      type: type.slice(type.lastIndexOf("/") + 1),
      target: resolvePath(folder, target),
    });
  }
  return found;
}

/** Targets are URIs: what is written `%20` in one is a blank in the entry's name, if the program that made it cared. */
function findPart(directory: ZipDirectory, target: string): ZipEntry | undefined {
  const found = directory.find(target);
  if (found || !target.includes("%")) return found;
  try {
    return directory.find(decodeURIComponent(target));
  } catch {
    return undefined;
  }
}

function resolvePath(folder: string, target: string): string {
  if (target.startsWith("/")) return target.slice(1);
  const path: string[] = [];
  for (const step of `${folder}${target}`.split("/")) {
    if (step === "..") path.pop();
    else if (step !== "" && step !== ".") path.push(step);
  }
  return path.join("/");
}

function notAWorkbook(directory: ZipDirectory, path: string): LongshoreError {
  const names = [...directory.entries.keys()].map((name) => name.toLowerCase());
  const has = (test: (name: string) => boolean) => names.some(test);
  if (directory.find("EncryptedPackage") || directory.find("EncryptionInfo")) {
    return new LongshoreError("encrypted_file", "Cannot open the workbook: it is protected by a password");
  }
  const found = has((name) => name.endsWith("workbook.bin"))
    ? "a binary workbook (.xlsb)"
    : has((name) => name === "content.xml")
    ? "an OpenDocument file"
    : has((name) => name.startsWith("word/"))
    ? "a Word document"
    : has((name) => name.startsWith("ppt/"))
    ? "a presentation"
    : undefined;
  if (found) {
    return new LongshoreError("unsupported_format", `Cannot open the file: found ${found}, ${SAVE_AS_XLSX}`);
  }
  if (has((name) => name === "[content_types].xml")) {
    return new LongshoreError("unreadable_file", `Cannot open the workbook: its part "${path}" is missing`);
  }
  return new LongshoreError(
    "unsupported_format",
    `Cannot open the file: found a zip archive, ${SAVE_AS_XLSX}`,
  );
}
