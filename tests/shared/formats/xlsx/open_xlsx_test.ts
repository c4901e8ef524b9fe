import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { bytesSource } from "../../../../shared/formats/bytes_source.ts";
import { type ErrorCode, LongshoreError } from "../../../../shared/errors.ts";
import type { ByteSource, Cell } from "../../../../shared/formats/reader.ts";
import { openXlsx, type OpenXlsxOptions } from "../../../../shared/formats/xlsx/mod.ts";
import { date, error, readAll } from "./_read_all.ts";
import { workbookOf, type WorkbookParts, zipOf, type ZipOptions } from "./_workbook_of.ts";

interface Reading {
  name: string;
  book: WorkbookParts;
  rows: Cell[][];
  /** @default from 1 on */
  numbers?: number[];
}

const READINGS: Reading[] = [
  {
    name: "numbers as they are",
    book: {
      rows:
        '<row r="1"><c r="A1"><v>1</v></c><c r="B1" t="n"><v>-2.50</v></c><c r="C1"><v>0.30000000000000004</v></c>' +
        '<c r="D1"><v>1E-7</v></c><c r="E1"><v>123456789012345678</v></c><c r="F1"><v>-0</v></c>' +
        '<c r="G1"><v>.5</v></c><c r="H1"><v>999999999999999</v></c><c r="I1"><v> 7 </v></c></row>',
    },
    rows: [[1, -2.5, 0.30000000000000004, 1e-7, 123456789012345678, 0, 0.5, 999999999999999, 7]],
  },
  {
    name: "what claims to be a number and is none as text",
    book: {
      rows: '<row r="1"><c r="A1"><v>twelve</v></c><c r="B1"><v>0x10</v></c><c r="C1"><v>1e999</v></c></row>',
    },
    rows: [["twelve", "0x10", "1e999"]],
  },
  {
    name: "shared strings, joining the runs of rich text and leaving out phonetic runs",
    book: {
      strings:
        '<si><t>plain</t></si><si><r><rPr><b/></rPr><t>rich</t></r><r><t xml:space="preserve"> text</t></r></si>' +
        '<si><t>東京</t><rPh sb="0" eb="2"><t>トウキョウ</t></rPh><phoneticPr fontId="1"/></si><si/><si><t/></si>' +
        '<si><t xml:space="preserve">  kept  </t></si><si><t>a &amp; b &lt;c&gt; &#233;&#x1F600;</t></si>',
      rows: `<row r="1">${[0, 1, 2, 3, 4, 5, 6].map((i) => `<c t="s"><v>${i}</v></c>`).join("")}</row>`,
    },
    rows: [["plain", "rich text", "東京", "", "", "  kept  ", "a & b <c> é😀"]],
  },
  {
    name: "shared strings that need no decoding but for phonetic properties",
    book: {
      strings: '<si><t>one</t><phoneticPr fontId="1"/></si><si><t>two</t></si>',
      rows: '<row><c t="s"><v>1</v></c><c t="s"><v>0</v></c></row>',
    },
    rows: [["two", "one"]],
  },
  {
    name: "inline strings",
    book: {
      rows: '<row r="1"><c r="A1" t="inlineStr"><is><t>in line</t></is></c>' +
        '<c r="B1" t="inlineStr"><is><r><t>two </t></r><r><t>runs</t></r><rPh sb="0" eb="1"><t>no</t></rPh></is></c>' +
        '<c r="C1" t="inlineStr"><is><t xml:space="preserve"> é </t></is></c><c r="D1" t="inlineStr"/></row>',
    },
    rows: [["in line", "two runs", " é "]],
  },
  {
    name: "escapes for what XML cannot hold",
    book: {
      strings: "<si><t>a_x000D_\nb</t></si><si><t>_x005F_x0041_</t></si><si><t>_x41_ my_x_y</t></si>",
      rows: '<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c><c t="s"><v>2</v></c>' +
        '<c t="str"><v>tab_x0009_tab</v></c></row>',
    },
    rows: [["a\r\nb", "_x0041_", "_x41_ my_x_y", "tab\ttab"]],
  },
  {
    name: "CDATA and comments",
    book: {
      rows:
        '<!-- <row r="9"> --><row r="1"><!-- <c> --><c r="A1" t="str"><v><![CDATA[<b> & ]]>x<!-- y --></v></c></row>',
    },
    rows: [["<b> & x"]],
  },
  {
    name: "shared and inline strings with comments and CDATA",
    book: {
      strings:
        "<!-- <si><t>none</t></si> --><si><t>a<!-- no -->b</t></si><si><t><![CDATA[<t>1</t> & 2]]></t></si>" +
        "<?go on?><si><r><t><![CDATA[</si>]]></t></r><r><t>!</t></r></si>",
      rows: '<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c><c t="s"><v>2</v></c>' +
        '<c t="inlineStr"><is><t><![CDATA[</t><t>]]></t></is></c></row>',
    },
    rows: [["ab", "<t>1</t> & 2", "</si>!", "</t><t>"]],
  },
  {
    name: "types and texts as careless programs write them",
    book: {
      strings: "<si><t>zero</t></si><si><t>one</t></si>",
      rows:
        '<row><c t=""><v>5</v></c><c t="s"><v> 1 </v></c><c t="b"><v>TRUE</v></c><c t="b"><v>False</v></c></row>',
    },
    rows: [[5, "one", true, false]],
  },
  {
    name: "built-in formats of other editions, and eras",
    book: {
      formats: [71, 75, 79, 81, "[$-411]ge", "gggee", "0.0E+00", "Genel"],
      rows:
        '<row r="1"><c r="A1" s="1"><v>46022</v></c><c r="B1" s="2"><v>0.5</v></c><c r="C1" s="3"><v>1.5</v></c>' +
        '<c r="D1" s="4"><v>46022</v></c><c r="E1" s="5"><v>46022</v></c><c r="F1" s="6"><v>46022</v></c>' +
        '<c r="G1" s="7"><v>46022</v></c><c r="H1" s="8"><v>46022</v></c></row>',
    },
    rows: [[
      date("2025-12-31"),
      date("12:00:00"),
      date("36:00:00"),
      date("2025-12-31"),
      date("2025-12-31"),
      date("2025-12-31"),
      46022,
      46022,
    ]],
  },
  {
    name: "the results of formulas, booleans and errors",
    book: {
      rows:
        '<row r="1"><c r="A1" t="str"><f>A2&amp;"x"</f><v>joined</v></c><c r="B1"><f>1+1</f><v>2</v></c>' +
        '<c r="C1" t="b"><f>TRUE()</f><v>1</v></c><c r="D1" t="b"><v>0</v></c><c r="E1" t="e"><v>#REF!</v></c>' +
        '<c r="F1" t="str"><f>""</f><v></v></c><c r="G1"><f>never()</f></c><c r="H1" t="e"><v>#N/A</v></c></row>',
    },
    rows: [["joined", 2, true, false, error("#REF!"), "", null, error("#N/A")]],
  },
  {
    name: "dates and times by number format",
    book: {
      formats: [14, "yyyy\\-mm\\-dd hh:mm", "h:mm AM/PM", "[h]:mm:ss", '0.00" days"', "[Red]0.0", "mmm", 22],
      rows: '<row r="1"><c r="A1" s="1"><v>46022</v></c><c r="B1" s="2"><v>46022.333333333336</v></c>' +
        '<c r="C1" s="3"><v>0.33333333333333331</v></c><c r="D1" s="4"><v>1.5</v></c><c r="E1" s="5"><v>3.5</v></c>' +
        '<c r="F1" s="6"><v>45000</v></c><c r="G1" s="7"><v>59</v></c><c r="H1" s="8"><v>46022</v></c>' +
        '<c r="I1" s="1"><v>-1</v></c><c r="J1" s="1"><v>1</v></c><c r="K1" s="2"><v>45000.999999999</v></c>' +
        '<c r="L1" s="1"/><c r="M1" s="3"><v>0.5000115740740741</v></c><c r="N1" s="1"><v>2958466</v></c></row>',
    },
    rows: [[
      date("2025-12-31"),
      date("2025-12-31T08:00:00"),
      date("08:00:00"),
      date("36:00:00"),
      3.5,
      45000,
      date("1900-02-28"),
      date("2025-12-31"),
      -1,
      date("1900-01-01"),
      date("2023-03-16"),
      null,
      date("12:00:01"),
      2958466,
    ]],
  },
  {
    name: "dates of the 1904 system",
    book: {
      date1904: true,
      formats: [14, 20],
      rows:
        '<row r="1"><c r="A1" s="1"><v>44560</v></c><c r="B1" s="1"><v>0</v></c><c r="C1" s="2"><v>0.25</v></c></row>',
    },
    rows: [[date("2025-12-31"), date("1904-01-01"), date("06:00:00")]],
  },
  {
    name: "dates written as texts",
    book: {
      rows:
        '<row r="1"><c r="A1" t="d"><v>2025-12-31T00:00:00.000Z</v></c><c r="B1" t="d"><v>2025-12-31T08:30</v></c>' +
        '<c r="C1" t="d"><v>08:30:15</v></c><c r="D1" t="d"><v>soon</v></c></row>',
    },
    rows: [[date("2025-12-31"), date("2025-12-31T08:30:00"), date("08:30:15"), "soon"]],
  },
  {
    name: "sparse rows, cells out of order and cells without a place",
    book: {
      rows: '<row r="2"><c r="C2"><v>3</v></c><c><v>4</v></c><c r="A2"><v>1</v></c></row>' +
        '<row><c r="B7"><v>7</v></c></row><row><c><v>8</v></c></row><row r="20" spans="1:2"><c r="AB20"><v>28</v></c></row>',
    },
    rows: [[1, null, 3, 4], [null, 7], [8], [...Array(27).fill(null), 28]],
    numbers: [2, 7, 8, 20],
  },
  {
    name: "blank rows by leaving them out",
    book: {
      strings: "<si><t></t></si>",
      rows: '<row r="1"><c r="A1"><v>1</v></c></row><row r="2"/><row r="3"><c r="A3" s="1"/></row>' +
        '<row r="4"><c r="A4" t="s"><v>0</v></c></row><row r="5"></row><row><c><v>6</v></c></row>',
    },
    rows: [[1], [6]],
    numbers: [1, 6],
  },
  {
    name: "merged cells, whose value is in the first",
    book: {
      sheet:
        '<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c><c r="B1"/><c r="C1"><v>3</v></c></row></sheetData>' +
        '<mergeCells count="1"><mergeCell ref="A1:B1"/></mergeCells></worksheet>',
    },
    rows: [[1, null, 3]],
  },
  {
    name: "elements with other prefixes, single quotes and odd spaces",
    book: {
      sheet:
        "<?xml version='1.0'?><x:worksheet xmlns:x='u'><x:sheetData ><x:row r = '1' ><x:c r='A1' t = 's'\n><x:v>0</x:v></x:c >" +
        "<x:c r='B1' t='inlineStr'><x:is><x:t>in</x:t></x:is></x:c><x:c r='C1' ><x:v >5</x:v ></x:c></x:row></x:sheetData></x:worksheet>",
      parts: { "xl/sharedStrings.xml": '<y:sst xmlns:y="u"><y:si><y:t>shared</y:t></y:si></y:sst>' },
    },
    rows: [["shared", "in", 5]],
  },
  { name: "a sheet without rows", book: { sheet: "<worksheet><sheetData/></worksheet>" }, rows: [] },
  {
    name: "texts longer than a spreadsheet allows",
    book: { rows: `<row r="1"><c r="A1" t="str"><v>${"long".repeat(200_000)}</v></c></row>` },
    rows: [["long".repeat(200_000)]],
  },
];

