/** What a workbook's writer is told of a column, and what follows from it: the width, and the style of its numbers. */

import { CELL_STYLES } from "./workbook_parts.ts";

/**
 * How the values of a column are stored. Texts that are no value of the type, such as `NaN` in a column of numbers or
 * a date before March 1900, stay texts.
 */
export type ColumnType = "text" | "integer" | "decimal" | "date" | "timestamp" | "time" | "boolean";

export interface WorkbookColumn {
  /** In the first row, which is there as soon as one column has a heading. @default an empty cell */
  heading?: string;
  /** @default each value by its own JavaScript type, a string always as a text */
  type?: ColumnType;
  /** Digits shown behind the point, 0 to 15; for decimals. @default as many as there are */
  scale?: number;
  /** In characters. @default by the heading and the type */
  width?: number;
}

const MAX_SCALE = 15;
const TYPE_WIDTHS: Record<ColumnType, number> = {
  text: 10,
  integer: 10,
  decimal: 10,
  date: 12,
  timestamp: 20,
  time: 10,
  boolean: 8,
};

/** Room beside a heading for the button of its filter. */
const HEADING_ROOM = 2;
const MAX_WIDTH_BY_HEADING = 60;

export function columnWidth({ heading = "", type = "text", width }: WorkbookColumn): number {
  return width ?? Math.max(TYPE_WIDTHS[type], Math.min(MAX_WIDTH_BY_HEADING, heading.length + HEADING_ROOM));
}

/** The scales that the columns show, each once; the styles part has a style for each of them. */
export function scalesOf(columns: readonly WorkbookColumn[]): number[] {
  const scales = new Set<number>();
  for (const { scale } of columns) {
    if (scale === undefined) continue;
    if (!Number.isInteger(scale) || scale < 0 || scale > MAX_SCALE) {
      throw new RangeError(`Cannot show ${scale} digits behind the point: expected 0 to ${MAX_SCALE}`);
    }
    scales.add(scale);
  }
  return [...scales];
}

/** Index of the style in which a column shows its numbers. */
export function numberStyle({ type, scale }: WorkbookColumn, scales: readonly number[]): number {
  if (scale !== undefined) return CELL_STYLES.integer + 1 + scales.indexOf(scale);
  return type === "integer" ? CELL_STYLES.integer : CELL_STYLES.plain;
}
