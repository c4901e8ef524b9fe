import { assert, assertEquals, assertRejects } from "@std/assert";
import { constants } from "node:zlib";
import { LongshoreError } from "../../../../shared/errors.ts";
import { bytesSource } from "../../../../shared/formats/bytes_source.ts";
import { MAX_BATCH_LENGTH, MAX_RECORD_LENGTH, type RowBatch } from "../../../../shared/formats/reader.ts";
import { openXlsx, type XlsxCursor } from "../../../../shared/formats/xlsx/mod.ts";
import { readAll } from "./_read_all.ts";
import { workbookOf } from "./_workbook_of.ts";

/** Whatever a sheet holds, a batch ends after some megabytes: a slice can stop there, and memory stays what it is. */

async function batchesOf(workbook: Uint8Array): Promise<RowBatch<XlsxCursor>[]> {
  return await Array.fromAsync((await openXlsx(bytesSource(workbook))).batches());
}

const LAST = '<row r="900000"><c r="A900000" t="inlineStr"><is><t>last</t></is></c></row>';
const STRETCHES = [
  { name: "blank", row: (n: number) => `<row r="${n}"><c r="A${n}" s="1"/></row>`, hidden: 0 },
  {
    name: "hidden",
    row: (n: number) => `<row r="${n}" hidden="1"><c r="A${n}" t="s"><v>0</v></c></row>`,
    hidden: 400_000,
  },
];
for (const { name, row, hidden } of STRETCHES) {
  Deno.test(`openXlsx() gives batches and cursors within a long stretch of ${name} rows`, async () => {
    const rows = Array.from({ length: 400_000 }, (_, i) => row(i + 1)).join("");
    const workbook = workbookOf({ rows: rows + LAST, strings: "<si><t>x</t></si>" });
    const batches = await batchesOf(workbook);
    assert(batches.length > 1, `found ${batches.length} batches`);
    assertEquals(batches.flatMap((batch) => batch.rows), [["last"]]);
    assertEquals(batches.reduce((sum, batch) => sum + (batch.hiddenCount ?? 0), 0), hidden);
    for (const { cursor } of batches.slice(0, -1)) {
      const going = JSON.parse(JSON.stringify(cursor));
      assertEquals((await readAll(workbook, { cursor: going })).rowNumbers, [900_000]);
    }
  });
}

Deno.test("openXlsx() counts hidden rows the same whether or not their texts have been read before", async () => {
  const strings = Array.from({ length: 5 }, (_, i) => `<si><t>text ${i}</t></si>`).join("");
  const rows =
    '<row r="1" hidden="1"><c r="A1" t="s"><v>4</v></c></row><row r="2"><c r="A2" t="s"><v>4</v></c></row>' +
    '<row r="3" hidden="1"><c r="A3" t="s"><v>4</v></c></row><row r="4" hidden="1"><c r="A4"/></row>';
  const [batch] = await batchesOf(workbookOf({ rows, strings }));
  assertEquals([batch?.rows, batch?.hiddenCount], [[["text 4"]], 2]);
});

Deno.test("openXlsx() ends a batch when its texts are long, however small the file", async () => {
  const text = "x".repeat(500_000);
  const rows = Array.from({ length: 40 }, (_, i) => `<row r="${i + 1}"><c t="s"><v>0</v></c></row>`).join("");
  const batches = await batchesOf(workbookOf({ rows, strings: `<si><t>${text}</t></si>` }));
  for (const batch of batches) assert(lengthOf(batch) <= MAX_BATCH_LENGTH + MAX_RECORD_LENGTH);
  assertEquals(batches.flatMap((batch) => batch.rowNumbers).length, 40);
});