for (const { name, book, rows, numbers } of READINGS) {
  Deno.test(`openXlsx() reads ${name}`, async () => {
    const all = await readAll(workbookOf(book));
    assertEquals(all.rows, rows);
    assertEquals(all.rowNumbers, numbers ?? rows.map((_, i) => i + 1));
  });
}

const CONTAINERS: [name: string, options: ZipOptions][] = [
  ["stored entries", { stored: true }],
  ["deflated entries", {}],
  ["sizes behind the data", { descriptors: true }],
  ["ZIP64 fields", { zip64: true }],
];
for (const [name, options] of CONTAINERS) {
  Deno.test(`openXlsx() reads zip archives with ${name}`, async () => {
    const book = { strings: "<si><t>x</t></si>", rows: '<row r="1"><c t="s"><v>0</v></c></row>' };
    assertEquals((await readAll(workbookOf(book, options))).rows, [["x"]]);
  });
}

Deno.test("openXlsx() takes the first visible sheet unless one is named", async () => {
  const workbook = threeSheets();
  const reader = await openXlsx(bytesSource(workbook));
  assertEquals(reader.info, {
    format: "xlsx",
    sheet: "Shown & bold",
    sheets: ["Hidden", "Shown & bold", "Last"],
  });
  assertEquals((await readAll(workbook)).rows, [[2]]);
  assertEquals((await readAll(workbook, { sheet: "Hidden" })).rows, [[1]]);
  assertEquals((await readAll(workbook, { sheet: "last" })).rows, [[3]]);
});

