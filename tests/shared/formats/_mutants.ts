/**
 * Files that are damaged at random, the same for the same seed: workbooks of each kind and CSV, damaged in their bytes, in
 * the XML beneath an archive's checksums, or by text put where it does harm.
 */
import * as XLSX from "xlsx";
import { bytesSource } from "../../../shared/formats/bytes_source.ts";
import { readZipDirectory } from "../../../shared/formats/xlsx/read_zip_directory.ts";
import { readZipEntry } from "../../../shared/formats/xlsx/read_zip_entry.ts";
import { workbookOf, zipOf, type ZipOptions } from "./xlsx/_workbook_of.ts";

export interface Mutant {
  name: "csv" | "xlsx" | "xls" | "xlsb" | "ods";
  bytes: Uint8Array;
}

type Random = () => number;

const SAMPLES = { xls: sample("biff8"), xlsb: sample("xlsb"), ods: sample("ods") };
/** What lies beneath the checksums. */
const PARTS = new Map([["xlsb", await partsOf(SAMPLES.xlsb)], ["ods", await partsOf(SAMPLES.ods)]]);

export function mutant(seed: number): Mutant {
  const random = seeded(seed);
  const kind = seed % 10;
  if (kind < 5) return { name: "xlsx", bytes: mutantXlsx(random) };
  if (kind < 8) return { name: "csv", bytes: mutantCsv(random) };
  const name = (["xls", "xlsb", "ods"] as const)[below(3, random)]!;
  const damage = { random, times: 1 + below(8, random) };
  const parts = PARTS.get(name);
  if (!parts || below(5, random) === 0) return { name, bytes: damageBytes(SAMPLES[name].slice(), damage) };
  const names = Object.keys(parts).filter((part) =>
    /sheet1|sharedStrings|styles|workbook|content/.test(part)
  );
  const part = names[below(names.length, random)]!;
  return { name, bytes: zipOf({ ...parts, [part]: damageBytes(parts[part]!.slice(), damage) }) };
}

/**
 * A third are damaged in the archive, the others in the XML, where checksums would hide it; half of these in what cells
 * hold only, so that they are read to the end.
 */
function mutantXlsx(random: Random): Uint8Array {
  const container: ZipOptions = {
    stored: below(2, random) === 0,
    zip64: below(3, random) === 0,
    descriptors: below(3, random) === 0,
  };
  const xml = { rows: rowsXml(), strings: STRINGS, formats: [14, "[h]:mm"] };
  if (below(3, random) === 0) {
    return damageBytes(workbookOf(xml, container), { random, times: 1 + below(6, random) });
  }
  const part = below(3, random) === 0 ? "strings" : "rows";
  if (below(2, random) === 0) {
    xml[part] = damageValues(xml[part], { random, times: 1 + below(4, random) });
    return workbookOf(xml, container);
  }
  xml[part] = damageText(xml[part], { random, times: 1 + below(4, random), splinters: XML_SPLINTERS });
  return workbookOf(xml, container);
}

const STRINGS =
  "<si><t>one</t></si><si><r><t>two</t></r><rPh><t>x</t></rPh></si><si><t>&lt;3&gt;</t></si><si/>";

function rowsXml(): string {
  return Array.from(
    { length: 20 },
    (_, i) =>
      `<row r="${i + 1}"><c r="A${i + 1}" t="s"><v>${i % 4}</v></c><c r="B${i + 1}" s="1"><v>${
        i * 1.5
      }</v></c>` +
      `<c t="inlineStr"><is><t>é&amp;_x000D_${i}</t></is></c><c t="b"><v>1</v></c><c t="e"><v>#REF!</v></c></row>`,
  ).join("");
}

function mutantCsv(random: Random): Uint8Array {
  const delimiter = [",", ";", "\t", "|"][below(4, random)]!;
  const rows = Array.from(
    { length: 30 },
    (_, i) =>
      [`V-${i}`, i % 3 ? `note ${i}` : `"a ""b""${delimiter} c"`, `é${i}`, String(i * 1.5)].join(delimiter),
  );
  const text = damageText(rows.join(below(2, random) ? "\n" : "\r\n"), {
    random,
    times: below(8, random),
    splinters: [
      '"',
      '""',
      delimiter,
      "\r",
      "\n",
      "\0",
      "\ufeff",
      "sep=;\n",
      ",,,,",
      "x".repeat(3000),
      '"\n"',
      "=1+1",
    ],
  });
  const bytes = below(4, random) === 0 ? utf16(text) : new TextEncoder().encode(text);
  return below(2, random) ? bytes : damageBytes(bytes, { random, times: 1 + below(6, random) });
}

