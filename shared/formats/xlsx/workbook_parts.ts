/** The parts of a workbook other than its sheets, as XML, and what stands around the rows of a sheet. */

import { encodeXmlText } from "./encode_xml_text.ts";

/** Index of each cell style in the styles part; those of `scalesOf()` follow. */
export const CELL_STYLES = {
  plain: 0,
  heading: 1,
  date: 2,
  datetime: 3,
  time: 4,
  elapsed: 5,
  integer: 6,
} as const;

export interface SheetPart {
  name: string;
  /** Of the cells that have a filter, such as `$A$1:$L$20`; none where there is no filter. */
  filter: string | null;
}

export interface XmlPart {
  name: string;
  xml: string;
}

const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const PACKAGE = "http://schemas.openxmlformats.org/package/2006";
const OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml";

/** Those that are known before the rows are. */
export function firstParts(scales: readonly number[]): XmlPart[] {
  return [
    part("_rels/.rels", relationships([["officeDocument", "xl/workbook.xml"]])),
    part("xl/styles.xml", styles(scales)),
  ];
}

/** Those that name the sheets. */
export function lastParts(sheets: readonly SheetPart[]): XmlPart[] {
  return [
    part("xl/workbook.xml", workbook(sheets)),
    part(
      "xl/_rels/workbook.xml.rels",
      relationships([
        ...sheets.map((_, i): [string, string] => ["worksheet", `worksheets/sheet${i + 1}.xml`]),
        ["styles", "styles.xml"],
      ]),
    ),
    part("[Content_Types].xml", contentTypes(sheets.length)),
  ];
}

export function sheetPath(index: number): string {
  return `xl/worksheets/sheet${index + 1}.xml`;
}

/** What stands before the rows of a sheet. */
export function sheetStart(
  { widths, hasHeadings, isFirst }: { widths: readonly number[]; hasHeadings: boolean; isFirst: boolean },
): string {
  const view = `${isFirst ? 'tabSelected="1" ' : ""}workbookViewId="0"`;
  const frozen = `<sheetViews><sheetView ${view}>` +
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>';
  const columns = widths.map((width, i) =>
    `<col min="${i + 1}" max="${i + 1}" width="${width}" customWidth="1"/>`
  );
  return `${HEAD}<worksheet xmlns="${MAIN}">${hasHeadings ? frozen : ""}` +
    `${columns.length > 0 ? `<cols>${columns.join("")}</cols>` : ""}<sheetData>`;
}

/** What stands behind them. */
export function sheetEnd(filter: string | null): string {
  const autoFilter = filter === null ? "" : `<autoFilter ref="${filter.replaceAll("$", "")}"/>`;
  return `</sheetData>${autoFilter}</worksheet>`;
}

function workbook(sheets: readonly SheetPart[]): string {
  const elements = sheets.map(({ name }, i) =>
    `<sheet name="${encodeXmlText(name)}" sheetId="${i + 1}" r:id="rId${i + 1}"/>`
  );
  // Excel keeps the range of a filter under this name too, and other programs look for it there.
  const filters = sheets.flatMap(({ name, filter }, i) =>
    filter === null ? [] : `<definedName name="_xlnm._FilterDatabase" localSheetId="${i}" hidden="1">` +
      `${encodeXmlText(`'${name.replaceAll("'", "''")}'!${filter}`)}</definedName>`
  );
  return `<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}"><sheets>${elements.join("")}</sheets>` +
    `${filters.length > 0 ? `<definedNames>${filters.join("")}</definedNames>` : ""}</workbook>`;
}

function part(name: string, xml: string): XmlPart {
  return { name, xml: HEAD + xml };
}

function relationships(targets: [type: string, target: string][]): string {
  const each = targets.map(([type, target], i) =>
    `<Relationship Id="rId${i + 1}" Type="${OFFICE}/${type}" Target="${target}"/>`
  );
  return `<Relationships xmlns="${PACKAGE}/relationships">${each.join("")}</Relationships>`;
}

function contentTypes(sheetCount: number): string {
  const override = (path: string, type: string) =>
    `<Override PartName="/${path}" ContentType="${TYPE}.${type}+xml"/>`;
  const sheets = Array.from({ length: sheetCount }, (_, i) => override(sheetPath(i), "worksheet"));
  return `<Types xmlns="${PACKAGE}/content-types">` +
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>' +
    '<Default Extension="xml" ContentType="application/xml"/>' +
    `${override("xl/workbook.xml", "sheet.main")}${override("xl/styles.xml", "styles")}${
      sheets.join("")
    }</Types>`;
}

const FORMATS = ["yyyy\\-mm\\-dd", "yyyy\\-mm\\-dd\\ hh:mm:ss", "hh:mm:ss", "[h]:mm:ss"];
/** Ids below are built in; 1 is a whole number without separators. */
const FIRST_FORMAT = 164;
const WHOLE_NUMBER = 1;

function styles(scales: readonly number[]): string {
  const ofScales = scales.map((scale) => scale === 0 ? "0" : `0.${"0".repeat(scale)}`);
  const formats = [...FORMATS, ...ofScales].map((code, i) => ({ id: FIRST_FORMAT + i, code }));
  const ids = formats.map(({ id }) => id);
  const cellFormats = [...ids.slice(0, FORMATS.length), WHOLE_NUMBER, ...ids.slice(FORMATS.length)].map((
    id,
  ) => `<xf numFmtId="${id}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>`);
  return `<styleSheet xmlns="${MAIN}"><numFmts count="${formats.length}">` +
    formats.map(({ id, code }) => `<numFmt numFmtId="${id}" formatCode="${code}"/>`).join("") +
    '</numFmts><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>' +
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>' +
    '<fills count="3"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>' +
    '<fill><patternFill patternType="solid"><fgColor rgb="FFE7ECF3"/><bgColor indexed="64"/></patternFill></fill></fills>' +
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>' +
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>' +
    `<cellXfs count="${
      cellFormats.length + 2
    }"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>` +
    '<xf numFmtId="0" fontId="1" fillId="2" borderId="0" xfId="0" applyFont="1" applyFill="1"/>' +
    `${cellFormats.join("")}</cellXfs>` +
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>';
}