Deno.test("openXlsx() names the sheets there are, and the nearest, when there is none of that name", async () => {
  const fault = await assertRejects(() => readAll(threeSheets(), { sheet: "Lost" }), LongshoreError);
  assertEquals(fault.code, "unknown_sheet");
  assertEquals(fault.details, { sheet: "Lost", sheets: ["Hidden", "Shown & bold", "Last"], nearest: "Last" });
});

Deno.test("openXlsx() goes on after every batch as if it had never stopped", async () => {
  const rows = Array.from(
    { length: 500 },
    (_, i) =>
      i % 7 === 3
        ? `<row/>`
        : `<row><c t="s"><v>${i % 50}</v></c><c t="str"><v>text é ${i}</v></c><c><v>${i / 8}</v></c></row>`,
  );
  const strings = Array.from({ length: 50 }, (_, i) => `<si><t>shared ${i}</t></si>`);
  const workbook = workbookOf({ rows: rows.join(""), strings: strings.join("") });
  const whole = await readAll(workbook);
  const reader = await openXlsx(bytesSource(workbook), { rowsPerBatch: 37 });
  let done = 0;
  for await (const batch of reader.batches()) {
    done += batch.rows.length;
    const cursor = JSON.parse(JSON.stringify(batch.cursor));
    const rest = await readAll(workbook, { cursor });
    assertEquals(rest.rows, whole.rows.slice(done));
    assertEquals(rest.rowNumbers, whole.rowNumbers.slice(done));
  }
  assertStrictEquals(done, whole.rows.length);
});

