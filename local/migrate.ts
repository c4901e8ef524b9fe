/**
 * Brings a database up to the project's migrations. In: its address as superuser and the folder. Out: the versions it
 * applied, each file in a transaction of its own, recorded as `supabase db push` records them. It undoes nothing, and
 * refuses a database that has another wording of a file: code and schema would not fit together.
 *
 * Statements run as `postgres`, as on a hosted project. The one thing that `postgres` may do there beyond its rights
 * is copied: policies on tables that Storage and Realtime own, though no comments on them. A policy made by dynamic SQL
 * is refused here.
 */
import { join } from "@std/path";
import postgres from "postgres";
import { splitStatements } from "./migrate/split_statements.ts";

export interface MigrateOptions {
  /** The database as superuser. */
  adminUrl: string;
  /** The folder of `<version>_<name>.sql`. */
  dir: string;
}

const FILE_NAME = /^(\d+)_(.+)\.sql$/;
const POLICY_OF_A_SERVICE =
  /^(?:create|alter|drop)\s+policy\s[^]*?\son\s+(?:storage\.(?:objects|buckets)|realtime\.messages)\b/i;

export async function migrate(options: MigrateOptions): Promise<string[]> {
  const files = await migrationFiles(options.dir);
  const sql = postgres(options.adminUrl, { max: 1, onnotice: () => {}, prepare: false });
  try {
    await sql.unsafe(`
      set session authorization postgres;
      set search_path = "$user", public, extensions;
      create schema if not exists supabase_migrations;
      create table if not exists supabase_migrations.schema_migrations (
        version text primary key,
        statements text[],
        name text
      );
    `);
    const done = await sql<{ version: string; statements: string[] | null }[]>`
      select version, statements from supabase_migrations.schema_migrations`;
    const known = new Map(done.map((row) => [row.version, row.statements]));
    const applied: string[] = [];
    for (const file of files) {
      const statements = splitStatements(await Deno.readTextFile(file.path));
      if (known.has(file.version)) {
        refuseChanged(file, { statements, applied: known.get(file.version) ?? null });
        continue;
      }
      await sql.begin(async (transaction) => {
        for (const statement of statements) await run(statement, transaction);
        await transaction`
          insert into supabase_migrations.schema_migrations (version, name, statements)
          values (${file.version}, ${file.name}, ${statements})`;
      }).catch((error) => {
        const at = error instanceof postgres.PostgresError
          ? `${error.message} (${error.code})${error.where ? `\n${error.where}` : ""}`
          : String(error);
        throw new Error(`Cannot apply the migration "${file.version}_${file.name}": ${at}`, { cause: error });
      });
      applied.push(file.version);
    }
    return applied;
  } finally {
    await sql.end();
  }
}

function refuseChanged(
  { version, name }: { version: string; name: string },
  { statements, applied }: { statements: string[]; applied: string[] | null },
): void {
  if (applied === null || JSON.stringify(applied) === JSON.stringify(statements)) return;
  throw new Error(
    `Cannot use this database: the migration "${version}_${name}" has changed since it was applied; ` +
      `put the change into a migration of its own, or start over with "deno task start --fresh", which deletes the data`,
  );
}

async function run(statement: string, transaction: postgres.TransactionSql): Promise<void> {
  if (POLICY_OF_A_SERVICE.test(withoutLeadingComments(statement))) {
    await transaction`set local session authorization default`;
    await transaction.unsafe(statement);
    await transaction`set local session authorization postgres`;
  } else {
    await transaction.unsafe(statement);
  }
}

function withoutLeadingComments(statement: string): string {
  return statement.replace(/^(?:\s+|--[^\n]*\n|\/\*[^]*?\*\/)+/, "");
}

async function migrationFiles(dir: string): Promise<{ version: string; name: string; path: string }[]> {
  const files = [];
  for await (const entry of Deno.readDir(dir)) {
    const match = FILE_NAME.exec(entry.name);
    if (match?.[1] && match[2]) {
      files.push({ version: match[1], name: match[2], path: join(dir, entry.name) });
    }
  }
  return files.sort((a, b) => a.version < b.version ? -1 : 1);
}
