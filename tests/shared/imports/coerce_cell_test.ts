import { assertEquals } from "@std/assert";
import { type Cell, DateCell, ErrorCell } from "../../../shared/formats/reader.ts";
import { coercerOf, type CoercionOptions, Refusal } from "../../../shared/imports/coerce_cell.ts";
import type { Column, ProblemCode } from "../../../shared/imports/dataset.ts";

interface Case {
  column: Partial<Column>;
  cell: Cell;
  options?: CoercionOptions;
  /** The canonical text, or the code and the message of a refusal. */
  expected: string | null | [code: ProblemCode, message: string];
}

const text: Partial<Column> = { type: "text" };
const number: Partial<Column> = { type: "number" };
const integer: Partial<Column> = { type: "integer" };
const date: Partial<Column> = { type: "date" };
const timestamp: Partial<Column> = { type: "timestamp" };
const boolean: Partial<Column> = { type: "boolean" };
const values: Partial<Column> = { type: "text", values: ["spool", "field_weld"] };

const CASES: Case[] = [
  // Empty cells.
  { column: text, cell: null, expected: null },
  { column: text, cell: "  \u00a0", expected: null },
  {
    column: { ...text, required: true },
    cell: null,
    expected: ["required", "Size is required, found an empty cell"],
  },
  {
    column: { ...text, required: true },
    cell: " ",
    expected: ["required", "Size is required, found an empty cell"],
  },
  { column: { ...text, required: true }, cell: null, options: { required: false }, expected: null },
  {
    column: text,
    cell: "",
    options: { required: true },
    expected: ["required", "Size is required, found an empty cell"],
  },

  // Texts.
  { column: text, cell: '  4"  pipe ', expected: '4"  pipe' },
  { column: text, cell: 1001, expected: "1001" },
  { column: text, cell: 0.1, expected: "0.1" },
  { column: text, cell: true, expected: "true" },
  { column: text, cell: new DateCell("2025-12-31"), expected: "2025-12-31" },
  { column: text, cell: "a\0b", expected: ["invalid_text", 'Size "a␀b" has a NUL character: expected text'] },
  { column: { ...text, maxLength: 3 }, cell: "abc", expected: "abc" },
  {
    column: { ...text, maxLength: 3 },
    cell: "abcd",
    expected: ["too_long", 'Size "abcd" has 4 characters: expected at most 3'],
  },
  // What a database counts as one character counts as one here.
  { column: { ...text, maxLength: 3 }, cell: "👷👷👷", expected: "👷👷👷" },

  // Errors of formulas, from a workbook and as a CSV has them.
  {
    column: text,
    cell: new ErrorCell("#REF!"),
    expected: ["formula_error", "Size holds the error #REF!: expected a value"],
  },
  {
    column: number,
    cell: " #DIV/0! ",
    expected: ["formula_error", "Size holds the error #DIV/0!: expected a value"],
  },
  { column: text, cell: "#12", expected: "#12" },

  // Numbers.
  { column: number, cell: "1 234,50", expected: "1234.5" },
  { column: number, cell: 0.1, expected: "0.1" },
  { column: number, cell: 1e21, expected: "1000000000000000000000" },
  { column: number, cell: 1.5e-7, expected: "0.00000015" },
  {
    column: number,
    cell: "1,234",
    expected: [
      "invalid_number",
      'Size "1,234" can be read in two ways: expected the option "decimal" to say which',
    ],
  },
  { column: number, cell: "1,234", options: { decimal: "," }, expected: "1.234" },
  {
    column: number,
    cell: "a dozen",
    expected: ["invalid_number", 'Size "a dozen" is no number: expected digits such as 12.5'],
  },
  {
    column: number,
    cell: true,
    expected: ["invalid_number", 'Size "true" is no number: expected digits such as 12.5'],
  },
  {
    column: number,
    cell: new DateCell("2025-12-31"),
    expected: ["invalid_number", 'Size "2025-12-31" is no number: expected digits such as 12.5'],
  },
  { column: number, cell: Infinity, expected: ["out_of_range", 'Size "Infinity" is too large for a number'] },
  { column: { ...number, min: 0, max: 10 }, cell: "0", expected: "0" },
  { column: { ...number, min: 0, max: 10 }, cell: 10, expected: "10" },
  {
    column: { ...number, min: 0 },
    cell: "-1",
    expected: ["out_of_range", 'Size "-1" is too small: expected at least 0'],
  },
  {
    column: { ...number, max: 10 },
    cell: 10.5,
    expected: ["out_of_range", 'Size "10.5" is too large: expected at most 10'],
  },
  { column: integer, cell: 12, expected: "12" },
  { column: integer, cell: "12.0", expected: "12" },
  {
    column: integer,
    cell: "12.5",
    expected: ["invalid_number", 'Size "12.5" is no whole number: expected digits such as 12'],
  },

  // Dates.
  { column: date, cell: "31.12.2025", expected: "2025-12-31" },
  { column: date, cell: new DateCell("2025-12-31"), expected: "2025-12-31" },
  { column: date, cell: new DateCell("2025-12-31T08:00:00"), expected: "2025-12-31" },
  {
    column: date,
    cell: new DateCell("08:00:00"),
    expected: ["invalid_date", 'Size "08:00:00" is a time: expected a date such as 2025-12-31'],
  },
  {
    column: date,
    cell: 46022,
    expected: ["invalid_date", 'Size "46022" is no date: expected a cell formatted as a date'],
  },
  {
    column: date,
    cell: "1/2/2025",
    expected: [
      "invalid_date",
      'Size "1/2/2025" can be two days: expected the option "date_order" to say which',
    ],
  },
  { column: date, cell: "1/2/2025", options: { dateOrder: "mdy" }, expected: "2025-01-02" },
  {
    column: date,
    cell: "30.2.2025",
    expected: ["invalid_date", 'Size "30.2.2025" is no date: expected one such as 2025-12-31'],
  },
  { column: timestamp, cell: new DateCell("2025-12-31T08:00:00"), expected: "2025-12-31T08:00:00" },
  { column: timestamp, cell: "31.12.2025 08:00", expected: "2025-12-31T08:00:00" },
  {
    column: timestamp,
    cell: new DateCell("08:00:00"),
    expected: ["invalid_date", 'Size "08:00:00" is no date: expected a cell formatted as date and time'],
  },

  // Yes and no.
  { column: boolean, cell: true, expected: "true" },
  { column: boolean, cell: "No", expected: "false" },
  { column: boolean, cell: "X", expected: "true" },
  { column: boolean, cell: 0, expected: "false" },
  {
    column: boolean,
    cell: "maybe",
    expected: ["invalid_type", 'Size "maybe" is neither yes nor no: expected true or false'],
  },
  {
    column: boolean,
    cell: 2,
    expected: ["invalid_type", 'Size "2" is neither yes nor no: expected true or false'],
  },

  // Lists.
  { column: values, cell: "Field Weld", expected: "field_weld" },
  { column: values, cell: "FIELD-WELD", expected: "field_weld" },
  {
    column: values,
    cell: "spoool",
    expected: ["not_in_list", 'Size "spoool" is not in the list: the nearest is "spool"'],
  },
  {
    column: values,
    cell: "elephant",
    expected: ["not_in_list", 'Size "elephant" is not in the list: expected one of spool, field_weld'],
  },

  // A sensitive value is in no message.
  {
    column: { ...number, sensitive: true },
    cell: "secret",
    expected: ["invalid_number", "Size is no number: expected digits such as 12.5"],
  },
  // A long one is shortened.
  {
    column: number,
    cell: "x".repeat(100),
    expected: ["invalid_number", `Size "${"x".repeat(79)}…" is no number: expected digits such as 12.5`],
  },
];

for (const { column, cell, options, expected } of CASES) {
  const given = cell instanceof DateCell || cell instanceof ErrorCell
    ? `${cell.constructor.name} ${cell}`
    : JSON.stringify(cell);
  const told = JSON.stringify({ ...column, ...options });
  Deno.test(`coercerOf() turns ${given} for ${told} into ${JSON.stringify(expected)}`, () => {
    const coerce = coercerOf({ name: "size", title: "Size", example: "1", type: "text", ...column }, options);
    const value = coerce(cell);
    assertEquals(value instanceof Refusal ? [value.code, value.message] : value, expected);
  });
}