Deno.test("openXlsx() reads the same however the bytes arrive", async () => {
  const rows = Array.from(
    { length: 3000 },
    (_, i) => `<row><c t="str"><v>größe ${i}</v></c><c><v>${i}.25</v></c></row>`,
  );
  const workbook = workbookOf({ rows: rows.join("") });
  const whole = await readAll(workbook);
  const reader = await openXlsx(inPieces(workbook, 7));
  const found: Cell[][] = [];
  for await (const batch of reader.batches()) found.push(...batch.rows);
  assertEquals(found, whole.rows);
});

Deno.test("openXlsx() keeps batches of very wide rows small", async () => {
  const rows = Array.from(
    { length: 100 },
    (_, i) => `<row r="${i + 1}"><c r="XFD${i + 1}"><v>1</v></c></row>`,
  );
  const reader = await openXlsx(bytesSource(workbookOf({ rows: rows.join("") })));
  for await (const batch of reader.batches()) {
    assertEquals(batch.rows.length <= 31, true);
  }
});

Deno.test("openXlsx() reads only the parts it needs", async () => {
  const junk = "x".repeat(80_000);
  const workbook = workbookOf({
    rows: '<row r="1"><c><v>1</v></c></row>',
    parts: Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`xl/media/image${i}.png`, junk])),
  }, { stored: true });
  const source = bytesSource(workbook);
  let bytes = 0;
  const counting: ByteSource = {
    size: source.size,
    read: (start, end) => {
      bytes += end - start;
      return source.read(start, end);
    },
    stream: (start, end = source.size) => {
      bytes += end - start;
      return source.stream(start, end);
    },
  };
  for await (const _ of (await openXlsx(counting)).batches());
  assertEquals(bytes < 100_000, true);
});

