/**
 * Runs the pgTAP tests. In: a database as `postgres` and the folder of tests. Out: what passed and what failed, file
 * by file. Each file has a connection of its own, on which `_prelude.sql` runs first; a file ends with `rollback`.
 */
import { join, relative } from "@std/path";
import postgres from "postgres";
import { splitStatements } from "../../local/migrate/split_statements.ts";
import { npmPackageDir } from "../../local/npm_package.ts";

export interface Outcome {
  passed: number;
  failed: number;
  /** What a person needs to see of the failures. */
  report: string;
}

export interface PgTapOptions {
  /** The database as `postgres`. */
  dbUrl: string;
  /** The database as superuser, to find where extensions lie. */
  adminUrl: string;
  dir: string;
  /** Called after each file. */
  onFile?(name: string): void;
}

const PACKAGE = "@electric-sql/pglite-pgtap@0.0.15";
const PRELUDE = "_prelude.sql";

export async function runPgTap({ dbUrl, adminUrl, dir, onFile }: PgTapOptions): Promise<Outcome> {
  await installPgTap(adminUrl);
  const prelude = splitStatements(await Deno.readTextFile(join(dir, PRELUDE)).catch(() => ""));
  const total: Outcome = { passed: 0, failed: 0, report: "" };
  for (const path of (await sqlFiles(dir)).sort()) {
    const outcome = await runFile(path, { dbUrl, prelude });
    total.passed += outcome.passed;
    total.failed += outcome.failed;
    if (outcome.failed > 0) total.report += `${relative(dir, path)}\n${outcome.report}\n`;
    onFile?.(relative(dir, path));
  }
  return total;
}

async function runFile(path: string, setup: { dbUrl: string; prelude: string[] }): Promise<Outcome> {
  const sql = postgres(setup.dbUrl, { max: 1, onnotice: () => {}, prepare: false });
  const lines: string[] = [];
  try {
    for (const statement of setup.prelude) await sql.unsafe(statement);
    for (const statement of splitStatements(await Deno.readTextFile(path))) {
      for (const row of await sql.unsafe(statement).values()) {
        for (const value of row) if (typeof value === "string") lines.push(...value.split("\n"));
      }
    }
  } catch (error) {
    lines.push(`not ok - the file ended early: ${describe(error)}`);
  } finally {
    await sql.end();
  }
  return readTap(lines);
}

/** Counts results and holds them against the plan: a file that ran fewer or more tests than it says has failed. */
function readTap(lines: string[]): Outcome {
  const passed = lines.filter((line) => /^ok\b/.test(line)).length;
  let failed = lines.filter((line) => /^not ok\b/.test(line)).length;
  const planned = Number(lines.map((line) => /^1\.\.(\d+)$/.exec(line)?.[1]).find((count) => count) ?? NaN);
  const report = lines.filter((line) => /^(?:not ok|#)/.test(line)).map((line) => `  ${line}`);
  const found = passed + failed;
  if (found !== planned) {
    failed++;
    report.push(`  found ${found} results, expected ${Number.isNaN(planned) ? "a plan" : planned}`);
  }
  return { passed, failed, report: report.join("\n") };
}

function describe(error: unknown): string {
  if (!(error instanceof postgres.PostgresError)) return String(error);
  return [error.message, error.detail, error.hint, error.where].filter(Boolean).join("\n    ");
}

async function installPgTap(adminUrl: string): Promise<void> {
  const sql = postgres(adminUrl, { max: 1 });
  const [row] = await sql<{ dir: string }[]>`
    select setting || '/extension' as dir from pg_catalog.pg_config where name = 'SHAREDIR'`;
  await sql.end();
  if (!row) throw new Error("Cannot install pgTAP: found no folder for extensions");
  const archive = join(await npmPackageDir(PACKAGE, { byEntry: true }), "dist/pgtap.tar.gz");
  const args = [
    "-xzf",
    archive,
    "-C",
    row.dir,
    "--strip-components=3",
    "share/postgresql/extension/pgtap.control",
    "share/postgresql/extension/pgtap--1.3.5.sql",
  ];
  const { success, stderr } = await new Deno.Command("tar", { args }).output();
  if (!success) throw new Error(`Cannot install pgTAP: ${new TextDecoder().decode(stderr)}`);
  for (const name of ["pgtap.control", "pgtap--1.3.5.sql"]) await Deno.chmod(join(row.dir, name), 0o644);
}

async function sqlFiles(dir: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(dir)) {
    const path = join(dir, entry.name);
    if (entry.isDirectory) found.push(...await sqlFiles(path));
    else if (entry.name.endsWith(".sql") && entry.name !== PRELUDE) found.push(path);
  }
  return found;
}
