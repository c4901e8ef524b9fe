/**
 * The product's own target: components with a looked-up drawing and six milestones each, made by triggers. Check and
 * commit, against one statement written by hand that inserts the same rows, out of a table of texts, as the same person.
 */
import { join } from "@std/path";
import type { Bench, BenchOptions, Table } from "../bench.ts";
import { Timings } from "../timings.ts";
import { FIGURE_HEADINGS, figureRows } from "./figures.ts";
import { COLUMNS, DRAWINGS, makeFile } from "./make_file.ts";
import { openSite, type Site } from "./open_site.ts";
import { runProgram } from "./peers/run_program.ts";
import { LIVE_ROWS } from "./reset_target.ts";

export const importComponents: Bench = {
  name: "import-components",
  title: "pipetrak.components with their milestones, against a hand-written INSERT … SELECT",
  run,
};

const BY_HAND = "insert … select";
const CHECK = "check";
const COMMIT = "commit, all or nothing";
const COMMIT_VALID = "commit, valid rows";
const MILESTONES_OF_A_SPOOL = 6;
const COMPONENT_COLUMNS = COLUMNS.filter((column) => column !== "remarks");

async function run({ rows, rounds }: BenchOptions): Promise<Table> {
  const site = await openSite();
  try {
    const file = join(site.dir, "components.csv");
    await makeFile(file, { rows, remarks: false });
    await loadTexts(site, file);
    await keepLiveRows(site);

    const timings = new Timings();
    for (let round = 0; round < rounds; round++) {
      await resetComponents(site);
      await timings.time(BY_HAND, () => insertByHand(site));
      await expectComponents(site, rows);
      const request = {
        dataset: "pipetrak.components",
        scope: { project_id: site.projectId },
        file: { bucket: "imports", path: await site.upload(file) },
      };
      for (const [step, policy] of [[COMMIT, "all_or_nothing"], [COMMIT_VALID, "valid_rows"]] as const) {
        await resetComponents(site);
        const check = await timings.time(CHECK, () => site.runJob("import", request));
        await site.admin`checkpoint`;
        await timings.time(step, () => site.runJob("import-commit", { import_id: check.id, policy }));
        await expectComponents(site, rows);
      }
    }
    return {
      title: `${importComponents.title}: ${rows.toLocaleString("en")} spools`,
      headings: FIGURE_HEADINGS,
      rows: figureRows(timings, [
        { step: BY_HAND, rows },
        { step: CHECK, rows, against: BY_HAND, atMost: 1.5 },
        { step: COMMIT, rows, against: BY_HAND, atMost: 1.5 },
        { step: COMMIT_VALID, rows, against: BY_HAND, atMost: 1.5 },
      ]),
      notes: [
        `${DRAWINGS} drawings, ${MILESTONES_OF_A_SPOOL} milestones a spool; the statement joins the drawings and casts the numbers, under row security.`,
        `The texts were loaded before the statement; the check reads the file from Storage. ${
          LIVE_ROWS.toLocaleString("en")
        } components of another project in the table. Medians of ${rounds}.`,
      ],
    };
  } finally {
    await site.close();
  }
}

/** The file's texts as a table that the person may read. */
async function loadTexts({ admin, stack }: Site, file: string): Promise<void> {
  await admin.unsafe(
    `create table public.bench_texts (${COMPONENT_COLUMNS.map((c) => `${c} text`).join(", ")})`,
  );
  await admin`grant select on public.bench_texts to authenticated`;
  await runProgram("psql", [
    "--no-psqlrc",
    "--quiet",
    "-c",
    `\\copy public.bench_texts from '${file}' with (format csv, header)`,
    stack.adminUrl,
  ]);
  await admin`vacuum analyze public.bench_texts`;
}

/** Makes the components that are there before, once, and keeps them and their milestones beside. */
async function keepLiveRows({ admin, otherProjectId }: Site): Promise<void> {
  await admin`
    insert into pipetrak.components (project_id, drawing_id, tag, component_type)
    select d.project_id, d.id, 'SP-' || n, 'spool'
    from generate_series(1, ${LIVE_ROWS}) n
    join pipetrak.drawings d on d.project_id = ${otherProjectId} and d.number = 'ISO-' || n % ${DRAWINGS} + 1`;
  await admin`create table public.bench_live_components as table pipetrak.components`;
  await admin`create table public.bench_live_milestones as table pipetrak.component_milestones`;
}

/** Every timed step starts from the same: the live components, known to the planner, all written to disk. */
async function resetComponents({ admin }: Site): Promise<void> {
  await admin.begin(async (transaction) => {
    await transaction`truncate pipetrak.components, pipetrak.component_milestones`;
    await transaction`set local session_replication_role = replica`;
    await transaction`insert into pipetrak.components select * from public.bench_live_components`;
    await transaction`insert into pipetrak.component_milestones select * from public.bench_live_milestones`;
  });
  await admin`vacuum (analyze) pipetrak.components, pipetrak.component_milestones, pipetrak.drawings`;
  await admin`checkpoint`;
}

async function insertByHand({ admin, userId, projectId }: Site): Promise<void> {
  const claims = JSON.stringify({ sub: userId, role: "authenticated" });
  await admin.begin(async (transaction) => {
    await transaction`select set_config('request.jwt.claims', ${claims}, true)`;
    await transaction`set local role authenticated`;
    await transaction`
      insert into pipetrak.components
        (project_id, drawing_id, tag, description, component_type, area, system, test_package, spec, size, quantity,
         weight_kg)
      select d.project_id, d.id, r.tag, r.description, r.type, r.area, r.system, r.test_package, r.spec, r.size,
        r.quantity::numeric, r.weight_kg::numeric
      from public.bench_texts r
      join pipetrak.drawings d on d.project_id = ${projectId} and d.number = r.drawing`;
  });
}

async function expectComponents({ admin, projectId }: Site, rows: number): Promise<void> {
  const [found] = await admin<{ components: number; milestones: number }[]>`
    select
      (select count(*)::integer from pipetrak.components where project_id = ${projectId}) as components,
      (select count(*)::integer from pipetrak.component_milestones where project_id = ${projectId}) as milestones`;
  if (found!.components !== rows || found!.milestones !== rows * MILESTONES_OF_A_SPOOL) {
    throw new Error(`Cannot compare: found ${JSON.stringify(found)}, expected ${rows} components`);
  }
}
