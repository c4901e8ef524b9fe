/** The bytes by which every cell of a column starts, made once. */

import { type Snippet, snippet } from "./byte_writer.ts";
import { type ColumnType, numberStyle, type WorkbookColumn } from "./workbook_columns.ts";
import { CELL_STYLES } from "./workbook_parts.ts";

/** A column as its cells need it. */
export interface ColumnCode {
  name: string;
  type: ColumnType | undefined;
  /** `<c r="AB`; the number of the row comes next. */
  open: Snippet;
  /** What comes between that and a number. */
  numberOpen: Snippet;
}

/** `A` for 0, `AB` for 27. */
export function columnName(index: number): string {
  const last = String.fromCharCode(65 + index % 26);
  return index < 26 ? last : columnName(Math.floor(index / 26) - 1) + last;
}

export function columnCode(index: number, column: WorkbookColumn, scales: readonly number[]): ColumnCode {
  const name = columnName(index);
  return {
    name,
    type: column.type,
    open: snippet(`<c r="${name}`),
    numberOpen: numberOpen(numberStyle(column, scales)),
  };
}

export function numberOpen(style: number): Snippet {
  return snippet(style === CELL_STYLES.plain ? '"><v>' : `" s="${style}"><v>`);
}
