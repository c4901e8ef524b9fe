import { assertEquals } from "@std/assert";
import { z } from "zod";
import { type Cell, DateCell, type RowBatch, type RowFlaw } from "../../../shared/formats/reader.ts";
import { type StageOptions, stagerOf } from "../../../shared/imports/stage_rows.ts";
import { dataset } from "./_dataset.ts";

const OPTIONS: StageOptions = {
  fileIndex: [0, 1, 2, null],
  width: 3,
  requiredColumns: ["tag"],
  fixedWidth: true,
};

function batch(rows: Cell[][], flaws: [number, RowFlaw][] = []): RowBatch<null> {
  return {
    rows,
    rowNumbers: rows.map((_, index) => index + 2),
    lines: rows.map((_, index) => index + 12),
    flaws: new Map(flaws),
    cursor: null,
    bytesRead: 0,
  };
}

function stage(rows: Cell[][], options: Partial<StageOptions> = {}, flaws: [number, RowFlaw][] = []) {
  return stagerOf(dataset, { ...OPTIONS, ...options })(batch(rows, flaws), 1);
}

/** Number, line, raw, and a text for each of the four columns. */
const STAGED: { name: string; row: Cell[]; staged: string; options?: Partial<StageOptions> }[] = [
  {
    name: "canonical texts without the raw record",
    row: ["A", "x", "1.5"],
    staged: "2\t12\t\\N\tA\tx\t1.5\t\\N",
  },
  { name: "NULL for empty cells", row: ["A", null, null], staged: "2\t12\t\\N\tA\t\\N\t\\N\t\\N" },
  {
    name: "the raw record where a value is written another way",
    row: ["A", null, "1 234,5"],
    staged: '2\t12\t["A",null,"1 234,5"]\tA\t\\N\t1234.5\t\\N',
  },
  {
    name: "the raw record where spaces are cut off",
    row: [" A ", null, null],
    staged: '2\t12\t[" A ",null,null]\tA\t\\N\t\\N\t\\N',
  },
  {
    name: "a workbook's number without the raw record",
    row: ["A", null, 7],
    staged: "2\t12\t\\N\tA\t\\N\t7\t\\N",
  },
  {
    name: "a workbook's date without the raw record",
    row: ["A", new DateCell("2025-12-31"), null],
    staged: "2\t12\t\\N\tA\t2025-12-31\t\\N\t\\N",
  },
  {
    name: "the raw record where a column is ignored",
    row: ["A", "why", null],
    options: { fileIndex: [0, null, 2, null] },
    staged: '2\t12\t["A","why",null]\tA\t\\N\t\\N\t\\N',
  },
  {
    name: "COPY's escapes for tabs, newlines and backslashes",
    row: ["A", "a\tb\nc\rd\\e\\N\\.", null],
    staged: "2\t12\t\\N\tA\ta\\tb\\nc\\rd\\\\e\\\\N\\\\.\t\\N\t\\N",
  },
  {
    name: "a text that looks like NULL as text",
    row: ["\\N", null, null],
    staged: "2\t12\t\\N\t\\\\N\t\\N\t\\N\t\\N",
  },
];

for (const { name, row, staged, options } of STAGED) {
  Deno.test(`stagerOf() stages ${name}`, () => {
    const { rows, problems, rowCount, invalidCount } = stage([row], options);
    assertEquals([rows, problems, rowCount, invalidCount], [`${staged}\n`, "", 1, 0]);
  });
}

