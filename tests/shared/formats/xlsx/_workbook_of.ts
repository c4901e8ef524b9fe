/** Workbooks made by hand, byte by byte, so that tests can give them forms that no program writes any more, or none should. */

import { deflateRawSync } from "node:zlib";
import { crc32 } from "../../../../shared/formats/xlsx/crc32.ts";

export interface ZipOptions {
  /** @default false */
  stored?: boolean;
  /** As zlib numbers it. @default as zlib chooses */
  strategy?: number;
  /** Sizes and positions in ZIP64 fields. @default false */
  zip64?: boolean;
  /** Sizes behind the data instead of before it. @default false */
  descriptors?: boolean;
  /** What the directory says of an entry's size. @default the truth */
  claimSize?: (size: number) => number;
}

export interface WorkbookParts {
  /** What stands between `<sheetData>` and its end. */
  rows?: string;
  /** The whole sheet instead. */
  sheet?: string;
  /** What stands in `<sst>`. */
  strings?: string;
  /** Number format codes, one for each cell style from 1 on; a number is the id of a built-in one. */
  formats?: (string | number)[];
  date1904?: boolean;
  /** Further parts, or others instead of the usual ones. */
  parts?: Record<string, string | Uint8Array>;
}

const MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"';
const OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

export function workbookOf(book: WorkbookParts, options: ZipOptions = {}): Uint8Array {
  const { rows = "", strings, formats = [], date1904 = false } = book;
  const relation = (id: number, type: string, target: string) =>
    `<Relationship Id="rId${id}" Type="${OFFICE}/${type}" Target="${target}"/>`;
  const custom = formats.map((code, i) =>
    typeof code === "string"
      ? `<numFmt numFmtId="${164 + i}" formatCode="${code.replaceAll('"', "&quot;")}"/>`
      : ""
  );
  const styles = ["General", ...formats].map((code, i) =>
    `<xf numFmtId="${i === 0 ? 0 : typeof code === "number" ? code : 163 + i}"/>`
  );
  const parts: Record<string, string | Uint8Array> = {
    "_rels/.rels": `<Relationships>${relation(1, "officeDocument", "xl/workbook.xml")}</Relationships>`,
    "xl/workbook.xml":
      `<workbook ${MAIN} xmlns:r="${OFFICE}"><workbookPr date1904="${date1904 ? 1 : 0}"/><sheets>` +
      '<sheet name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": `<Relationships>${relation(1, "worksheet", "worksheets/sheet1.xml")}${
      relation(2, "styles", "styles.xml")
    }${relation(3, "sharedStrings", "/xl/sharedStrings.xml")}</Relationships>`,
    "xl/styles.xml":
      `<styleSheet ${MAIN}><numFmts>${custom.join("")}</numFmts><cellStyleXfs><xf numFmtId="14"/>` +
      `</cellStyleXfs><cellXfs>${styles.join("")}</cellXfs></styleSheet>`,
    "xl/worksheets/sheet1.xml": book.sheet ?? `<worksheet ${MAIN}><sheetData>${rows}</sheetData></worksheet>`,
    ...(strings === undefined ? {} : { "xl/sharedStrings.xml": `<sst ${MAIN}>${strings}</sst>` }),
    ...book.parts,
  };
  return zipOf(parts, options);
}

export function zipOf(parts: Record<string, string | Uint8Array>, options: ZipOptions = {}): Uint8Array {
  const { stored = false, zip64 = false, descriptors = false, claimSize = (size) => size, strategy } =
    options;
  const FULL = 0xffffffff;
  const pieces: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  const put = (bytes: Uint8Array) => {
    pieces.push(bytes);
    offset += bytes.length;
  };
  for (const [name, text] of Object.entries(parts)) {
    const nameBytes = new TextEncoder().encode(name);
    const content = typeof text === "string" ? new TextEncoder().encode(text) : text;
    const data = stored ? content : new Uint8Array(
      deflateRawSync(content, strategy === undefined ? {} : { strategy, level: 1 }),
    );
    const crc = crc32(content);
    const size = claimSize(content.length);
    const start = offset;
    const method = stored ? 0 : 8;
    const flags = descriptors ? 8 : 0;
    const sizes = descriptors ? [0, 0, 0] : [crc, data.length, content.length];
    put(fields("422222", [0x04034b50, 20, flags, method, 0, 33]));
    put(fields("44422", [...sizes, nameBytes.length, 0]));
    put(nameBytes);
    put(data);
    if (descriptors) put(fields("4444", [0x08074b50, crc, data.length, content.length]));
    const extra = zip64 ? fields("22888", [1, 24, size, data.length, start]) : new Uint8Array(0);
    directory.push(
      fields("4222222", [0x02014b50, 20, 20, flags, method, 0, 33]),
      fields("444", [crc, zip64 ? FULL : data.length, zip64 ? FULL : size]),
      fields("2222244", [nameBytes.length, extra.length, 0, 0, 0, 0, zip64 ? FULL : start]),
      nameBytes,
      extra,
    );
  }
  const start = offset;
  directory.forEach(put);
  const bytes = offset - start;
  const count = Object.keys(parts).length;
  if (zip64) {
    const record = offset;
    put(fields("4822448888", [0x06064b50, 44, 45, 45, 0, 0, count, count, bytes, start]));
    put(fields("4484", [0x07064b50, 0, record, 1]));
  }
  const shown = zip64 ? [0xffff, 0xffff, FULL, FULL] : [count, count, bytes, start];
  put(fields("422", [0x06054b50, 0, 0]));
  put(fields("22442", [...shown, 0]));
  const all = new Uint8Array(offset);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** Little-endian numbers, their widths in bytes given as digits. */
function fields(widths: string, values: number[]): Uint8Array {
  const bytes: number[] = [];
  values.forEach((value, i) => {
    let rest = BigInt(value);
    for (let n = Number(widths[i]); n > 0; n--) {
      bytes.push(Number(rest & 255n));
      rest >>= 8n;
    }
  });
  return new Uint8Array(bytes);
}