Deno.test("openXlsx() passes on what goes wrong with the source itself", async () => {
  const workbook = workbookOf({ rows: '<row r="1"><c><v>1</v></c></row>' });
  const source: ByteSource = {
    ...bytesSource(workbook),
    stream: () =>
      Promise.resolve(new ReadableStream({ pull: () => Promise.reject(new TypeError("connection reset")) })),
  };
  await assertRejects(() => openXlsx(source), TypeError, "connection reset");
});

for (const stored of [true, false]) {
  Deno.test(`openXlsx() ends the transfer when a reader of ${stored ? "stored" : "deflated"} rows stops early`, async () => {
    const rows = Array.from({ length: 100_000 }, (_, i) => `<row><c><v>${i * i}</v></c></row>`);
    const source = bytesSource(workbookOf({ rows: rows.join("") }, { stored }));
    let openTransfers = 0;
    const watched: ByteSource = {
      ...source,
      stream: async (start, end) => {
        const chunks = await source.stream(start, end);
        openTransfers++;
        return ReadableStream.from(async function* () {
          try {
            yield* chunks;
          } finally {
            openTransfers--;
          }
        }());
      },
    };
    for await (const _ of (await openXlsx(watched, { rowsPerBatch: 1 })).batches()) break;
    assertEquals(openTransfers, 0);
  });
}

interface Refusal {
  name: string;
  file: () => Uint8Array;
  code: ErrorCode;
  options?: OpenXlsxOptions;
}

const CELL = '<row r="1"><c r="A1"><v>1</v></c></row>';
const REFUSALS: Refusal[] = [
  { name: "an empty file", file: () => new Uint8Array(0), code: "empty_file" },
  { name: "a text", file: () => new TextEncoder().encode("a,b\n1,2\n"), code: "unreadable_file" },
  { name: "a workbook of the old format", file: () => compoundFile("Workbook"), code: "unsupported_format" },
  {
    name: "a workbook with a password",
    file: () => compoundFile("EncryptedPackage"),
    code: "encrypted_file",
  },
  { name: "a zip archive of other things", file: () => zipOf({ "a.txt": "x" }), code: "unsupported_format" },
  { name: "a Word document", file: () => zipOf({ "word/document.xml": "<x/>" }), code: "unsupported_format" },
  { name: "a binary workbook", file: () => zipOf({ "xl/workbook.bin": "x" }), code: "unsupported_format" },
  { name: "an OpenDocument sheet", file: () => zipOf({ "content.xml": "<x/>" }), code: "unsupported_format" },
  {
    name: "a file that is cut off",
    file: () => workbookOf({ rows: CELL }).slice(0, -300),
    code: "unreadable_file",
  },
  {
    name: "a sheet that ends in mid-row",
    file: () => workbookOf({ sheet: `<worksheet><sheetData>${CELL}<row>` }),
    code: "unreadable_file",
  },
  {
    name: "an entry larger than it says",
    file: () => workbookOf({ rows: CELL }, { claimSize: (size) => size - 10 }),
    code: "unsafe_file",
  },
  {
    name: "an entry smaller than it says",
    file: () => workbookOf({ rows: CELL }, { claimSize: (size) => size + 10 }),
    code: "unreadable_file",
  },
  {
    name: "a small entry that would fill the memory",
    file: () => workbookOf({ rows: CELL, strings: `<si><t>${" ".repeat(60 * 1024 * 1024)}</t></si>` }),
    code: "unsafe_file",
  },
  {
    name: "an entry that says it holds more than 2 GiB",
    file: () => workbookOf({ rows: CELL }, { zip64: true, claimSize: () => 3 * 1024 ** 3 }),
    code: "unsafe_file",
  },
  {
    name: "a document type in a sheet",
    file: () => workbookOf({ sheet: "<!DOCTYPE x [<!ENTITY a 'b'>]><worksheet/>" }),
    code: "unsafe_file",
  },
  {
    name: "a document type in the list of sheets",
    file: () => workbookOf({ parts: { "xl/workbook.xml": "<!DOCTYPE x><workbook/>" } }),
    code: "unsafe_file",
  },
  {
    name: "a document type in the shared strings",
    file: () => workbookOf({ parts: { "xl/sharedStrings.xml": "<!DOCTYPE x><sst><si><t>1</t></si></sst>" } }),
    code: "unsafe_file",
  },
  {
    name: "a column beyond the last",
    file: () => workbookOf({ rows: '<row><c r="XFE1"><v>1</v></c></row>' }),
    code: "unsafe_file",
  },
  {
    name: "a row beyond the last",
    file: () => workbookOf({ rows: '<row r="1048577"/>' }),
    code: "unsafe_file",
  },
  {
    name: "rows out of order",
    file: () => workbookOf({ rows: '<row r="2"/><row r="1"/>' }),
    code: "unreadable_file",
  },
  {
    name: "a shared string that is missing",
    file: () => workbookOf({ rows: '<row><c t="s"><v>9</v></c></row>' }),
    code: "unreadable_file",
  },
  { name: "bytes that do not match their checksum", file: flippedStoredByte, code: "unreadable_file" },
  {
    name: "a workbook without sheets",
    file: () => workbookOf({ parts: { "xl/workbook.xml": "<workbook><sheets/></workbook>" } }),
    code: "unreadable_file",
  },
];
for (const { name, file, code, options } of REFUSALS) {
  Deno.test(`openXlsx() refuses ${name} as ${code}`, async () => {
    const fault = await assertRejects(() => readAll(file(), options), LongshoreError);
    assertEquals(fault.code, code, fault.message);
  });
}