/** Row, column, code, message, value, phase. */
const PROBLEMS: {
  name: string;
  row: Cell[];
  problems: string;
  options?: Partial<StageOptions>;
  flaw?: RowFlaw;
}[] = [
  {
    name: "every cell that is refused",
    row: [null, "x", "many"],
    problems: "2\t1\trequired\tTag is required, found an empty cell\t\\N\t1\n" +
      '2\t3\tinvalid_number\tWeight (kg) "many" is no number: expected digits such as 12.5\tmany\t1\n',
  },
  {
    name: "a CSV's row with too few cells",
    row: ["A", "x"],
    problems: "2\t\\N\tmalformed_row\tThe row has 2 cells: expected 3, as the headings\t\\N\t1\n",
  },
  {
    name: "a row with too many cells",
    row: ["A", "x", "1", null, "more"],
    problems: "2\t\\N\tmalformed_row\tThe row has 5 cells: expected 3, as the headings\t\\N\t1\n",
  },
  { name: "no row that is longer by empty cells", row: ["A", "x", "1", null, null], problems: "" },
  { name: "no row of a workbook that is shorter", row: ["A"], options: { fixedWidth: false }, problems: "" },
  {
    name: "broken text",
    row: ["A", "\ufffd", "1"],
    flaw: "invalid_text",
    problems: "2\t\\N\tinvalid_text\tThe row has bytes that are no text in the file's encoding\t\\N\t1\n",
  },
  {
    name: "a quote that is never closed",
    row: ["A", "x", "1"],
    flaw: "unbalanced_quotes",
    problems: "2\t\\N\tmalformed_row\tA quote is opened and never closed: expected a closing quote\t\\N\t1\n",
  },
  {
    name: "a value with tabs in COPY's escapes, shortened",
    row: ["A", null, `\t${"9\t".repeat(150)}x`],
    problems: `2\t3\tinvalid_number\tWeight (kg) "${
      "9\\t".repeat(39)
    }9…" is no number: expected digits such as 12.5\t${`\\t${"9\\t".repeat(99)}9`}\t1\n`,
  },
];

for (const { name, row, options, flaw, problems } of PROBLEMS) {
  Deno.test(`stagerOf() tells ${name}`, () => {
    const staged = stage([row], options, flaw ? [[0, flaw]] : []);
    assertEquals([staged.problems, staged.rowCount, staged.invalidCount], [problems, 1, problems ? 1 : 0]);
  });
}

Deno.test("stagerOf() keeps the whole record of a row with the wrong number of cells", () => {
  const { rows, width } = stage([["A", "x", "1", "more", null]]);
  assertEquals([rows, width], ['2\t12\t["A","x","1","more",null]\t\\N\t\\N\t\\N\t\\N\n', 5]);
});

Deno.test("stagerOf() leaves out what stands above the rows, and keeps no value of the row before", () => {
  const stager = stagerOf(dataset, OPTIONS);
  const { rows, rowCount } = stager(
    batch([["Tag", "Description", "Mass"], ["A", "x", "1"], ["B", null, null]]),
    2,
  );
  assertEquals([rows, rowCount], ["3\t13\t\\N\tA\tx\t1\t\\N\n4\t14\t\\N\tB\t\\N\t\\N\t\\N\n", 2]);
});

Deno.test("stagerOf() stages what is no value as it stood", () => {
  assertEquals(stage([["A", "x", " many "]]).rows, "2\t12\t\\N\tA\tx\t many \t\\N\n");
});

Deno.test("stagerOf() replaces NUL, which a database cannot store", () => {
  const { rows, problems } = stage([["A", "a\0b", null]]);
  assertEquals(rows, "2\t12\t\\N\tA\ta\ufffdb\t\\N\t\\N\n");
  assertEquals(
    problems,
    '2\t2\tinvalid_text\tDescription "a␀b" has a NUL character: expected text\ta\ufffdb\t1\n',
  );
});

Deno.test("stagerOf() asks the dataset's rules about what will be staged", () => {
  const ruled = {
    ...dataset,
    row: z.looseObject({ description: z.string().regex(/^a\tb$/, "Description is odd") })
      .refine((row) => row.weight_kg !== "13", "Thirteen brings bad luck"),
  };
  const stager = stagerOf(ruled, OPTIONS);
  assertEquals(stager(batch([["A", "a\tb", "12"]]), 1).problems, "");
  assertEquals(
    stager(batch([["A", "ab", "12"], ["B", "a\tb", "13,0"], ["C", "odd", "many"]]), 1).problems,
    "2\t2\tinvalid_format\tDescription is odd\tab\t1\n" +
      "3\t\\N\tinvalid_format\tThirteen brings bad luck\t\\N\t1\n" +
      // What is no number already is not asked about.
      '4\t3\tinvalid_number\tWeight (kg) "many" is no number: expected digits such as 12.5\tmany\t1\n',
  );
});