function utf16(text: string): Uint8Array {
  const bytes = new Uint8Array(2 * text.length);
  for (let i = 0; i < text.length; i++) new DataView(bytes.buffer).setUint16(2 * i, text.charCodeAt(i), true);
  return bytes;
}

function sample(bookType: "biff8" | "xlsb" | "ods"): Uint8Array {
  const rows = Array.from({ length: 30 }, (_, i) => [`V-${i}`, i * 1.5, i % 2 === 0, `é ${i % 4}`]);
  const workbook = XLSX.utils.book_new(XLSX.utils.aoa_to_sheet(rows), "Data");
  return new Uint8Array(XLSX.write(workbook, { type: "array", bookType, bookSST: true }));
}

async function partsOf(bytes: Uint8Array): Promise<Record<string, Uint8Array>> {
  const source = bytesSource(bytes);
  const parts: Record<string, Uint8Array> = {};
  for (const [name, entry] of (await readZipDirectory(source)).entries) {
    const content = new Blob(await Array.fromAsync(readZipEntry(source, entry)) as BlobPart[]);
    parts[name] = new Uint8Array(await content.arrayBuffer());
  }
  return parts;
}

interface Damage {
  random: Random;
  times: number;
}

function damageBytes(bytes: Uint8Array, { random, times }: Damage): Uint8Array {
  for (let i = 0; i < times; i++) {
    const at = below(bytes.length, random);
    const kind = random();
    if (kind < 0.6) bytes[at] = below(256, random);
    else if (kind < 0.75) bytes = bytes.slice(0, at);
    else {
      const rest = bytes.subarray(at + below(40, random));
      const shorter = new Uint8Array(at + rest.length);
      shorter.set(bytes.subarray(0, at));
      shorter.set(rest, at);
      bytes = shorter;
    }
  }
  return bytes;
}

const XML_SPLINTERS = [
  "<",
  ">",
  "</",
  "/>",
  '"',
  "<row>",
  "</row>",
  "<c>",
  "</c>",
  "<v>",
  "</v>",
  "<!--",
  "<![CDATA[",
  "]]>",
  "&#x110000;",
  "&#0;",
  "&#xD800;",
  "_x0000_",
  "_xDC00_",
  "&amp",
  "<!DOCTYPE",
  "99999999999",
  "1e400",
  "XFE1",
  "\u0000",
  "t=",
  "<?",
  "<si>",
  "</si>",
  "<t>",
  "x:",
  ' hidden="1"',
  '<cols><col min="1" max="99999" hidden="1"/></cols>',
];

function damageText(
  text: string,
  { random, times, splinters }: Damage & { splinters: readonly string[] },
): string {
  for (let i = 0; i < times; i++) {
    const at = below(text.length, random);
    const splinter = splinters[below(splinters.length, random)]!;
    const removed = random() < 0.5 ? 0 : below(30, random);
    text = text.slice(0, at) + splinter + text.slice(at + removed);
  }
  return text;
}

const VALUE_SPLINTERS = [
  "&#0;",
  "_x0000_",
  "_xD800_",
  "&#xDC00;",
  "1e400",
  "-",
  "99999999999",
  "2958466",
  "NaN",
  "😀",
  "\u202e",
  "\ufeff",
  "&lt;/t&gt;",
  "<!-- </si> -->",
  "<![CDATA[</t>]]>",
  "\\",
  "\t",
  "x".repeat(70_000),
];

/** Puts splinters at the start of texts and values. */
function damageValues(xml: string, { random, times }: Damage): string {
  const pieces = xml.split(/(?<=<[tv]>)/);
  for (let i = 0; i < times; i++) {
    const at = 1 + below(pieces.length - 1, random);
    pieces[at] = VALUE_SPLINTERS[below(VALUE_SPLINTERS.length, random)]! + pieces[at];
  }
  return pieces.join("");
}

function below(limit: number, random: Random): number {
  return Math.floor(random() * limit);
}

function seeded(seed: number): Random {
  let state = Math.imul(seed, 2_654_435_761) >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
