/**
 * Rows of the demo as the CSV that a European spreadsheet saves: semicolons, a byte order mark, decimal commas, and
 * inches that nobody quotes. In: cells by place. Out: the text.
 */
import type { Cell } from "../../shared/formats/reader.ts";
import { COMPONENT_COLUMNS } from "./component_columns.ts";

export function makeCsv(rows: Iterable<Cell[]>): string {
  const lines = [COMPONENT_COLUMNS.map((column) => column.heading).join(";")];
  for (const cells of rows) lines.push(cells.map(fieldOf).join(";"));
  return `\ufeff${lines.join("\r\n")}\r\n`;
}

function fieldOf(cell: Cell): string {
  if (cell === null) return "";
  if (typeof cell === "number") return String(cell).replace(".", ",");
  const text = String(cell);
  return /^"|[;\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
