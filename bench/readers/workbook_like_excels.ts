/**
 * A workbook as Excel writes it, in pieces for `writeZip()`: shared strings in the order in which the sheet meets them,
 * styles, spans; seven columns of text, three of numbers, two of dates, with headings that the bench's dataset knows.
 */

import type { ZipPart } from "./write_zip.ts";

export interface WorkbookLikeExcelsOptions {
  /** Below the headings. */
  rows: number;
  /** Whether every second string is unique in the workbook; else all come from a few hundred. */
  unique: boolean;
}

export const COLUMNS = 12;

const HEADINGS = [
  "Tag",
  "Description",
  "Remarks",
  "Area",
  "Type",
  "Drawing",
  "Test package",
  "Quantity",
  "Size",
  "Weight (kg)",
  "System",
  "Spec",
];
const TYPES = ["spool", "pipe", "fitting", "flange", "valve", "support", "gasket", "instrument"];
/** Strings that come again and again, by the column they are for. */
const REPEATED = [2000, 500, 700, 60, TYPES.length, 900, 80];
const REPEATED_COUNT = HEADINGS.length + REPEATED.reduce((sum, count) => sum + count, 0);

const MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"';
const OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE = "http://schemas.openxmlformats.org/package/2006";
const TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml";
const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';

export function* workbookLikeExcels(options: WorkbookLikeExcelsOptions): Generator<ZipPart, void, void> {
  const part = (name: string, xml: string): ZipPart => ({ name, content: [HEAD + xml] });
  yield part("[Content_Types].xml", contentTypes());
  yield part("_rels/.rels", relationships({ officeDocument: "xl/workbook.xml" }));
  yield part(
    "xl/workbook.xml",
    `<workbook ${MAIN} xmlns:r="${OFFICE}"><sheets><sheet name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>`,
  );
  yield part(
    "xl/_rels/workbook.xml.rels",
    relationships({
      worksheet: "worksheets/sheet1.xml",
      styles: "styles.xml",
      sharedStrings: "sharedStrings.xml",
    }),
  );
  yield part(
    "xl/styles.xml",
    `<styleSheet ${MAIN}><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>`,
  );
  yield { name: "xl/sharedStrings.xml", content: sharedStrings(options) };
  yield { name: "xl/worksheets/sheet1.xml", content: sheet(options) };
}

function contentTypes(): string {
  const parts = {
    "workbook": "sheet.main",
    "worksheets/sheet1": "worksheet",
    "styles": "styles",
    "sharedStrings": "sharedStrings",
  };
  const each = Object.entries(parts).map(([part, type]) =>
    `<Override PartName="/xl/${part}.xml" ContentType="${TYPE}.${type}+xml"/>`
  );
  return `<Types xmlns="${PACKAGE}/content-types">${each.join("")}</Types>`;
}

function relationships(targets: Record<string, string>): string {
  const each = Object.entries(targets).map(([type, target], i) =>
    `<Relationship Id="rId${i + 1}" Type="${OFFICE}/${type}" Target="${target}"/>`
  );
  return `<Relationships xmlns="${PACKAGE}/relationships">${each.join("")}</Relationships>`;
}

function* sharedStrings({ rows, unique }: WorkbookLikeExcelsOptions): Generator<string> {
  yield `${HEAD}<sst ${MAIN}>`;
  for (const heading of HEADINGS) yield `<si><t>${heading}</t></si>`;
  for (const [column, count] of REPEATED.entries()) {
    for (let i = 0; i < count; i++) {
      yield `<si><t>${column === 4 ? TYPES[i] : `${HEADINGS[column]} number ${i}`}</t></si>`;
    }
  }
  for (let row = 1; unique && row <= rows; row++) {
    let xml = "";
    for (let column = 0; column < uniqueColumns(row); column++) {
      xml += `<si><t>${HEADINGS[column]}-${(row * 7919) % 1_000_003}-${row}</t></si>`;
    }
    yield xml;
  }
  yield "</sst>";
}

/** Three and four of seven in turns: the first ones. */
function uniqueColumns(row: number): number {
  return 3 + row % 2;
}

function* sheet({ rows, unique }: WorkbookLikeExcelsOptions): Generator<string> {
  yield `${HEAD}<worksheet ${MAIN}><sheetData><row r="1" spans="1:12">`;
  for (const [column] of HEADINGS.entries()) yield `<c r="${letter(column)}1" t="s"><v>${column}</v></c>`;
  yield "</row>";
  let nextUnique = REPEATED_COUNT;
  for (let row = 1; row <= rows; row++) {
    const at = (column: number) => `<c r="${letter(column)}${row + 1}"`;
    let xml = `<row r="${row + 1}" spans="1:12" x14ac:dyDescent="0.25">`;
    let firstOfColumn = HEADINGS.length;
    for (const [column, count] of REPEATED.entries()) {
      const isUnique = unique && column < uniqueColumns(row);
      const index = isUnique ? nextUnique++ : firstOfColumn + (row * 31 + column * 17) % count;
      xml += `${at(column)} t="s"><v>${index}</v></c>`;
      firstOfColumn += count;
    }
    xml += `${at(7)}><v>${1 + row % 90}</v></c>${at(8)}><v>${row * 8}</v></c>`;
    xml += `${at(9)}><v>${(row * 1.1).toPrecision(17)}</v></c>`;
    for (const column of [10, 11]) {
      xml += `${at(column)} s="1"><v>${44_000 + (row * column) % 2000}</v></c>`;
    }
    yield `${xml}</row>`;
  }
  yield "</sheetData></worksheet>";
}

function letter(column: number): string {
  return String.fromCharCode(65 + column);
}
