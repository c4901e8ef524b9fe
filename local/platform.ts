/**
 * Makes a fresh cluster look like a hosted project. In: the database as superuser. Out: the roles, schemas and
 * functions of `platform/*.sql`, all or nothing. A cluster made by other files is refused: nothing migrates it.
 */
import { fromFileUrl, join } from "@std/path";
import { encodeHex } from "npm:deno-std@1.4.0/encoding/hex.js";
import postgres from "postgres";

const PLATFORM_DIR = fromFileUrl(new URL("./platform", import.meta.url));
const MARK = "Longshore platform ";

export async function installPlatform(adminUrl: string): Promise<void> {
  const files = await platformFiles();
  const bytes = new TextEncoder().encode(files.map((file) => file.sql).join("\n"));
  const mark = MARK + encodeHex(await crypto.subtle.digest("SHA-256", bytes)).slice(0, 16);
  const sql = postgres(adminUrl, { max: 1, onnotice: () => {}, prepare: false });
  try {
    const [database] = await sql<{ comment: string | null }[]>`
      select pg_catalog.shobj_description(oid, 'pg_database') as comment
      from pg_catalog.pg_database where datname = 'postgres'`;
    const found = database?.comment ?? "";
    if (found === mark) return;
    if (found.startsWith(MARK)) {
      throw new Error(
        "Cannot use this data: found a database made by another version of the local stack, expected this one's; " +
          "start once with --fresh, which wipes it",
      );
    }
    await sql.begin(async (transaction) => {
      for (const file of files) {
        await transaction.unsafe(file.sql).catch((error) => {
          throw new Error(`Cannot run "local/platform/${file.name}": ${error.message}`, { cause: error });
        });
      }
      await transaction.unsafe(`comment on database postgres is '${mark}'`);
    });
  } finally {
    await sql.end();
  }
}

async function platformFiles(): Promise<{ name: string; sql: string }[]> {
  const files = [];
  for await (const entry of Deno.readDir(PLATFORM_DIR)) {
    if (entry.name.endsWith(".sql")) files.push(entry.name);
  }
  return await Promise.all(
    files.sort().map(async (name) => ({ name, sql: await Deno.readTextFile(join(PLATFORM_DIR, name)) })),
  );
}
