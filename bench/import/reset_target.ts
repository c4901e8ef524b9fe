/**
 * Brings a target to the state that every timed step starts from: nothing but 50,000 live rows of another project, known
 * to the planner, and everything before it written to disk.
 */
import type { Site } from "./open_site.ts";

export const LIVE_ROWS = 50_000;

export async function resetTarget(
  { admin, otherProjectId }: Site,
  table: "public.bench_rows" | "public.bench_triggered_rows",
): Promise<void> {
  await admin.unsafe(`truncate ${table}`);
  await admin.unsafe(
    `insert into ${table} (project_id, tag, description, type, drawing, area, quantity, weight_kg)
     select $1, 'SP-' || n, 'Carbon steel spool', 'spool', 'ISO-' || n % 300, 'A-' || n % 20, 1, n % 900
     from generate_series(1, ${LIVE_ROWS}) n`,
    [otherProjectId],
  );
  await admin.unsafe(`vacuum (analyze) ${table}`);
  await admin`checkpoint`;
}
