import { assert, assertEquals, assertRejects } from "@std/assert";
import * as XLSX from "xlsx";
import { LongshoreError } from "../../../../shared/errors.ts";
import { bytesSource } from "../../../../shared/formats/bytes_source.ts";
import { type Cell, DateCell, ErrorCell } from "../../../../shared/formats/reader.ts";
import {
  type LegacyCursor,
  type LegacyKind,
  legacyKind,
  openLegacy,
  type OpenLegacyOptions,
} from "../../../../shared/formats/sheetjs/mod.ts";
import { readZipDirectory } from "../../../../shared/formats/xlsx/read_zip_directory.ts";
import { readZipEntry } from "../../../../shared/formats/xlsx/read_zip_entry.ts";
import { zipOf } from "../xlsx/_workbook_of.ts";

const BOOK_TYPES: Record<LegacyKind, XLSX.BookType> = { xls: "biff8", xlsb: "xlsb", ods: "ods" };
const KINDS: LegacyKind[] = ["xls", "xlsb", "ods"];

for (const kind of KINDS) {
  Deno.test(`openLegacy() reads every type of cell of .${kind}`, async () => {
    const bytes = write(kind);
    assertEquals(await legacyKind(bytesSource(bytes)), kind);
    const { rows, rowNumbers } = await readAll(bytes, { kind });
    assertEquals(rowNumbers, [1, 2, 4]);
    assertEquals(rows[0], ["Tag", "Größe", "日本語 😀"]);
    assertEquals(rows[1]?.slice(0, 3), [1.5, true, "=1+1"]);
    assertEquals(rows[1]?.[3], new DateCell("2025-12-31"));
    assertEquals(rows[2]?.[0], "after a gap");
    if (kind !== "ods") assertEquals(rows[2]?.[1], new ErrorCell("#N/A"));
  });

  Deno.test(`openLegacy() goes on after every batch of .${kind}`, async () => {
    const bytes = write(kind);
    const whole = await readAll(bytes, { kind });
    const rows: Cell[][] = [];
    let cursor: LegacyCursor | undefined;
    while (true) {
      const reader = await openLegacy(bytesSource(bytes), { kind, rowsPerBatch: 1, cursor });
      const { value } = await reader.batches().next();
      if (!value) break;
      rows.push(...value.rows);
      cursor = JSON.parse(JSON.stringify(value.cursor));
    }
    assertEquals(rows, whole.rows);
  });

  Deno.test(`openLegacy() takes the first visible sheet of .${kind}, or the one that is named`, async () => {
    const bytes = write(kind);
    const reader = await openLegacy(bytesSource(bytes), { kind });
    assertEquals([reader.info.sheet, reader.info.sheets], ["Data", ["Data", "More"]]);
    assertEquals((await readAll(bytes, { kind, sheet: "more" })).rows, [["more"]]);
    await refuses(bytes, { kind, sheet: "Nore" }, "unknown_sheet");
  });

  Deno.test(`openLegacy() refuses .${kind} that is cut off or too large`, async () => {
    const bytes = write(kind);
    await refuses(bytes.slice(0, bytes.length / 3), { kind }, "unreadable_file");
    await refuses(new Uint8Array(7_000_000), { kind }, "file_too_large");
  });
}

Deno.test("openLegacy() leaves hidden rows and columns out, unless it is told to read them", async () => {
  const sheet = XLSX.utils.aoa_to_sheet([["A", "B"], ["hidden", 1], ["shown", 2]]);
  sheet["!rows"] = [{}, { hidden: true }];
  sheet["!cols"] = [{}, { hidden: true }];
  const workbook = XLSX.utils.book_new(sheet, "Data");
  const bytes = new Uint8Array(XLSX.write(workbook, { type: "array", bookType: "xlsb", cellStyles: true }));
  assertEquals((await readAll(bytes, { kind: "xlsb" })).rows, [["A"], ["shown"]]);
  assertEquals((await readAll(bytes, { kind: "xlsb", withHidden: true })).rows.length, 3);
});

const CONTENT = (cells: string) =>
  `<office:document-content><office:body><office:spreadsheet><table:table table:name="Data">${cells}` +
  "</table:table></office:spreadsheet></office:body></office:document-content>";
