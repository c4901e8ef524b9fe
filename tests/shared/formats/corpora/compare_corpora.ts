/**
 * Reads spreadsheets that other programs have made and compares every value with what independent readers see: .xlsx and
 * .csv with SheetJS; .xls and .ods, which SheetJS itself reads, with what LibreOffice makes .xlsx of them.
 * `deno task corpora [FOLDER]`, by default `.cache/corpora`; ends with 1 if a
 * difference is not in the list of those that are meant.
 */
import { fromFileUrl } from "@std/path";
import * as XLSX from "xlsx";
import { LongshoreError } from "../../../../shared/errors.ts";
import { bytesSource } from "../../../../shared/formats/bytes_source.ts";
import { openCsv } from "../../../../shared/formats/csv/mod.ts";
import { DateCell, ErrorCell, type RowReader } from "../../../../shared/formats/reader.ts";
import { legacyKind, openLegacy } from "../../../../shared/formats/sheetjs/mod.ts";
import { openXlsx } from "../../../../shared/formats/xlsx/mod.ts";
import { fetchCorpora } from "./fetch_corpora.ts";
import { MEANT } from "./meant_differences.ts";

/** Values by sheet and place, as text that tells types apart; a string says why there are none. */
type Values = Map<string, string> | string;

const ERRORS = new Map(
  Object.entries({
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0f: "#VALUE!",
    0x17: "#REF!",
    0x1d: "#NAME?",
    0x24: "#NUM!",
    0x2a: "#N/A",
  }).map(([code, text]) => [Number(code), text]),
);

const { found, made } = await fetchCorpora(
  Deno.args[0] ?? fromFileUrl(new URL("../../../../.cache/corpora", import.meta.url)),
);
const totals = { files: 0, values: 0, same: 0, meant: 0, different: 0, refused: 0 };
for (const path of [...found, ...made.map(({ file }) => file)]) {
  const bytes = await Deno.readFile(path);
  if (/\.csv$/i.test(path)) compare(path, await csvValues(bytes), csvOfSheetJs(bytes));
  else if (/\.xls[xm]$/i.test(path)) compare(path, await ownValues(bytes), workbookOfSheetJs(bytes));
}
for (const { from, file } of made) {
  if (!/\.(ods|xls)$/i.test(file)) continue;
  const twin = made.find((each) => each.from === from && each.file.endsWith(".xlsx"));
  if (twin) {
    compare(
      file,
      await ownValues(await Deno.readFile(file)),
      await ownValues(await Deno.readFile(twin.file)),
      "15",
    );
  }
}
for (const from of found.filter((path) => path.endsWith(".xls"))) {
  const twin = made.find((each) => each.from === from && each.file.endsWith(".xlsx"));
  if (twin) {
    compare(
      from,
      await ownValues(await Deno.readFile(from)),
      await ownValues(await Deno.readFile(twin.file)),
      "15",
    );
  }
}
console.log(
  `${totals.files} files, ${totals.values} values: ${totals.same} files the same, ${totals.meant} different as listed, ` +
    `${totals.refused} refused by both, ${totals.different} different`,
);
if (totals.different > 0) Deno.exit(1);

/** Two readers of one file see the same digits; LibreOffice writes numbers with 15 of them. */
type Digits = "all" | "15";

function compare(path: string, own: Values, other: Values, digits: Digits = "all"): void {
  const name = path.split("/").slice(-2).join("/");
  totals.files++;
  if (typeof own === "string" || typeof other === "string") {
    if (typeof own === typeof other) return void totals.refused++;
    return report(name, [typeof own === "string" ? own : `other: ${other}`]);
  }
  totals.values += own.size;
  const differences: string[] = [];
  for (const at of new Set([...own.keys(), ...other.keys()])) {
    if (!isSame(own.get(at), other.get(at), digits)) {
      differences.push(`${at}: ${own.get(at)} | ${other.get(at)}`);
    }
  }
  if (differences.length === 0) totals.same++;
  else report(name, differences);
}

function isSame(own: string | undefined, other: string | undefined, digits: Digits): boolean {
  if (own === other) return true;
  if (digits === "all" || own === undefined || other === undefined) return false;
  const [a, b] = [Number(own), Number(other)];
  return Math.abs(a - b) <= 5e-15 * Math.abs(a);
}

