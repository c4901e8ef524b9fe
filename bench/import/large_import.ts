/**
 * Whether size is only more of the same: a file ten times as long, against `psql \copy` of the same file, beside the same
 * for the short one; with the slices that it took and the memory of the isolates.
 */
import { join } from "@std/path";
import type { Bench, BenchOptions, Table } from "../bench.ts";
import { Timings } from "../timings.ts";
import { makeFile } from "./make_file.ts";
import { openSite, type Site } from "./open_site.ts";
import { copyWithPsql } from "./peers/copy_with_psql.ts";
import { LIVE_ROWS, resetTarget } from "./reset_target.ts";
import { type IsolateUse, watchIsolates } from "./watch_isolates.ts";

export const largeImport: Bench = {
  name: "import-large",
  title: "A CSV file ten times as long",
  slow: true,
  run,
};

const TIMES = 10;
const MOST_GROWTH = 1.1;
const COPY = "psql \\copy";
const CHECK = "check";
const COMMIT = "commit, valid rows";

interface Size {
  rows: number;
  timings: Timings;
  /** Of the last round, by step. */
  use: Map<string, IsolateUse>;
}

async function run({ rows, rounds }: BenchOptions): Promise<Table> {
  const site = await openSite();
  try {
    const short = await measure(site, { rows, rounds });
    const long = await measure(site, { rows: rows * TIMES, rounds: 1 });
    return {
      title: `${largeImport.title}: ${long.rows.toLocaleString("en")} rows × 12`,
      headings: ["step", "rows", "seconds", "× \\copy", "growth", "target", "", "slices", "peak MiB"],
      rows: [COPY, CHECK, COMMIT].flatMap((step) => [lineOf(step, short), lineOf(step, long, short)]),
      notes: [
        `${
          LIVE_ROWS.toLocaleString("en")
        } rows of another project in the table. Medians of ${rounds} for the short file, one round for the long one.`,
        "Memory: the largest isolate, above what the bare runtime has; the platform ends it at 256 MiB.",
      ],
    };
  } finally {
    await site.close();
  }
}

async function measure(site: Site, { rows, rounds }: BenchOptions): Promise<Size> {
  const size: Size = { rows, timings: new Timings(), use: new Map() };
  const file = join(site.dir, `${rows}.csv`);
  await makeFile(file, { rows });
  const path = await site.upload(file);
  for (let round = 0; round < rounds; round++) {
    await resetTarget(site, "public.bench_rows");
    await size.timings.time(COPY, () => copyWithPsql(site, file));
    await resetTarget(site, "public.bench_rows");
    let importId = "";
    await timeAndWatch(site, size, {
      step: CHECK,
      name: "import",
      async work() {
        const request = {
          dataset: "bench.rows",
          scope: { project_id: site.projectId },
          file: { bucket: "imports", path },
        };
        ({ id: importId } = await site.runJob("import", request));
      },
    });
    await site.admin`checkpoint`;
    await timeAndWatch(site, size, {
      step: COMMIT,
      name: "import-commit",
      async work() {
        const { result } = await site.runJob("import-commit", { import_id: importId, policy: "valid_rows" });
        if (result.inserted !== rows) throw new Error(`Cannot compare: found ${JSON.stringify(result)}`);
      },
    });
  }
  await Deno.remove(file);
  return size;
}

async function timeAndWatch(
  site: Site,
  { timings, use }: Size,
  { step, name, work }: { step: string; name: string; work: () => Promise<void> },
): Promise<void> {
  use.set(step, await watchIsolates(site, { name, work: () => timings.time(step, work) }));
}

function lineOf(step: string, { rows, timings, use }: Size, short?: Size): string[] {
  const growth = short && step !== COPY
    ? timings.ratio(step, COPY) / short.timings.ratio(step, COPY)
    : undefined;
  return [
    step,
    rows.toLocaleString("en"),
    (timings.quantile(step) / 1000).toFixed(2),
    timings.ratio(step, COPY).toFixed(2),
    growth === undefined ? "" : growth.toFixed(2),
    growth === undefined ? "" : `≤ ${MOST_GROWTH}`,
    growth === undefined ? "" : growth <= MOST_GROWTH ? "reached" : "MISSED",
    String(use.get(step)?.slices ?? ""),
    use.get(step)?.peakMebibytes.toFixed(0) ?? "",
  ];
}
