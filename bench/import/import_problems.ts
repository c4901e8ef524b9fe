/**
 * What mistakes cost: the check of a file with some or only bad rows, against the check of a clean one. The database
 * itself names most mistakes for many rows at once; where a trigger alone knows them, rows have to be tried.
 */
import { join } from "@std/path";
import type { Bench, BenchOptions, Table } from "../bench.ts";
import { Timings } from "../timings.ts";
import { type Figure, FIGURE_HEADINGS, figureRows } from "./figures.ts";
import { everyRow, makeFile, type Mistake, oneInAHundred } from "./make_file.ts";
import { openSite, type Site } from "./open_site.ts";
import { LIVE_ROWS, resetTarget } from "./reset_target.ts";

export const importProblems: Bench = {
  name: "import-problems",
  title: "Checks of CSV files with bad rows, against the check of a clean one",
  run,
};

const MIXED: readonly Mistake[] = [
  "quantity in words",
  "negative quantity",
  "tag of the row before",
  "unknown area",
  "no type",
];
/** A row that repeats the tag of a bad one is no duplicate. */
const MIXED_IN_EVERY_ROW = MIXED.filter((mistake) => mistake !== "tag of the row before");
const CLEAN = "clean";
const CLEAN_TRIGGERED = "clean, with a trigger";

interface Case {
  step: string;
  table: "public.bench_rows" | "public.bench_triggered_rows";
  dataset: "bench.referring_rows" | "bench.triggered_rows";
  mistakeAt?: (place: number) => Mistake | null;
  /** Rows with problems, of so many. */
  invalid(rows: number): number;
  against?: string;
  atMost?: number;
}

const CLASSIFIED = { table: "public.bench_rows", dataset: "bench.referring_rows", against: CLEAN } as const;
const TRIGGERED = {
  table: "public.bench_triggered_rows",
  dataset: "bench.triggered_rows",
  against: CLEAN_TRIGGERED,
  atMost: 8,
} as const;
const none = () => 0;
const all = (rows: number) => rows;
const hundredth = (rows: number) => Math.floor((rows - 8) / 100) + 1;

const CASES: readonly Case[] = [
  { step: CLEAN, table: "public.bench_rows", dataset: "bench.referring_rows", invalid: none },
  { ...CLASSIFIED, step: "1 % bad, mixed", mistakeAt: oneInAHundred(MIXED), invalid: hundredth, atMost: 1.3 },
  {
    ...CLASSIFIED,
    step: "every row bad, mixed",
    mistakeAt: everyRow(MIXED_IN_EVERY_ROW),
    invalid: all,
    atMost: 1.5,
  },
  ...MIXED_IN_EVERY_ROW.map((mistake) => ({
    ...CLASSIFIED,
    step: `every row: ${mistake}`,
    mistakeAt: everyRow([mistake]),
    invalid: all,
    atMost: 1.5,
  })),
  { step: CLEAN_TRIGGERED, table: TRIGGERED.table, dataset: TRIGGERED.dataset, invalid: none },
  {
    ...TRIGGERED,
    step: "1 % bad, only a trigger knows",
    mistakeAt: oneInAHundred(["negative quantity"]),
    invalid: hundredth,
  },
  {
    ...TRIGGERED,
    step: "every row bad, only a trigger knows",
    mistakeAt: everyRow(["negative quantity"]),
    invalid: all,
  },
];

async function run({ rows, rounds }: BenchOptions): Promise<Table> {
  const site = await openSite();
  try {
    const files = new Map<Case, string>();
    for (const [number, each] of CASES.entries()) {
      const file = join(site.dir, `problems_${number}.csv`);
      await makeFile(file, { rows, ...each });
      files.set(each, await site.upload(file));
      await Deno.remove(file);
    }
    const timings = new Timings();
    for (let round = 0; round < rounds; round++) {
      for (const [each, path] of files) await check(site, { timings, each, path, rows });
    }
    const figures: Figure[] = CASES.map(({ step, against, atMost }) => ({
      step,
      rows,
      ...against === undefined ? {} : { against },
      ...atMost === undefined ? {} : { atMost },
    }));
    return {
      title: `${importProblems.title}: ${rows.toLocaleString("en")} rows × 12`,
      headings: FIGURE_HEADINGS,
      rows: figureRows(timings, figures),
      notes: [
        `Mixed: ${MIXED.join(", ")}, in turn; in every row without the tag of the row before.`,
        `problems.csv is made and uploaded within the time. ${
          LIVE_ROWS.toLocaleString("en")
        } rows of another project in the table. Medians of ${rounds}.`,
      ],
    };
  } finally {
    await site.close();
  }
}

async function check(
  site: Site,
  { timings, each, path, rows }: { timings: Timings; each: Case; path: string; rows: number },
): Promise<void> {
  await resetTarget(site, each.table);
  const checked = await timings.time(each.step, () =>
    site.runJob("import", {
      dataset: each.dataset,
      scope: { project_id: site.projectId },
      file: { bucket: "imports", path },
    }));
  const expected = each.invalid(rows);
  if (checked.result.invalid !== expected) {
    throw new Error(
      `Cannot compare "${each.step}": found ${checked.result.invalid} rows with problems, expected ${expected}`,
    );
  }
}
