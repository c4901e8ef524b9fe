import { assertEquals, assertThrows } from "@std/assert";
import * as XLSX from "xlsx";
import { LongshoreError } from "../../../../shared/errors.ts";
import {
  createWorkbookWriter,
  type WorkbookColumn,
  type WorkbookOptions,
  type WorkbookState,
  type WorkbookValue,
} from "../../../../shared/formats/xlsx/mod.ts";
import { type Random, seededRandom } from "../../../helpers/random.ts";
import { date, readAll } from "./_read_all.ts";

function workbook(rows: WorkbookValue[][], options?: WorkbookOptions): Uint8Array {
  const writer = createWorkbookWriter(options);
  return joined([writer.writeRows(rows), writer.finish()]);
}

function joined(pieces: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** One column of a type, its values as Postgres prints them, and what a reader sees. */
const TYPES: { column: WorkbookColumn; values: WorkbookValue[]; cells: unknown[] }[] = [
  {
    column: { heading: "Text", type: "text" },
    values: ["007", "=1+1", "2025-12-31", "t", 5],
    cells: ["007", "=1+1", "2025-12-31", "t", "5"],
  },
  {
    column: { heading: "Integer", type: "integer" },
    values: ["42", "-7", "123456789012345", "1234567890123456", 10n, "many"],
    cells: [42, -7, 123456789012345, "1234567890123456", 10, "many"],
  },
  {
    column: { heading: "Decimal", type: "decimal" },
    values: ["12.50", "-0.001", "0.3333333333333333333", "1e+20", "NaN", "Infinity", ".5", "5.", "-", ""],
    cells: [12.5, -0.001, 1 / 3, 1e20, "NaN", "Infinity", ".5", "5.", "-", ""],
  },
  {
    column: { heading: "Date", type: "date" },
    values: ["2025-12-31", "1900-03-01", "1900-02-28", "0099-01-01", "infinity", "2024-02-29", "2023-02-29"],
    cells: [
      date("2025-12-31"),
      date("1900-03-01"),
      "1900-02-28",
      "0099-01-01",
      "infinity",
      date("2024-02-29"),
      "2023-02-29",
    ],
  },
  {
    column: { heading: "Timestamp", type: "timestamp" },
    values: [
      "2025-12-31 08:30:15",
      "2025-12-31 08:30:15.25+00",
      "2025-12-31T00:30:00+02",
      "2025-12-31 23:30:00-05:30",
      new Date("2025-12-31T08:00:00Z"),
      "0044-03-15 12:00:00 BC",
    ],
    cells: [
      date("2025-12-31T08:30:15"),
      date("2025-12-31T08:30:15.250"),
      date("2025-12-30T22:30:00"),
      date("2026-01-01T05:00:00"),
      date("2025-12-31T08:00:00"),
      "0044-03-15 12:00:00 BC",
    ],
  },
  {
    column: { heading: "Time", type: "time" },
    values: ["08:00:00", "23:59:59.5", "100:00:00"],
    cells: [date("08:00:00"), date("23:59:59.500"), date("100:00:00")],
  },
  {
    column: { heading: "Boolean", type: "boolean" },
    values: ["t", "f", "true", "false", true, "perhaps"],
    cells: [true, false, true, false, true, "perhaps"],
  },
];

for (const { column, values, cells } of TYPES) {
  Deno.test(`createWorkbookWriter() writes a column of the type ${column.type}`, async () => {
    const { rows } = await readAll(workbook(values.map((value) => [value, "x"]), { columns: [column] }));
    assertEquals(rows, [[column.heading], ...cells.map((cell) => [cell, "x"])] as typeof rows);
  });
}

Deno.test("createWorkbookWriter() writes the same from CSV as from rows, however its bytes come", () => {
  const columns = TYPES.map(({ column }) => column);
  const random = seededRandom(20_261_121);
  const nasty = [
    "a",
    "Ü",
    "日本",
    "😀",
    " ",
    '"',
    ",",
    "\n",
    "\r",
    "&",
    "<",
    ">",
    "_x0041_",
    "_",
    "\u0001",
    "\ufeff",
    "\uffff",
    "\x7f",
  ];
  const rows = Array.from({ length: 400 }, () =>
    TYPES.map(({ values }) => {
      if (random.chance(0.1)) return null;
      if (random.chance(0.5)) return String(random.pick(values.filter((value) => typeof value === "string")));
      return Array.from({ length: random.int(0, 5) }, () => random.pick(nasty)).join("");
    }));
  for (const text of ["behind ", " before", "two  blanks", " "]) rows.push(TYPES.map(() => text));
  rows.push(TYPES.map(() => null), TYPES.map(() => "x".repeat(40_000)), TYPES.map(() => '"'.repeat(32_767)));
  const csv = new TextEncoder().encode(rows.map((row) => csvLine(row, random)).join(""));
  const options: WorkbookOptions = { columns, longTexts: "cut" };
  const expected = workbook(rows, options);
  for (
    const [pieceBytes, lineEnd] of [[csv.length, "\n"], [1000, "\n"], [7, "\n"], [1000, "\r\n"]] as const
  ) {
    const bytes = lineEnd === "\n"
      ? csv
      : new TextEncoder().encode(rows.map((row) => csvLine(row, random, lineEnd)).join(""));
    const writer = createWorkbookWriter(options);
    const pieces: Uint8Array[] = [];
    const end = pieceBytes === 7 ? bytes.indexOf(10, 20_000) + 1 : bytes.length;
    for (let from = 0; from < end; from += pieceBytes) {
      pieces.push(writer.writeCsv(bytes.slice(from, Math.min(end, from + pieceBytes))));
    }
    if (end < bytes.length) pieces.push(writer.writeCsv(bytes.subarray(end)));
    pieces.push(writer.finish());
    assertEquals(writer.rowCount, rows.length);
    assertEquals(writer.cutTexts, TYPES.length);
    assertEquals(joined(pieces), expected);
  }
});

Deno.test("createWorkbookWriter() refuses CSV that is none, and to end in the middle of a row", () => {
  const csv = (text: string) => new TextEncoder().encode(text);
  assertThrows(
    () => createWorkbookWriter().writeCsv(csv('a,"b"c\n')),
    SyntaxError,
    "Cannot read row 1 of the CSV",
  );
  const writer = createWorkbookWriter();
  writer.writeCsv(csv("a,b"));
  assertThrows(() => writer.pause(), RangeError, "Cannot pause: found the start of a row, expected its end");
  assertThrows(
    () => writer.finish(),
    RangeError,
    "Cannot finish: found the start of a row, expected its end",
  );
  writer.writeCsv(csv("\n"));
  writer.finish();
});

Deno.test("createWorkbookWriter() gives the same workbook when it is left and gone on with", async () => {
  const rows = Array.from(
    { length: 3000 },
    (_, i) => [`row ${i}`, i, `x${i * 7919}`, i % 7 ? null : "2025-01-01"],
  );
  const options: WorkbookOptions = {
    sheet: "Parts",
    columns: [{ heading: "Name" }, { heading: "Number", type: "integer" }, {}, { type: "date" }],
    autoFilter: true,
    rowsPerSheet: 1100,
  };
  const pieces: Uint8Array[] = [];
  let state: WorkbookState | undefined;
  for (let from = 0; from < rows.length; from += 250) {
    const writer = createWorkbookWriter(options, state && JSON.parse(JSON.stringify(state)));
    pieces.push(writer.writeRows(rows.slice(from, from + 250)));
    const pause = writer.pause();
    pieces.push(pause.bytes);
    state = pause.state;
    assertEquals(writer.rowCount, Math.min(rows.length, from + 250));
    assertEquals(writer.byteCount, pieces.reduce((sum, { length }) => sum + length, 0));
  }
  const last = createWorkbookWriter(options, state);
  pieces.push(last.finish());
  const resumed = joined(pieces);
  const whole = workbook(rows, options);
  for (const sheet of ["Parts", "Parts (2)", "Parts (3)"]) {
    const found = await readAll(resumed, { sheet });
    assertEquals(found, await readAll(whole, { sheet }));
    assertEquals(found.rows[0], ["Name", "Number"]);
  }
  assertEquals((await readAll(resumed, { sheet: "Parts (3)" })).rows.at(-1), ["row 2999", 2999, "x23749081"]);
  const book = XLSX.read(resumed);
  assertEquals(book.SheetNames, ["Parts", "Parts (2)", "Parts (3)"]);
  assertEquals(book.Sheets["Parts (2)"]?.["!autofilter"], { ref: "A1:D1100" });
});

Deno.test("createWorkbookWriter() refuses to go on with other options", () => {
  const { state } = createWorkbookWriter({ sheet: "A" }).pause();
  const error = assertThrows(() => createWorkbookWriter({ sheet: "B" }, state), RangeError);
  assertEquals(error.message, "Cannot go on with the workbook: found other options than it was begun with");
});

Deno.test("createWorkbookWriter() refuses or cuts texts that are too long for a cell", async () => {
  const long = `${"x".repeat(32_765)}😀 end`;
  assertThrows(() => workbook([[long]]), LongshoreError, "found 32771 characters, expected at most 32767");
  const writer = createWorkbookWriter({ longTexts: "cut" });
  const bytes = joined([writer.writeRows([[long, "y".repeat(32_767)]]), writer.finish()]);
  assertEquals((await readAll(bytes)).rows, [[`${"x".repeat(32_765)}…`, "y".repeat(32_767)]]);
  assertEquals(writer.cutTexts, 1);
});

Deno.test("createWorkbookWriter() refuses more columns than a sheet has", () => {
  assertThrows(
    () => workbook([new Array(16_385).fill("x")]),
    LongshoreError,
    "found more than 16384 columns",
  );
});

/** With quotes where they are needed, and sometimes where they are not. */
function csvLine(row: (string | null)[], random: Random, lineEnd = "\n"): string {
  const fields = row.map((value) => {
    if (value === null) return "";
    const needsQuotes = value === "" || /[",\n\r]/.test(value);
    return needsQuotes || random.chance(0.3) ? `"${value.replaceAll('"', '""')}"` : value;
  });
  return fields.join(",") + lineEnd;
}
