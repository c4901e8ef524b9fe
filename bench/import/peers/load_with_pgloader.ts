/**
 * CSV file → table by pgloader as superuser, with the settings it comes with (batches of 25,000 rows or 20 MB, one
 * reader, one writer). A bad row would cost it its batch; the file is clean.
 */
import { join } from "@std/path";
import type { Site } from "../open_site.ts";
import { COLUMNS } from "../make_file.ts";
import { runProgram } from "./run_program.ts";

export async function loadWithPgloader({ stack, dir }: Site, path: string): Promise<void> {
  const command = join(dir, "pgloader.load");
  const columns = COLUMNS.join(", ");
  await Deno.writeTextFile(
    command,
    `load csv
  from '${path}' (${columns})
  into ${stack.adminUrl.replace("postgres://", "postgresql://")}
  target table public.bench_rows (${columns})
  with skip header = 1, fields optionally enclosed by '"', fields terminated by ',';
`,
  );
  await runProgram("pgloader", ["--quiet", "--root-dir", join(dir, "pgloader"), command]);
}
