import { assertEquals, assertThrows } from "@std/assert";
import { LongshoreError } from "../../../shared/errors.ts";
import { type Cell, DateCell, type RowBatch } from "../../../shared/formats/reader.ts";
import { findHeadings } from "../../../shared/imports/find_headings.ts";
import { dataset } from "./_dataset.ts";

/** Rows by their numbers. */
function batch(rows: Record<number, Cell[]>): RowBatch<null> {
  return {
    rows: Object.values(rows),
    rowNumbers: Object.keys(rows).map(Number),
    lines: null,
    flaws: null,
    cursor: null,
    bytesRead: 0,
  };
}

Deno.test("findHeadings() takes the first row of a plain list", () => {
  const rows = batch({ 1: ["Tag", " Mass ", null, ""], 2: ["A", 1] });
  assertEquals(findHeadings(dataset, rows), { rowNumber: 1, headings: ["Tag", "Mass"] });
});

Deno.test("findHeadings() passes over titles, dates and blank rows above the headings", () => {
  const rows = batch({
    1: ["Line list of project 7"],
    3: ["Tag", "issued", new DateCell("2025-12-31")],
    6: ["Tag", "Description", "Mass"],
    7: ["A", "mark", 1],
  });
  assertEquals(findHeadings(dataset, rows).rowNumber, 6);
});

Deno.test("findHeadings() takes the upper of two rows that are equally good", () => {
  assertEquals(findHeadings(dataset, batch({ 2: ["Tag", "Mass"], 3: ["Mark", "Mass"] })).rowNumber, 2);
});

Deno.test("findHeadings() knows headings of a given mapping", () => {
  const rows = batch({ 1: ["Mark"], 2: ["Position", "Bezeichnung"] });
  assertEquals(findHeadings(dataset, rows, { given: ["Position", "Bezeichnung"] }).rowNumber, 2);
});

Deno.test("findHeadings() looks at the top of the file only", () => {
  const rows = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [n + 1, ["x"]]));
  assertEquals(findHeadings(dataset, batch({ ...rows, 30: ["Tag"] })).rowNumber, 30);
  assertEquals(findHeadings(dataset, batch({ ...rows, 31: ["Tag"] })).rowNumber, 1);
});

Deno.test("findHeadings() takes the row that is named, whatever it holds", () => {
  const rows = batch({ 1: ["Tag", "Mass"], 4: ["a", "b"] });
  assertEquals(findHeadings(dataset, rows, { headerRow: 4 }), { rowNumber: 4, headings: ["a", "b"] });
});

Deno.test("findHeadings() refuses a named row that is empty", () => {
  const error = assertThrows(
    () => findHeadings(dataset, batch({ 1: ["Tag"] }), { headerRow: 2 }),
    LongshoreError,
  );
  assertEquals([error.code, error.message], [
    "missing_columns",
    "Cannot find headings in row 2: found the row empty",
  ]);
});
