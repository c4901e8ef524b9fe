/** Everything a reader gives of a workbook, in one piece. */

import { bytesSource } from "../../../../shared/formats/bytes_source.ts";
import { type Cell, DateCell, ErrorCell } from "../../../../shared/formats/reader.ts";
import { openXlsx, type OpenXlsxOptions } from "../../../../shared/formats/xlsx/mod.ts";

export interface AllRows {
  rows: Cell[][];
  rowNumbers: number[];
}

export async function readAll(workbook: Uint8Array, options: OpenXlsxOptions = {}): Promise<AllRows> {
  const reader = await openXlsx(bytesSource(workbook), options);
  const all: AllRows = { rows: [], rowNumbers: [] };
  for await (const { rows, rowNumbers } of reader.batches()) {
    all.rows.push(...rows);
    all.rowNumbers.push(...rowNumbers);
  }
  return all;
}

export function date(iso: string): DateCell {
  return new DateCell(iso);
}

export function error(code: string): ErrorCell {
  return new ErrorCell(code);
}