function report(name: string, differences: string[]): void {
  const rest = differences.filter((each) =>
    !MEANT.some(({ file, difference }) => file.test(name) && difference.test(each))
  );
  if (rest.length === 0) return void totals.meant++;
  totals.different++;
  console.log(`${name}: ${rest.length} of ${differences.length}`);
  for (const each of rest.slice(0, 5)) console.log(`  ${each.slice(0, 200).replaceAll("\n", "\\n")}`);
}

async function ownValues(bytes: Uint8Array): Promise<Values> {
  const source = bytesSource(bytes);
  try {
    const kind = await legacyKind(source);
    const open = (sheet?: string): Promise<RowReader<unknown>> => {
      const options = { withHidden: true, ...(sheet === undefined ? {} : { sheet }) };
      return kind ? openLegacy(source, { kind, ...options }) : openXlsx(source, options);
    };
    const values = new Map<string, string>();
    for (const sheet of (await open()).info.sheets ?? []) {
      await addValues(values, { sheet, reader: await open(sheet) });
    }
    return values;
  } catch (error) {
    if (error instanceof LongshoreError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

async function csvValues(bytes: Uint8Array): Promise<Values> {
  const values = new Map<string, string>();
  await addValues(values, { sheet: "", reader: await openCsv(bytesSource(bytes)) });
  return values;
}

async function addValues(
  values: Map<string, string>,
  { sheet, reader }: { sheet: string; reader: RowReader<unknown> },
): Promise<void> {
  for await (const { rows, rowNumbers } of reader.batches()) {
    rows.forEach((row, i) =>
      row.forEach((cell, column) => {
        if (cell === null || cell === "") return;
        const at = `${sheet}!${XLSX.utils.encode_cell({ r: rowNumbers[i]! - 1, c: column })}`;
        values.set(
          at,
          cell instanceof DateCell || cell instanceof ErrorCell ? String(cell) : JSON.stringify(cell),
        );
      })
    );
  }
}

function workbookOfSheetJs(bytes: Uint8Array): Values {
  let workbook: XLSX.WorkBook;
  try {
    workbook = XLSX.read(bytes, { dense: true, cellNF: true, cellText: false, cellHTML: false });
  } catch (error) {
    return String(error);
  }
  const is1904 = workbook.Workbook?.WBProps?.date1904 === true;
  const values = new Map<string, string>();
  for (const name of workbook.SheetNames) {
    for (const [at, cell] of cellsOf(workbook.Sheets[name])) {
      if (cell.t === "z" || cell.v === undefined || cell.v === "") continue;
      values.set(`${name}!${at}`, textOf(cell, is1904));
    }
  }
  return values;
}

function textOf(cell: XLSX.CellObject, is1904: boolean): string {
  if (cell.t === "e") return ERRORS.get(Number(cell.v)) ?? "";
  if (cell.t !== "n" || !XLSX.SSF.is_date(String(cell.z ?? ""))) return JSON.stringify(cell.v);
  const serial = Number(cell.v);
  // A format that leaves nothing out; elapsed time is no date.
  if (/\[[hms]+\]/i.test(String(cell.z))) return `${XLSX.SSF.format("[hh]:mm:ss", serial)}`;
  const days = is1904 ? serial + 1462 : serial;
  const date = XLSX.SSF.format("yyyy-mm-dd", days);
  const time = XLSX.SSF.format("hh:mm:ss.000", serial).replace(/\.000$/, "");
  return serial < 1 ? time : time === "00:00:00" ? date : `${date}T${time}`;
}

/** Every value as the text that it is. */
function csvOfSheetJs(bytes: Uint8Array): Values {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    text = new TextDecoder("windows-1252").decode(bytes);
  }
  const workbook = XLSX.read(text, { type: "string", raw: true, dense: true });
  const values = new Map<string, string>();
  for (const [at, cell] of cellsOf(workbook.Sheets[workbook.SheetNames[0] ?? ""])) {
    if (cell.v !== undefined && cell.v !== "") values.set(`!${at}`, JSON.stringify(String(cell.v)));
  }
  return values;
}

function* cellsOf(sheet: XLSX.WorkSheet | undefined): Generator<[at: string, cell: XLSX.CellObject]> {
  for (const [r, row] of Object.entries(sheet?.["!data"] ?? [])) {
    for (const [c, cell] of Object.entries(row ?? [])) {
      if (cell) yield [XLSX.utils.encode_cell({ r: Number(r), c: Number(c) }), cell];
    }
  }
}
