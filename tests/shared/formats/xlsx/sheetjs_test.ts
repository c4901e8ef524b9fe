import { assertEquals } from "@std/assert";
import * as XLSX from "xlsx";
import { type Cell, DateCell, ErrorCell } from "../../../../shared/formats/reader.ts";
import { readAll } from "./_read_all.ts";

/** SheetJS writes each workbook and reads it back; this project's reader must see the same in every cell. */
const WORKBOOKS: { name: string; options: XLSX.WritingOptions }[] = [
  { name: "shared strings, deflated", options: { bookSST: true, compression: true } },
  { name: "inline results, stored", options: { bookSST: false, compression: false } },
  { name: "shared strings, stored", options: { bookSST: true, compression: false } },
];

for (const { name, options } of WORKBOOKS) {
  Deno.test(`openXlsx() reads what SheetJS writes with ${name}`, async () => {
    const bytes = new Uint8Array(XLSX.write(everyType(), { ...options, type: "array", bookType: "xlsx" }));
    const { rows, rowNumbers } = await readAll(bytes);
    const sheet = XLSX.read(bytes, { cellNF: true, cellDates: false }).Sheets["Everything"];
    const cells = sheetCells(sheet ?? {});
    const found = new Map<string, Cell>();
    rows.forEach((row, i) =>
      row.forEach((cell, column) => {
        const at = XLSX.utils.encode_cell({ r: (rowNumbers[i] ?? 0) - 1, c: column });
        if (cell !== null) found.set(at, cell);
      })
    );
    assertEquals([...found.keys()].sort(), [...cells.keys()].sort());
    for (const [at, cell] of cells) assertEquals(found.get(at), expected(cell), at);
    assertEquals(found.size > 2000, true);
  });
}

function sheetCells(sheet: XLSX.WorkSheet): Map<string, XLSX.CellObject> {
  const cells = new Map<string, XLSX.CellObject>();
  for (const [at, cell] of Object.entries(sheet)) {
    if (!at.startsWith("!") && cell.t !== "z") cells.set(at, cell);
  }
  return cells;
}

/** A date as SheetJS shows it with a format that leaves nothing out. */
function expected(cell: XLSX.CellObject): Cell {
  if (cell.t === "e") return new ErrorCell(ERRORS.get(Number(cell.v)) ?? "");
  if (cell.t !== "n") return cell.v as string | boolean;
  const serial = Number(cell.v);
  if (!XLSX.SSF.is_date(String(cell.z))) return serial;
  const format = serial < 1 ? "hh:mm:ss" : serial % 1 === 0 ? "yyyy-mm-dd" : 'yyyy-mm-dd"T"hh:mm:ss';
  return new DateCell(XLSX.SSF.format(format, serial));
}

const ERRORS = new Map([[0x00, "#NULL!"], [0x07, "#DIV/0!"], [0x0f, "#VALUE!"], [0x17, "#REF!"], [
  0x1d,
  "#NAME?",
], [
  0x24,
  "#NUM!",
], [0x2a, "#N/A"]]);

function everyType(): XLSX.WorkBook {
  const random = seeded(20_260_801);
  const texts = [
    "plain",
    "",
    " edges ",
    "a & b < c > d",
    "q\"uote's",
    "línea\nnueva",
    "日本語",
    "😀",
    "=1+1",
    "_x0041_",
    "tab\there",
  ];
  const formats = [
    "yyyy-mm-dd",
    "m/d/yy h:mm",
    "d-mmm",
    "hh:mm:ss",
    "dddd, mmmm dd, yyyy",
    '"Day" d',
    "mm:ss.0",
  ];
  const numbers = [0, 1, -1, 0.1, 1 / 3, 1e-300, 1.7976931348623157e308, 123456789.123456789, 2 ** 53, -0.5];
  const sheet: XLSX.WorkSheet = {};
  const pick = <T>(list: T[]) => list[Math.floor(random() * list.length)] as T;
  for (let r = 0; r < 500; r++) {
    if (r % 41 === 40) continue;
    for (let c = 0; c < 12; c++) {
      const cell = makeCell(Math.floor(random() * 8));
      if (cell) sheet[XLSX.utils.encode_cell({ r, c: c < 11 ? c : 30 })] = cell;
    }
  }
  sheet["!ref"] = "A1:AE500";
  sheet["!merges"] = [{ s: { r: 600, c: 0 }, e: { r: 601, c: 3 } }];
  const book = XLSX.utils.book_new();
  XLSX.utils.book_append_sheet(book, sheet, "Everything");
  return book;

  function makeCell(kind: number): XLSX.CellObject | null {
    switch (kind) {
      case 0:
        return { t: "n", v: pick(numbers) };
      case 1:
        return { t: "n", v: (random() - 0.5) * 10 ** Math.floor(random() * 30 - 10) };
      case 2:
        return { t: "s", v: `${pick(texts)}${random() < 0.5 ? Math.floor(random() * 1000) : ""}` || "x" };
      case 3:
        return { t: "b", v: random() < 0.5 };
      case 4:
        return { t: "e", v: pick([...ERRORS.keys()]) };
      case 5:
        return {
          t: "n",
          v: Math.floor(61 + random() * 50_000) + Math.floor(random() * 1440) / 1440,
          z: pick(formats),
        };
      case 6:
        return { t: "n", v: Math.floor(61 + random() * 50_000), z: pick(formats), f: "TODAY()" };
      default:
        return null;
    }
  }
}

function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
