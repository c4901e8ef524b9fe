/** For each cell style of a workbook, by its index, whether its number format shows a date or time. */

import type { ByteSource } from "../reader.ts";
import { type DateFormatKind, dateFormatKind, dateFormatKindOfId } from "./date_format_kind.ts";
import { readXmlPart } from "./read_xml_part.ts";
import type { ZipEntry } from "./read_zip_directory.ts";
import type { ReadMeter } from "./read_zip_entry.ts";

export async function readStyles(
  source: ByteSource,
  entry: ZipEntry,
  options: { meter?: ReadMeter } = {},
): Promise<DateFormatKind[]> {
  const formats = new Map<string, DateFormatKind>();
  const kinds: DateFormatKind[] = [];
  let inCellFormats = false;
  for (const { name, attributes, selfClosing } of await readXmlPart(source, entry, options)) {
    if (name === "numFmt") {
      formats.set(attributes.get("numFmtId") ?? "", dateFormatKind(attributes.get("formatCode") ?? ""));
    } else if (name === "cellXfs") inCellFormats = !selfClosing;
    else if (name === "/cellXfs") inCellFormats = false;
    else if (name === "xf" && inCellFormats) {
      const id = attributes.get("numFmtId") ?? "0";
      kinds.push(formats.get(id) ?? dateFormatKindOfId(Number(id)));
    }
  }
  return kinds;
}
