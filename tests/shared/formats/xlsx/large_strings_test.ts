import { assert, assertEquals, assertRejects } from "@std/assert";
import { LongshoreError } from "../../../../shared/errors.ts";
import { bytesSource } from "../../../../shared/formats/bytes_source.ts";
import { openXlsx, type XlsxCursor } from "../../../../shared/formats/xlsx/mod.ts";
import { workbookOf } from "./_workbook_of.ts";

/** More than may be in memory at once: 88 MiB. */
const STRINGS = 22_000;
const FILLING = Array.from({ length: 700 }, (_, i) => `word${(i * 7919) % 1003} `).join("").slice(0, 4180);
const textOf = (index: number) => `${index}: ${FILLING}`;

/** Each row has a string of its own and one of the first; `own` says whose. */
function workbook(own: (row: number) => number): Uint8Array {
  let strings = "";
  for (let i = 0; i < STRINGS; i++) strings += `<si><t>${textOf(i)}</t></si>`;
  let rows = "";
  for (let row = 1; row <= STRINGS; row++) {
    rows += `<row r="${row}"><c t="s"><v>${own(row)}</v></c><c t="s"><v>${row % 3}</v></c></row>`;
  }
  return workbookOf({ rows, strings });
}

Deno.test("openXlsx() reads more strings than fit into memory, and goes on among them", async () => {
  const source = bytesSource(workbook((row) => row - 1));
  let cursor: XlsxCursor | undefined;
  let row = 0;
  for (let slice = 0; slice < 100 && row < STRINGS; slice++) {
    const reader = await openXlsx(source, { rowsPerBatch: 4000, ...(cursor ? { cursor } : {}) });
    for await (const batch of reader.batches()) {
      for (const cells of batch.rows) {
        row++;
        if (cells[0] !== textOf(row - 1) || cells[1] !== textOf(row % 3)) throw new Error(`row ${row}`);
      }
      cursor = JSON.parse(JSON.stringify(batch.cursor));
      assert(JSON.stringify(cursor).length < 100_000);
      if (row % 8000 === 0) break;
    }
  }
  assertEquals(row, STRINGS);
});

Deno.test("openXlsx() refuses strings that neither fit into memory nor come in the order of the sheet", async () => {
  const source = bytesSource(workbook((row) => (row * 7919) % STRINGS));
  const reader = await openXlsx(source);
  const fault = await assertRejects(
    () => Array.fromAsync(reader.batches(), ({ rows }) => rows.length),
    LongshoreError,
  );
  assertEquals(fault.code, "file_too_large");
});