const HARMFUL: { name: string; parts: Record<string, string>; code: string }[] = [
  {
    name: "a cell that is repeated a milliard times",
    parts: {
      "content.xml": CONTENT(
        '<table:table-row table:number-rows-repeated="1048576"><table:table-cell ' +
          'office:value-type="float" office:value="1" table:number-columns-repeated="1024"/></table:table-row>',
      ),
    },
    code: "unsafe_file",
  },
  {
    name: "repeated cells without a type",
    parts: {
      "content.xml": CONTENT(
        '<table:table-row><table:table-cell table:number-columns-repeated="1000001"><text:p>x</text:p></table:table-cell>' +
          "</table:table-row>",
      ),
    },
    code: "unsafe_file",
  },
  {
    name: "repeated rows by another prefix and another way to write a number",
    parts: {
      "content.xml": CONTENT(
        '<t:table-row t:number-rows-repeated="2e6"><t:table-cell o:value-type="float" o:value="1"/></t:table-row>',
      ),
    },
    code: "unsafe_file",
  },
  {
    name: "repeated cells in a part whose name is written otherwise",
    parts: {
      "/Content.XML": CONTENT(
        '<table:table-row table:number-rows-repeated="2000000"><table:table-cell office:value-type="float" ' +
          'office:value="1"/></table:table-row>',
      ),
    },
    code: "unsafe_file",
  },
  {
    name: "repeated cells behind a tag within an attribute",
    parts: {
      "content.xml": CONTENT(
        '<table:table-row><table:table-cell x="<" table:number-columns-repeated="2000000"><text:p>x</text:p>' +
          "</table:table-cell></table:table-row>",
      ),
    },
    code: "unreadable_file",
  },
  {
    name: "attributes in single quotes, which would lose the cell",
    parts: {
      "content.xml": CONTENT(
        `<table:table-row><table:table-cell office:value-type="string" office:string-value='2" x 3" tee'><text:p>x</text:p>` +
          "</table:table-cell></table:table-row>",
      ),
    },
    code: "unreadable_file",
  },
  {
    name: "repeated cells whose name is put together of two",
    parts: {
      "content.xml": CONTENT(
        '<table:table-row><table:table<!-- -->-cell table:number-columns-repeated="2000000"><text:p>x</text:p>' +
          "</table:table-cell></table:table-row>",
      ),
    },
    code: "unsafe_file",
  },
  {
    name: "a password that is told of elsewhere",
    parts: { "content.xml": "x", "meta-inf\\manifest.xml": "<manifest:encryption-data/>" },
    code: "encrypted_file",
  },
  {
    name: "content that grows",
    parts: { "content.xml": CONTENT(" ".repeat(45_000_000)) },
    code: "file_too_large",
  },
  {
    name: "entities",
    parts: { "content.xml": `<!DOCTYPE x [<!ENTITY a "aaaa">]>${CONTENT("")}` },
    code: "unsafe_file",
  },
  {
    name: "a password",
    parts: { "content.xml": "x", "META-INF/manifest.xml": "<manifest:encryption-data/>" },
    code: "encrypted_file",
  },
];
for (const { name, parts, code } of HARMFUL) {
  Deno.test(`openLegacy() refuses .ods with ${name} as ${code}`, async () => {
    const manifest = Object.keys(parts).some((part) => part.startsWith("meta"))
      ? {}
      : { "META-INF/manifest.xml": "<manifest/>" };
    const bytes = zipOf({ ...manifest, ...parts });
    assertEquals(await legacyKind(bytesSource(bytes)), "ods");
    await refuses(bytes, { kind: "ods" }, code);
  });
}

Deno.test("openLegacy() passes over the empty cells to which programs fill a sheet of .ods", async () => {
  const content = CONTENT(
    '<table:table-row><table:table-cell office:value-type="string"><text:p>a > b</text:p></table:table-cell>' +
      '<table:table-cell table:number-columns-repeated="16383"/></table:table-row>\n' +
      '<table:table-row table:number-rows-repeated="1048575"><table:table-cell table:number-columns-repeated="16384"/>\n' +
      "</table:table-row>",
  );
  const styles = "<office:document-styles></office:document-styles>";
  const bytes = zipOf({
    "META-INF/manifest.xml": "<manifest/>",
    "styles.xml": styles,
    "content.xml": content,
  });
  assertEquals((await readAll(bytes, { kind: "ods" })).rows, [["a > b"]]);
});