Deno.test("openXlsx() gives a row with too much text as a flaw and goes on behind it", async () => {
  const cells = '<c t="s"><v>0</v></c>'.repeat(600);
  const long = `<c t="inlineStr"><is><t>${"y".repeat(MAX_RECORD_LENGTH + 1)}</t></is></c>`;
  const rows =
    `<row r="1"><c><v>1</v></c></row><row r="2">${cells}</row><row r="3">${long}<c><v>3</v></c></row>` +
    '<row r="4"><c><v>4</v></c></row>';
  const batches = await batchesOf(workbookOf({ rows, strings: `<si><t>${"x".repeat(400_000)}</t></si>` }));
  assertEquals(batches.flatMap((batch) => batch.rowNumbers), [1, 2, 3, 4]);
  assertEquals(batches.flatMap(({ flaws }) => [...flaws?.values() ?? []]), ["too_long", "too_long"]);
  for (const batch of batches) assert(lengthOf(batch) <= MAX_BATCH_LENGTH + MAX_RECORD_LENGTH);
  assertEquals(batches.at(-1)?.rows.at(-1), [4]);
});

Deno.test("openXlsx() reads rows below 16,384 hidden ranges of columns as fast as others", async () => {
  const columns = Array.from(
    { length: 16_384 },
    (_, i) => i === 1 ? "" : `<col min="${i + 1}" max="${i + 1}" hidden="1"/>`,
  ).join("");
  const row = (n: number) =>
    `<row r="${n}"><c r="A${n}"><v>1</v></c><c r="B${n}"><v>2</v></c><c r="XFD${n}"><v>3</v></c></row>`;
  const rows = Array.from({ length: 5000 }, (_, i) => row(i + 1)).join("");
  const sheet = `<worksheet><cols>${columns}</cols><sheetData>${rows}</sheetData></worksheet>`;
  const [batch] = await batchesOf(workbookOf({ sheet }));
  assertEquals([batch?.rows.length, batch?.rows[0]], [5000, [null, 2]]);
  assertEquals(batch?.cursor.hiddenColumns, [[1, 1], [3, 16_384]]);
});

Deno.test("openXlsx() leaves out rows that have content in hidden columns only", async () => {
  const sheet =
    '<worksheet><cols><col min="1" max="1" hidden="1"/></cols><sheetData><row r="1"><c r="A1"><v>1</v></c></row>' +
    '<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>2</v></c></row></sheetData></worksheet>';
  assertEquals((await readAll(workbookOf({ sheet }))).rows, [[null, 2]]);
  assertEquals((await readAll(workbookOf({ sheet }), { withHidden: true })).rows, [[1], [1, 2]]);
});

Deno.test("openXlsx() refuses a sheet with megabytes before its rows, and does not read those behind them", async () => {
  const padding = "<x/>".repeat(10_000_000);
  const rows = '<sheetData><row r="1"><c r="A1"><v>1</v></c></row></sheetData>';
  const before = workbookOf({ sheet: `<worksheet>${padding}${rows}</worksheet>` });
  assertEquals((await assertRejects(() => readAll(before), LongshoreError)).code, "unsafe_file");
  const behind = workbookOf({ sheet: `<worksheet>${rows}${padding}</worksheet>` });
  const source = bytesSource(behind);
  const reader = await openXlsx(source);
  const batches = await Array.fromAsync(reader.batches());
  assertEquals(batches.flatMap((batch) => batch.rows), [[1]]);
});

Deno.test("openXlsx() refuses a sheet that cannot be gone on with once that would cost all of a slice", async () => {
  // Blocks of fixed codes: nobody can tell where one starts.
  const row = new TextEncoder().encode(`<row>${"<c><v>12345</v></c>".repeat(12)}</row>`);
  const head = new TextEncoder().encode("<worksheet><sheetData>");
  const sheet = new Uint8Array(210 * 1024 * 1024).fill(0x20);
  sheet.set(head);
  for (let at = head.length; at + row.length < sheet.length; at += row.length) sheet.set(row, at);
  const workbook = workbookOf({ parts: { "xl/worksheets/sheet1.xml": sheet } }, {
    strategy: constants.Z_FIXED,
  });
  let rows = 0;
  const error = await assertRejects(async () => {
    for await (const batch of (await openXlsx(bytesSource(workbook))).batches()) rows += batch.rows.length;
  }, LongshoreError);
  assertEquals(error.code, "file_too_large");
  assert(rows > 100_000);
});

function lengthOf(batch: RowBatch<XlsxCursor>): number {
  return batch.rows.flat().reduce<number>(
    (sum, cell) => sum + (typeof cell === "string" ? cell.length : 0),
    0,
  );
}