function flippedStoredByte(): Uint8Array {
  const workbook = workbookOf({ rows: '<row><c t="str"><v>unmistakable</v></c></row>' }, { stored: true });
  const at = new TextDecoder("latin1").decode(workbook).indexOf("unmistakable");
  workbook[at] = 0x55;
  return workbook;
}

function threeSheets(): Uint8Array {
  const sheet = (n: number) =>
    `<worksheet><sheetData><row r="1"><c><v>${n}</v></c></row></sheetData></worksheet>`;
  const TYPE = "http://purl.oclc.org/ooxml/officeDocument/relationships/worksheet";
  return workbookOf({
    parts: {
      "xl/workbook.xml": '<workbook><sheets><sheet name="Hidden" state="hidden" r:id="a"/>' +
        '<sheet name="Shown &amp; bold" r:id="b"/><sheet name="Last" r:id="c"/></sheets></workbook>',
      "xl/_rels/workbook.xml.rels":
        `<Relationships><Relationship Id="a" Type="${TYPE}" Target="../xl/worksheets/a.xml"/>` +
        `<Relationship Id="b" Type="${TYPE}" Target="/xl/worksheets/b.xml"/>` +
        `<Relationship Id="c" Type="${TYPE}" Target="worksheets/C.xml"/></Relationships>`,
      "xl/worksheets/a.xml": sheet(1),
      "xl/worksheets/b.xml": sheet(2),
      "xl/worksheets/c.xml": sheet(3),
    },
  });
}

/** The least of a compound file: a header that points to a directory with one stream. */
function compoundFile(stream: string): Uint8Array {
  const bytes = new Uint8Array(2048);
  bytes.set([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]);
  const view = new DataView(bytes.buffer);
  view.setUint16(30, 9, true);
  view.setUint32(48, 1, true);
  view.setUint16(1024 + 128 + 64, 2 * stream.length + 2, true);
  [...stream].forEach((char, i) => view.setUint16(1024 + 128 + 2 * i, char.charCodeAt(0), true));
  return bytes;
}

function inPieces(bytes: Uint8Array, size: number): ByteSource {
  return {
    ...bytesSource(bytes),
    stream: (start, end = bytes.length) =>
      Promise.resolve(ReadableStream.from(function* () {
        for (let at = start; at < end; at += size) yield bytes.subarray(at, Math.min(end, at + size));
      }())),
  };
}

