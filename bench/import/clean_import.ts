/**
 * A file without mistakes into a table of the shape of `pipetrak.components`: check and commit, each from the POST to the
 * job's final state, beside what else loads such a file.
 */
import { join } from "@std/path";
import type { Bench, BenchOptions, Table } from "../bench.ts";
import { Timings } from "../timings.ts";
import { type Figure, FIGURE_HEADINGS, figureRows } from "./figures.ts";
import { makeFile } from "./make_file.ts";
import { openSite, type Site } from "./open_site.ts";
import { copyWithPsql } from "./peers/copy_with_psql.ts";
import { loadWithPgloader } from "./peers/load_with_pgloader.ts";
import { versionOf } from "./peers/run_program.ts";
import { insertWithSupabase } from "./peers/supabase_loop.ts";
import { LIVE_ROWS, resetTarget } from "./reset_target.ts";

export const cleanImport: Bench = {
  name: "import",
  title: "A clean CSV file: check and commit, beside other ways to load it",
  run,
};

const ROWS_ONE_BY_ONE = 5_000;

const COPY = "psql \\copy";
const CHECK = "check";
const COMMIT = "commit, all or nothing";
const COMMIT_VALID = "commit, valid rows";
const BOTH = "check + commit";
const PGLOADER = "pgloader";
const LOOP = "supabase-js, 1,000 rows a request";
const ONE_BY_ONE = "supabase-js, lookup and insert a row";

async function run({ rows, rounds }: BenchOptions): Promise<Table> {
  const [psql, pgloader] = [await versionOf("psql"), await versionOf("pgloader")];
  if (psql === null) {
    throw new Error('Cannot compare with "psql \\copy": found no psql, install postgresql-client');
  }
  const site = await openSite();
  try {
    const file = join(site.dir, "clean.csv");
    const shortFile = join(site.dir, "short.csv");
    await makeFile(file, { rows });
    await makeFile(shortFile, { rows: Math.min(rows, ROWS_ONE_BY_ONE) });
    const scale = rows / Math.min(rows, ROWS_ONE_BY_ONE);

    const timings = new Timings();
    for (let round = 0; round < rounds; round++) {
      await timed(site, { timings, step: COPY, rows }, () => copyWithPsql(site, file));
      await importOnce(site, { timings, file, rows });
      if (pgloader !== null) {
        await timed(site, { timings, step: PGLOADER, rows }, () => loadWithPgloader(site, file));
      }
      await prepare(site);
      timings.add(LOOP, await insertWithSupabase(site, { path: file, rowsPerRequest: 1000 }));
      await expectRows(site, rows);
    }
    // Once: it takes a minute, and no noise makes up for what it is behind.
    await prepare(site);
    timings.add(ONE_BY_ONE, await insertWithSupabase(site, { path: shortFile, rowsPerRequest: 1 }));
    await expectRows(site, rows / scale);

    const figures: Figure[] = [
      { step: COPY, rows },
      { step: CHECK, rows, against: COPY, atMost: 1.8 },
      { step: COMMIT, rows, against: COPY, atMost: 1.3 },
      { step: COMMIT_VALID, rows, against: COPY, atMost: 1.3 },
      { step: BOTH, rows, against: COPY },
      { step: PGLOADER, rows, against: COPY },
      { step: LOOP, rows, against: COPY },
      { step: ONE_BY_ONE, rows, against: COPY, scale },
    ];
    return {
      title: `${cleanImport.title}: ${rows.toLocaleString("en")} rows × 12, ${await megabytes(file)} MB`,
      headings: FIGURE_HEADINGS,
      rows: figureRows(timings, figures),
      notes: [
        `${psql}; ${pgloader ?? "pgloader was skipped: install the package pgloader"}; ${await serverVersion(
          site,
        )}`,
        ...verdicts(timings, scale),
        `Every step starts with ${
          LIVE_ROWS.toLocaleString("en")
        } rows of another project in the table and a checkpoint. Medians of ${rounds}.`,
        `Lookup and insert a row: measured once, on ${
          (rows / scale).toLocaleString("en")
        } rows, multiplied by ${scale}.`,
        "psql and pgloader write as superuser, without row security; Longshore and supabase-js as the person.",
      ],
    };
  } finally {
    await site.close();
  }
}

/** Check and commit of one file; then check it again for the other policy. */
async function importOnce(
  site: Site,
  { timings, file, rows }: { timings: Timings; file: string; rows: number },
): Promise<void> {
  const request = {
    dataset: "bench.rows",
    scope: { project_id: site.projectId },
    file: { bucket: "imports", path: await site.upload(file) },
  };
  let [checked, committed] = [0, 0];
  for (const [step, policy] of [[COMMIT, "all_or_nothing"], [COMMIT_VALID, "valid_rows"]] as const) {
    await prepare(site);
    const check = await timings.time(CHECK, () => site.runJob("import", request));
    checked = timings.all(CHECK).at(-1)!;
    await site.admin`checkpoint`;
    await timings.time(step, () => site.runJob("import-commit", { import_id: check.id, policy }));
    committed = timings.all(step).at(-1)!;
    timings.add(BOTH, checked + committed);
    await expectRows(site, rows);
  }
}

async function timed(
  site: Site,
  { timings, step, rows }: { timings: Timings; step: string; rows: number },
  work: () => Promise<void>,
): Promise<void> {
  await prepare(site);
  await timings.time(step, work);
  await expectRows(site, rows);
}

async function prepare(site: Site): Promise<void> {
  await resetTarget(site, "public.bench_rows");
}

async function expectRows({ admin, projectId }: Site, expected: number): Promise<void> {
  const [found] = await admin<{ rows: number }[]>`
    select count(*)::integer as rows from public.bench_rows where project_id = ${projectId}`;
  if (found!.rows !== expected) {
    throw new Error(`Cannot compare: found ${found!.rows} rows in the table, expected ${expected}`);
  }
}

function verdicts(timings: Timings, scale: number): string[] {
  const oneByOne = timings.quantile(ONE_BY_ONE) * scale;
  const both = timings.quantile(BOTH);
  const times = (ms: number) => `${(ms / both).toFixed(1)} times`;
  return [
    `Check and commit together are ${
      timings.has(PGLOADER)
        ? `${times(timings.quantile(PGLOADER))} as fast as pgloader (target: more than 1), `
        : ""
    }` +
    `${times(timings.quantile(LOOP))} as fast as the loop (target: more than 1), ${
      times(oneByOne)
    } as fast as row by row (target: 20).`,
  ];
}

async function megabytes(path: string): Promise<string> {
  return ((await Deno.stat(path)).size / 1e6).toFixed(1);
}

async function serverVersion({ admin }: Site): Promise<string> {
  const [found] = await admin<{ version: string }[]>`select version()`;
  return found!.version.split(" on ")[0]!;
}
