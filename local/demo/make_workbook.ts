/** Rows of the demo as an .xlsx workbook. In: cells by place. Out: the bytes. */
import type { Cell } from "../../shared/formats/reader.ts";
import { writeXlsx } from "../../shared/formats/xlsx/mod.ts";
import { COMPONENT_COLUMNS } from "./component_columns.ts";

export async function makeWorkbook(rows: Iterable<Cell[]>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = writeXlsx(rows, {
    sheet: "Components",
    headings: COMPONENT_COLUMNS.map((column) => column.heading),
    widths: COMPONENT_COLUMNS.map((column) => column.width),
  });
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
