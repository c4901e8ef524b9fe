import { assertEquals } from "@std/assert";
import { type DecimalMark, parseDecimal } from "../../../shared/imports/parse_decimal.ts";

const CASES: [text: string, mark: DecimalMark | undefined, expected: string | null][] = [
  // Plain digits, in canonical form.
  ["0", undefined, "0"],
  ["12", undefined, "12"],
  ["+12", undefined, "12"],
  ["-0", undefined, "0"],
  ["-0.0", undefined, "0"],
  ["007.500", undefined, "7.5"],
  [".5", undefined, "0.5"],
  ["5.", undefined, "5"],
  // Exact: no floating-point number in between.
  ["0.1000000000000000055511151231257827", undefined, "0.1000000000000000055511151231257827"],
  ["123456789012345678901234567890.12", undefined, "123456789012345678901234567890.12"],
  // Both separators: the later one is the decimal mark.
  ["1,234.50", undefined, "1234.5"],
  ["1.234,50", undefined, "1234.5"],
  ["-1.234.567,8", undefined, "-1234567.8"],
  // One that stands twice is no decimal mark.
  ["1,234,567", undefined, "1234567"],
  ["1.234.567", undefined, "1234567"],
  // A single comma is a decimal mark unless three digits follow.
  ["1,5", undefined, "1.5"],
  ["1,2345", undefined, "1.2345"],
  ["0,123", undefined, "0.123"],
  [",123", undefined, "0.123"],
  ["1,234", undefined, "ambiguous"],
  ["12,000", undefined, "ambiguous"],
  // A point is a decimal mark, even before three digits.
  ["1.234", undefined, "1.234"],
  // The option decides.
  ["1,234", ".", "1234"],
  ["1,234", ",", "1.234"],
  ["1.234", ",", "1234"],
  ["1.234", ".", "1.234"],
  ["1.234,5", ",", "1234.5"],
  ["1.234,5", ".", null],
  ["1,234.5", ",", null],
  ["1,5", ".", null],
  // Spaces and quotes group, whatever their kind.
  ["1 234,5", undefined, "1234.5"],
  ["1\u00a0234\u202f567", undefined, "1234567"],
  ["1'234.5", undefined, "1234.5"],
  // Hundredths, as a workbook keeps them.
  ["12.5%", undefined, "0.125"],
  ["-7,5 %", undefined, "-0.075"],
  ["100%", undefined, "1"],
  ["1,234%", undefined, "ambiguous"],
  ["1.234,5%", ",", "12.345"],
  ["%", undefined, null],
  ["5%%", undefined, null],
  ["5% %", undefined, null],
  ["5% off", undefined, null],
  // Powers of ten.
  ["1e3", undefined, "1000"],
  ["1.5E-3", undefined, "0.0015"],
  ["12e-1", undefined, "1.2"],
  ["-2.5e+2", undefined, "-250"],
  ["1e999", undefined, null],
  // No numbers.
  ["", undefined, null],
  ["-", undefined, null],
  [".", undefined, null],
  ["1.2.3", undefined, null],
  ["1,2,3", undefined, null],
  ["12,34,567", undefined, null],
  ["12 kg", undefined, null],
  ["1/2", undefined, null],
  ["--1", undefined, null],
  ["0x10", undefined, null],
  ["NaN", undefined, null],
  ["Infinity", undefined, null],
  ["१२", undefined, null],
];

for (const [text, mark, expected] of CASES) {
  Deno.test(`parseDecimal() reads ${JSON.stringify(text)}${mark ? ` with the mark "${mark}"` : ""} as ${expected}`, () => {
    assertEquals(parseDecimal(text, mark), expected);
  });
}

Deno.test("parseDecimal() refuses a cell of a million characters at once", () => {
  assertEquals(parseDecimal("1".repeat(1_000_000) + "x"), null);
  assertEquals(parseDecimal(`01.${"0".repeat(1_000_000)}1`), null);
});