Deno.test("openXlsx() leaves hidden rows and columns out and counts the rows, unless it is told to read them", async () => {
  const sheet = `<worksheet><cols><col min="2" max="3" hidden="1"/></cols><sheetData>` +
    `<row r="1"><c><v>1</v></c><c><v>2</v></c><c><v>3</v></c><c><v>4</v></c></row>` +
    `<row r="2" hidden="1"><c><v>5</v></c></row><row r="3" hidden="0"><c><v>6</v></c></row></sheetData></worksheet>`;
  const source = bytesSource(workbookOf({ sheet }));
  const [batch] = await Array.fromAsync((await openXlsx(source)).batches());
  assertEquals(batch?.rows, [[1, null, null, 4], [6]]);
  assertEquals([batch?.rowNumbers, batch?.hiddenCount], [[1, 3], 1]);
  // The columns stand before the rows, where a reader that goes on does not look again.
  const first = await (await openXlsx(source, { rowsPerBatch: 1 })).batches().next();
  assertEquals(first.value?.cursor.hiddenColumns, [[2, 3]]);
  const [all] = await Array.fromAsync((await openXlsx(source, { withHidden: true })).batches());
  assertEquals(all?.rows, [[1, 2, 3, 4], [5], [6]]);
});

Deno.test("openXlsx() takes the epoch from the workbook and not from its extensions", async () => {
  const parts = {
    "xl/workbook.xml":
      '<workbook><workbookPr date1904="1"/><sheets><sheet name="Data" r:id="rId1"/></sheets>' +
      '<extLst><ext><x15:workbookPr chartTrackingRefBase="1"/></ext></extLst></workbook>',
  };
  const workbook = workbookOf({ rows: '<row><c s="1"><v>40908</v></c></row>', formats: [14], parts });
  assertEquals((await readAll(workbook)).rows, [[date("2016-01-01")]]);
});

for (const [name, order] of [["UTF-16LE", true], ["UTF-16BE", false]] as const) {
  Deno.test(`openXlsx() reads sheets and shared strings in ${name}`, async () => {
    const utf16 = (xml: string) => {
      const bytes = new Uint8Array(2 * xml.length + 2);
      [..."\ufeff", ...xml].forEach((char, i) =>
        new DataView(bytes.buffer).setUint16(2 * i, char.charCodeAt(0), order)
      );
      return bytes;
    };
    const workbook = workbookOf({
      strings: "",
      parts: {
        "xl/sharedStrings.xml": utf16("<sst><si><t>größer</t></si></sst>"),
        "xl/worksheets/sheet1.xml": utf16(
          '<worksheet><sheetData><row><c t="s"><v>0</v></c><c t="str"><v>日本</v></c></row></sheetData></worksheet>',
        ),
      },
    });
    assertEquals((await readAll(workbook)).rows, [["größer", "日本"]]);
  });
}

Deno.test("openXlsx() finds parts by targets with escapes, and names sheets so that they can be stored", async () => {
  const OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
  const workbook = workbookOf({
    parts: {
      "xl/workbook.xml":
        '<workbook><sheets><sheet name="A_x0000_&#xD800;&#0;" r:id="rId1"/></sheets></workbook>',
      "xl/_rels/workbook.xml.rels":
        `<Relationships><Relationship Id="rId1" Type="${OFFICE}/worksheet" Target="work%20sheets/1.xml"/></Relationships>`,
      "xl/work sheets/1.xml": "<worksheet><sheetData><row><c><v>1</v></c></row></sheetData></worksheet>",
    },
  });
  const { info } = await openXlsx(bytesSource(workbook));
  assertEquals(info.sheet, "A_x0000_\ufffd\ufffd");
  assertEquals((await readAll(workbook, { sheet: info.sheet! })).rows, [[1]]);
});

Deno.test("openXlsx() names no more than some of many sheets, and no more than the start of a long name", async () => {
  const sheets = Array.from({ length: 2000 }, (_, i) => `<sheet name="${i}${"x".repeat(5000)}" r:id="rId1"/>`)
    .join("");
  const workbook = workbookOf({
    parts: { "xl/workbook.xml": `<workbook><sheets>${sheets}</sheets></workbook>` },
  });
  const fault = await assertRejects(() => readAll(workbook, { sheet: "none" }), LongshoreError);
  assertEquals(fault.code, "unknown_sheet");
  assertEquals(JSON.stringify([fault.message, fault.details]).length < 20_000, true);
});
