/** A value of a row → a cell, by the type of its column, or by its own where the column has none. */

import { DateCell, ErrorCell } from "../reader.ts";
import type { CellWriter } from "./cell_writer.ts";
import type { ColumnCode } from "./column_code.ts";

/** What a cell can be made of; null is an empty cell. Dates are UTC, as a workbook knows no time zones. */
export type WorkbookValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | Date
  | DateCell
  | ErrorCell;

type Filled = NonNullable<WorkbookValue>;

export function writeValue(cells: CellWriter, column: ColumnCode, value: Filled): void {
  if (typeof value !== "string") {
    if (column.type === "text") cells.writeText(column, textOf(value));
    else writeByItself(cells, column, value);
    return;
  }
  switch (column.type) {
    case "integer":
    case "decimal":
      if (!cells.writeNumeric(column, value)) cells.writeText(column, value);
      break;
    case "date":
    case "timestamp":
    case "time":
      cells.writeIso(column, value);
      break;
    case "boolean":
      if (value === "t" || value === "true") cells.writeBoolean(column, true);
      else if (value === "f" || value === "false") cells.writeBoolean(column, false);
      else cells.writeText(column, value);
      break;
    default:
      cells.writeText(column, value);
  }
}

function writeByItself(cells: CellWriter, column: ColumnCode, value: Exclude<Filled, string>): void {
  if (typeof value === "number") cells.writeNumber(column, value);
  else if (typeof value === "boolean") cells.writeBoolean(column, value);
  else if (value instanceof ErrorCell) cells.writeError(column, value.error);
  else if (typeof value !== "bigint") cells.writeIso(column, textOf(value));
  else if (!cells.writeNumeric(column, String(value))) cells.writeText(column, String(value));
}

function textOf(value: Filled): string {
  return value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : String(value);
}
