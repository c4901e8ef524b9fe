import { assertEquals } from "@std/assert";
import { type DateOrder, parseDate, parseTimestamp } from "../../../shared/imports/parse_date.ts";

const DAYS: [text: string, order: DateOrder | undefined, expected: string | null][] = [
  // The year first is never in doubt.
  ["2025-12-31", undefined, "2025-12-31"],
  ["2025/1/2", undefined, "2025-01-02"],
  ["2025.01.02", "mdy", "2025-01-02"],
  // Points: the day first.
  ["31.12.2025", undefined, "2025-12-31"],
  ["1.2.2025", undefined, "2025-02-01"],
  ["1.2.25", undefined, "2025-02-01"],
  // Slashes and dashes: only one order may make sense.
  ["31/12/2025", undefined, "2025-12-31"],
  ["12/31/2025", undefined, "2025-12-31"],
  ["5-5-2025", undefined, "2025-05-05"],
  ["1/2/2025", undefined, "ambiguous"],
  ["01-02-25", undefined, "ambiguous"],
  ["1/2/2025", "dmy", "2025-02-01"],
  ["1/2/2025", "mdy", "2025-01-02"],
  ["25/1/02", "ymd", "2025-01-02"],
  ["12/31/2025", "dmy", null],
  ["31/12/2025", "mdy", null],
  ["1.2.2025", "mdy", "2025-01-02"],
  // Months by name.
  ["31 Dec 2025", undefined, "2025-12-31"],
  ["1-jan-25", undefined, "2025-01-01"],
  ["1 September, 2025", undefined, "2025-09-01"],
  ["1 Foo 2025", undefined, null],
  // Two digits: up to 69 in this century.
  ["1.1.69", undefined, "2069-01-01"],
  ["1.1.70", undefined, "1970-01-01"],
  // Days that the calendar has.
  ["29.2.2024", undefined, "2024-02-29"],
  ["29.2.2025", undefined, null],
  ["29.2.1900", undefined, null],
  ["29.2.2000", undefined, "2000-02-29"],
  ["31.4.2025", undefined, null],
  ["2025-00-10", undefined, null],
  ["2025-13-01", undefined, null],
  ["0.1.2025", undefined, null],
  // No dates.
  ["", undefined, null],
  ["tomorrow", undefined, null],
  ["45000", undefined, null],
  ["1/2.2025", undefined, null],
  ["2025-12-31x", undefined, null],
];

for (const [text, order, expected] of DAYS) {
  Deno.test(`parseDate() reads ${JSON.stringify(text)}${order ? ` as ${order}` : ""} as ${expected}`, () => {
    assertEquals(parseDate(text, order), expected);
  });
}

const MOMENTS: [text: string, order: DateOrder | undefined, expected: string | null][] = [
  ["2025-12-31T08:00", undefined, "2025-12-31T08:00:00"],
  ["2025-12-31 8:05:09.123", undefined, "2025-12-31T08:05:09.123"],
  ["2025-12-31T08:00:00Z", undefined, "2025-12-31T08:00:00Z"],
  ["2025-12-31T08:00:00+02:00", undefined, "2025-12-31T08:00:00+02:00"],
  ["31.12.2025 23:59", undefined, "2025-12-31T23:59:00"],
  ["31.12.2025", undefined, "2025-12-31"],
  ["1/2/2025 10:00", "mdy", "2025-01-02T10:00:00"],
  ["1/2/2025 10:00", undefined, "ambiguous"],
  ["1/13/2025, 12:00 AM", undefined, "2025-01-13T00:00:00"],
  ["1/13/2025 12:30 pm", undefined, "2025-01-13T12:30:00"],
  ["1/13/2025 1:30 PM", undefined, "2025-01-13T13:30:00"],
  ["1/13/2025 13:30 PM", undefined, null],
  ["1/13/2025 0:30 am", undefined, null],
  ["2025-12-31 24:00", undefined, null],
  ["2025-12-31 10:60", undefined, null],
  ["2025-02-30 10:00", undefined, null],
  ["10:00", undefined, null],
];

for (const [text, order, expected] of MOMENTS) {
  Deno.test(`parseTimestamp() reads ${JSON.stringify(text)}${order ? ` as ${order}` : ""} as ${expected}`, () => {
    assertEquals(parseTimestamp(text, order), expected);
  });
}

Deno.test("parseTimestamp() refuses a cell of a million characters at once", () => {
  assertEquals(parseTimestamp(`a${" ".repeat(1_000_000)}b`), null);
});
