import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as XLSX from "xlsx";
import { LongshoreError } from "../../../../shared/errors.ts";
import type { Cell } from "../../../../shared/formats/reader.ts";
import { writeXlsx, type WriteXlsxOptions } from "../../../../shared/formats/xlsx/mod.ts";
import { date, error, readAll } from "./_read_all.ts";

async function written(
  rows: Cell[][] | AsyncIterable<Cell[]>,
  options?: WriteXlsxOptions,
): Promise<Uint8Array> {
  return new Uint8Array(await new Response(writeXlsx(rows, options)).arrayBuffer());
}

const ROWS: Cell[][] = [
  ["text", 1, -2.5, 0.1 + 0.2, 1e300, true, false, null, error("#N/A"), date("2025-12-31")],
  [date("2025-12-31T08:30:15"), date("23:59:59"), date("36:00:00"), date("2025-12-31T08:30:15.250")],
  [null, null, "after two empty"],
  [
    "  edges  ",
    "a\nb",
    "a\r\nb",
    "tab\t",
    "_x0041_",
    "\u0001\uffff",
    "<&>\"'",
    "日本語 😀",
    "=1+1",
    "x".repeat(32_767),
  ],
];

Deno.test("writeXlsx() writes what openXlsx() reads again", async () => {
  assertEquals((await readAll(await written(ROWS))).rows, ROWS);
});

Deno.test("writeXlsx() writes what SheetJS reads", async () => {
  const book = XLSX.read(await written(ROWS, { sheet: "Tom & Jerry" }), { cellNF: true });
  assertEquals(book.SheetNames, ["Tom & Jerry"]);
  const sheet = book.Sheets["Tom & Jerry"] ?? {};
  const value = (at: string) => sheet[at]?.v;
  assertEquals(["A1", "B1", "C1", "D1", "F1", "I1"].map(value), ["text", 1, -2.5, 0.1 + 0.2, true, 0x2a]);
  assertEquals([value("J1"), sheet["J1"]?.z], [46022, "yyyy\\-mm\\-dd"]);
  assertEquals([value("C2"), sheet["C2"]?.z], [1.5, "[h]:mm:ss"]);
  assertEquals(["C3", "A4", "B4", "G4", "H4"].map(value), [
    "after two empty",
    "  edges  ",
    "a\nb",
    "<&>\"'",
    "日本語 😀",
  ]);
});

Deno.test("writeXlsx() sets headings off, keeps them in view and gives columns their widths", async () => {
  const bytes = await written([["1", 2]], { headings: ["Tag", "Quantity"], widths: [30, 12] });
  assertEquals((await readAll(bytes)).rows, [["Tag", "Quantity"], ["1", 2]]);
  const files = XLSX.read(bytes, { bookFiles: true }) as XLSX.WorkBook & {
    files: Record<string, { content: Uint8Array }>;
  };
  const xml = new TextDecoder().decode(
    new Uint8Array(files.files["xl/worksheets/sheet1.xml"]?.content ?? []),
  );
  assertEquals(
    xml.includes('<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'),
    true,
  );
  assertEquals(xml.includes('<col min="1" max="1" width="30" customWidth="1"/>'), true);
  assertEquals(xml.includes('<c r="B1" s="1" t="inlineStr">'), true);
});

Deno.test("writeXlsx() writes texts that only look like dates as texts", async () => {
  const odd = ["2025-02-30", "1900-01-05", "2025-12-31T25:00:00", "soon", "T08:00:00", "", "2025-12-31T"];
  const { rows } = await readAll(await written([["x", ...odd.map(date)]]));
  assertEquals(rows, [["x", ...odd]]);
});

Deno.test("writeXlsx() asks for rows only as fast as it is read", async () => {
  let asked = 0;
  let ended = false;
  async function* endless(): AsyncGenerator<Cell[]> {
    try {
      while (true) {
        asked++;
        yield [await Promise.resolve(crypto.randomUUID())];
      }
    } finally {
      ended = true;
    }
  }
  const reader = writeXlsx(endless()).getReader();
  for (let bytes = 0; bytes < 200_000;) bytes += (await reader.read()).value?.byteLength ?? 0;
  assertEquals(asked < 60_000, true);
  await reader.cancel();
  assertEquals(ended, true);
});

Deno.test("writeXlsx() gives the same bytes for the same rows", async () => {
  assertEquals(await written(ROWS), await written(ROWS));
});

Deno.test("writeXlsx() passes on what goes wrong with its rows", async () => {
  async function* failing(): AsyncGenerator<Cell[]> {
    yield [await Promise.resolve(1)];
    throw new TypeError("connection reset");
  }
  await assertRejects(() => written(failing()), TypeError, "connection reset");
});

Deno.test("writeXlsx() refuses what the format cannot hold", async () => {
  const long = await assertRejects(() => written([["x".repeat(32_768)]]), LongshoreError);
  assertEquals(long.message, "Cannot write cell A1: found 32768 characters, expected at most 32767");
  await assertRejects(() => written([new Array(16_385).fill(null)]), LongshoreError);
  for (const sheet of ["", "a/b", "x".repeat(32), "'x"]) {
    assertThrows(() => writeXlsx([], { sheet }), RangeError);
  }
});
