/**
 * Rows of cells as an .xlsx workbook of one sheet: a stream of bytes in constant memory, written as fast as it is
 * read. Texts are stored in their cells, so no table of them is kept. Holds no formulas: a text that starts like
 * one stays a text.
 */

import { LongshoreError } from "../../errors.ts";
import { type Cell, DateCell, ErrorCell } from "../reader.ts";
import { serialOfIso } from "./serial_of_iso.ts";
import { encodeXmlText } from "./encode_xml_text.ts";
import { CELL_STYLES, type CellStyle, workbookParts } from "./workbook_parts.ts";
import { writeZip, type ZipPart } from "./write_zip.ts";

export interface WriteXlsxOptions {
  /** Name of the sheet; at most 31 characters, none of `[]:*?/\`. @default "Sheet1" */
  sheet?: string;
  /** Headings for a first row that is set off and stays in view. @default no such row */
  headings?: string[];
  /** Widths of the columns, in characters. @default by the headings */
  widths?: number[];
}

const MAX_ROWS = 1_048_576;
const MAX_COLUMNS = 16_384;
const MAX_TEXT_CHARS = 32_767;

export function writeXlsx(
  rows: AsyncIterable<Cell[]> | Iterable<Cell[]>,
  options: WriteXlsxOptions = {},
): ReadableStream<Uint8Array> {
  const sheet = options.sheet ?? "Sheet1";
  if (sheet === "" || sheet.length > 31 || /[[\]:*?/\\]|^'|'$/.test(sheet)) {
    throw new RangeError(
      `Cannot name a sheet "${sheet}": expected 1 to 31 characters without []:*?/\\ and no quote at either end`,
    );
  }
  const parts: ZipPart[] = [
    ...workbookParts(sheet),
    { name: "xl/worksheets/sheet1.xml", content: sheetXml(rows, options) },
  ];
  return writeZip(parts);
}

async function* sheetXml(rows: AsyncIterable<Cell[]> | Iterable<Cell[]>, options: WriteXlsxOptions) {
  const {
    headings = [],
    widths = headings.map((heading) => Math.min(60, Math.max(10, heading.length + 2))),
  } = options;
  yield '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' +
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">';
  if (headings.length > 0) {
    yield '<sheetViews><sheetView tabSelected="1" workbookViewId="0">' +
      '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>';
  }
  if (widths.length > 0) yield `<cols>${widths.map(columnXml).join("")}</cols>`;
  yield "<sheetData>";
  let number = 0;
  if (headings.length > 0) yield rowXml(headings, { number: ++number, textStyle: "heading" });
  for await (const row of rows) yield rowXml(row, { number: ++number, textStyle: "plain" });
  yield "</sheetData></worksheet>";
}

function columnXml(width: number, index: number): string {
  return `<col min="${index + 1}" max="${index + 1}" width="${width}" customWidth="1"/>`;
}

function rowXml(cells: Cell[], { number, textStyle }: { number: number; textStyle: CellStyle }): string {
  if (number > MAX_ROWS) {
    throw new LongshoreError(
      "file_too_large",
      `Cannot write row ${number}: a sheet has at most ${MAX_ROWS} rows`,
    );
  }
  if (cells.length > MAX_COLUMNS) {
    throw new LongshoreError(
      "file_too_large",
      `Cannot write row ${number}: found ${cells.length} columns, expected at most ${MAX_COLUMNS}`,
    );
  }
  let xml = `<row r="${number}">`;
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i] ?? null;
    if (cell !== null) xml += cellXml(cell, { reference: `${columnName(i)}${number}`, textStyle });
  }
  return `${xml}</row>`;
}

function cellXml(cell: NonNullable<Cell>, place: { reference: string; textStyle: CellStyle }): string {
  const { reference } = place;
  if (typeof cell === "string") return textXml(cell, place);
  if (typeof cell === "boolean") return `<c r="${reference}" t="b"><v>${cell ? 1 : 0}</v></c>`;
  if (cell instanceof ErrorCell) return `<c r="${reference}" t="e"><v>${encodeXmlText(cell.error)}</v></c>`;
  if (cell instanceof DateCell) {
    const date = serialOfIso(cell.iso);
    if (!date) return textXml(cell.iso, place);
    return `<c r="${reference}" s="${CELL_STYLES[date.shape]}"><v>${date.serial}</v></c>`;
  }
  if (!Number.isFinite(cell)) return `<c r="${reference}" t="e"><v>#NUM!</v></c>`;
  return `<c r="${reference}"><v>${cell}</v></c>`;
}

function textXml(
  text: string,
  { reference, textStyle }: { reference: string; textStyle: CellStyle },
): string {
  if (text.length > MAX_TEXT_CHARS) {
    throw new LongshoreError(
      "file_too_large",
      `Cannot write cell ${reference}: found ${text.length} characters, expected at most ${MAX_TEXT_CHARS}`,
    );
  }
  const style = textStyle === "plain" ? "" : ` s="${CELL_STYLES[textStyle]}"`;
  const space = text !== text.trim() || /\s\s|\n/.test(text) ? ' xml:space="preserve"' : "";
  return `<c r="${reference}"${style} t="inlineStr"><is><t${space}>${encodeXmlText(text)}</t></is></c>`;
}

const COLUMN_NAMES: string[] = [];

function columnName(index: number): string {
  return COLUMN_NAMES[index] ??= (index >= 26 ? columnName(Math.floor(index / 26) - 1) : "") +
    String.fromCharCode(65 + index % 26);
}
