/** CSV file → table by `psql \copy` as superuser: no row security, no checks but the table's own. The yardstick. */
import type { Site } from "../open_site.ts";
import { COLUMNS } from "../make_file.ts";
import { runProgram } from "./run_program.ts";

export async function copyWithPsql({ stack }: Site, path: string): Promise<void> {
  const copy = `\\copy public.bench_rows (${COLUMNS.join(", ")}) from '${path}' with (format csv, header)`;
  await runProgram("psql", ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "-c", copy, stack.adminUrl]);
}
