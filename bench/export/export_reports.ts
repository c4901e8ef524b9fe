/**
 * Exports of `pipetrak.components`, each from the POST to the file in Storage: a CSV beside `psql \copy (…) to` of the same
 * query by the same person, and a workbook, with what the isolates used in all.
 */
import { join } from "@std/path";
import { components } from "../../shared/domains/pipetrak/reports/components.ts";
import type { Bench, BenchOptions, Table } from "../bench.ts";
import { type Figure, FIGURE_HEADINGS, figureRows } from "../import/figures.ts";
import { openSite, type Site } from "../import/open_site.ts";
import { runProgram, versionOf } from "../import/peers/run_program.ts";
import { watchIsolates } from "../import/watch_isolates.ts";
import { Timings } from "../timings.ts";

export const exportReports: Bench = {
  name: "export",
  title: "Components as CSV, beside \\copy of the same query, and as a workbook",
  run,
};

const COPY = "psql \\copy";
const CSV = "CSV";
const NDJSON = "NDJSON";
const WORKBOOK = "workbook";
/** Rows of the CSV for one of the workbook. */
const CSV_ROWS = 5;
/** The last column is a time, which \copy and the export write differently. */
const COLUMNS = components.columns.slice(0, 12).map(({ name }) => name);

interface Use {
  cpuMs: number;
  peakMebibytes: number;
  slices: number;
}

async function run({ rows, rounds }: BenchOptions): Promise<Table> {
  const psql = await versionOf("psql");
  if (psql === null) {
    throw new Error('Cannot compare with "psql \\copy": found no psql, install postgresql-client');
  }
  const site = await openSite();
  try {
    const csvRows = rows * CSV_ROWS;
    await fill(site, site.projectId, csvRows);
    await fill(site, site.otherProjectId, rows);
    const timings = new Timings();
    const uses = new Map<string, Use[]>();
    const files = new Map<string, number>();
    await exportOnce(site, { format: "csv", projectId: site.otherProjectId });
    for (let round = 0; round < rounds; round++) {
      await timings.time(COPY, () => copyOut(site, join(site.dir, "out.csv")));
      for (
        const [step, format, projectId] of [
          [CSV, "csv", site.projectId],
          [NDJSON, "ndjson", site.otherProjectId],
          [WORKBOOK, "xlsx", site.otherProjectId],
        ] as const
      ) {
        const use = await measureUse(site, () =>
          timings.time(step, async () => {
            files.set(step, await exportOnce(site, { format, projectId }));
          }));
        uses.set(step, [...uses.get(step) ?? [], use]);
      }
    }
    const figures: Figure[] = [
      { step: COPY, rows: csvRows },
      { step: CSV, rows: csvRows, against: COPY, atMost: 2 },
      { step: NDJSON, rows },
      { step: WORKBOOK, rows },
    ];
    return {
      title: `${exportReports.title}: ${csvRows.toLocaleString("en")} and ${
        rows.toLocaleString("en")
      } rows × 12`,
      headings: FIGURE_HEADINGS,
      rows: figureRows(timings, figures),
      notes: [
        `${psql}; both read as the person, under row security, ordered by tag. Medians of ${rounds}.`,
        ...[...uses].map(([step, each]) => useNote(step, files.get(step) ?? 0, each)),
      ],
    };
  } finally {
    await site.close();
  }
}

/** A target of the workbook: 2 s of CPU in all, and 200 MB. */
function useNote(step: string, bytes: number, uses: readonly Use[]): string {
  const median = (pick: (use: Use) => number) => uses.map(pick).toSorted((a, b) => a - b)[uses.length >> 1]!;
  const megabytes = (bytes / 1e6).toFixed(1);
  return `${step}: ${megabytes} MB, ${
    (median(({ cpuMs }) => cpuMs) / 1000).toFixed(2)
  } s of CPU in all isolates, their start ` +
    `included, ${median(({ peakMebibytes }) => peakMebibytes).toFixed(0)} MiB at most, ${
      median(({ slices }) => slices)
    } slices`;
}

async function fill({ admin }: Site, projectId: string, rows: number): Promise<void> {
  await admin.begin(async (sql) => {
    // Milestones are nothing to an export, and six times as many rows.
    await sql`set local session_replication_role = replica`;
    await sql`
      insert into pipetrak.components (project_id, drawing_id, tag, description, component_type, area, system, test_package,
        spec, size, quantity, weight_kg, percent_complete)
      select d.project_id, d.id, 'SP-' || lpad(n::text, 7, '0') || '-A', 2 + n % 20 || '" carbon steel spool, line ' || n,
        (array['spool', 'valve', 'support', 'gasket', 'pipe'])[1 + n % 5], 'A-' || 100 + n % 40,
        'CW-' || lpad((n % 60)::text, 2, '0'), 'TP-' || lpad((n % 700)::text, 4, '0'), 'A1A', 2 + n % 20 || '"', 1 + n % 5,
        round((n % 9000) / 10.0, 1), n % 101
      from generate_series(1, ${rows}::integer) n
      join (
        select d.*, row_number() over (order by number) as place, count(*) over () as drawings
        from pipetrak.drawings d where project_id = ${projectId}
      ) d on d.place = 1 + n % d.drawings`;
  });
  await admin`vacuum (analyze) pipetrak.components`;
}

async function exportOnce(
  site: Site,
  { format, projectId }: { format: string; projectId: string },
): Promise<number> {
  const { result } = await site.runJob("export", {
    report: components.name,
    format,
    filters: { project_id: projectId },
    columns: COLUMNS,
  });
  return (result.file as { bytes: number }).bytes;
}

async function copyOut({ stack, userId, projectId }: Site, path: string): Promise<void> {
  const claims = JSON.stringify({ sub: userId, role: "authenticated" });
  const query = `select ${
    COLUMNS.join(", ")
  } from ${components.source} where project_id = '${projectId}' order by tag`;
  await runProgram("psql", [
    "--no-psqlrc",
    "--quiet",
    "--set=ON_ERROR_STOP=1",
    "-c",
    `set request.jwt.claims = '${claims}'`,
    "-c",
    "set role authenticated",
    "-c",
    `\\copy (${query}) to '${path}' with (format csv, header)`,
    stack.adminUrl,
  ]);
}

/** From isolates that begin with this work, so that their CPU time is this work's. */
async function measureUse(site: Site, work: () => Promise<void>): Promise<Use> {
  const control = site.stack.functionsControl;
  await control.kill("export");
  let cpuMs = 0;
  const unlisten = control.onExit((record) => {
    if (record.name === "export") cpuMs += record.cpuMs;
  });
  try {
    const use = await watchIsolates(site, { name: "export", work });
    for (const isolate of await control.isolates("export")) cpuMs += isolate.cpuMs;
    return { ...use, cpuMs };
  } finally {
    unlisten();
  }
}