Deno.test("openLegacy() looks through content of .ods in time that grows with its size only", async () => {
  const content = CONTENT(
    "<table:table-cell ".repeat(400_000) +
      `<table:table-row> ${'x-repeated="1" '.repeat(300_000)}</table:table-row>`,
  );
  const bytes = zipOf({ "META-INF/manifest.xml": "<manifest/>", "content.xml": content });
  const from = performance.now();
  await readAll(bytes, { kind: "ods" }).catch(() => {});
  const ms = performance.now() - from;
  // Where it was quadratic, a twentieth of this took 4 s.
  assert(ms < 20_000, `took ${ms} ms`);
});

Deno.test("openLegacy() holds the records of .xlsb to their limits under whatever name the workbook gives them", async () => {
  const source = bytesSource(write("xlsb"));
  const parts: Record<string, Uint8Array> = {};
  for (const [name, entry] of (await readZipDirectory(source)).entries) {
    const chunks = await Array.fromAsync(readZipEntry(source, entry));
    parts[name] = new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
  }
  const { "xl/worksheets/sheet1.bin": sheet, "xl/_rels/workbook.bin.rels": rels, ...others } = parts;
  // A cell of a column beyond the format's limits, at the end of the sheet.
  const cell = new Uint8Array([2, 12, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
  const damaged = new Uint8Array([...cell, ...sheet!]);
  for (
    const name of ["worksheets\\sheet1.bin", "other/sheet.bin", "printerSettings1.bin", "vbaProject.bin"]
  ) {
    const target = name.replaceAll("\\", "/");
    const text = new TextDecoder().decode(rels).replace("worksheets/sheet1.bin", target);
    const workbook = (content: Uint8Array) =>
      zipOf({ ...others, "xl/_rels/workbook.bin.rels": text, [`xl/${name}`]: content });
    await refuses(workbook(damaged), { kind: "xlsb" }, "unreadable_file");
  }
  // Macros and what signs them are no records.
  const blob = crypto.getRandomValues(new Uint8Array(500));
  const withMacros = zipOf({
    ...parts,
    "xl/vbaProject.bin": blob,
    "xl/vbaProjectSignatureV3.bin": blob,
    "xl/embeddings/oleObject1.bin": blob,
  });
  assertEquals((await readAll(withMacros, { kind: "xlsb" })).rowNumbers, [1, 2, 4]);
  const asXml = new TextDecoder().decode(rels).replace("worksheets/sheet1.bin", "worksheets/sheet1.xml");
  const workbook = zipOf({
    ...others,
    "xl/_rels/workbook.bin.rels": asXml,
    "xl/worksheets/sheet1.xml": "<worksheet/>",
  });
  await refuses(workbook, { kind: "xlsb" }, "unreadable_file");
});

function write(kind: LegacyKind): Uint8Array {
  const sheet = XLSX.utils.aoa_to_sheet([
    ["Tag", "Größe", "日本語 😀"],
    [1.5, true, "=1+1", { t: "n", v: 46022, z: "yyyy-mm-dd" }],
    [],
    ["after a gap", { t: "e", v: 0x2a }],
  ]);
  const workbook = XLSX.utils.book_new(sheet, "Data");
  XLSX.utils.book_append_sheet(workbook, XLSX.utils.aoa_to_sheet([["more"]]), "More");
  return new Uint8Array(
    XLSX.write(workbook, { type: "array", bookType: BOOK_TYPES[kind], compression: true }),
  );
}

async function readAll(
  bytes: Uint8Array,
  options: OpenLegacyOptions,
): Promise<{ rows: Cell[][]; rowNumbers: number[] }> {
  const all: { rows: Cell[][]; rowNumbers: number[] } = { rows: [], rowNumbers: [] };
  const reader = await openLegacy(bytesSource(bytes), options);
  for await (const { rows, rowNumbers } of reader.batches()) {
    all.rows.push(...rows);
    all.rowNumbers.push(...rowNumbers);
  }
  return all;
}

async function refuses(bytes: Uint8Array, options: OpenLegacyOptions, code: string): Promise<void> {
  const fault = await assertRejects(() => readAll(bytes, options), LongshoreError);
  assertEquals(fault.code, code, fault.message);
}
