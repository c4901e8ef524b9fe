/**
 * Lets `create extension if not exists pg_cron`, `pg_net` and `supabase_vault` pass on a Postgres that has none of them.
 * In: its installation. Out: three extensions without content, for schemas and functions come from `platform/`, where
 * they are the same in every cluster; so dropping one drops nothing. Any role that may create in the database may create them.
 */
import { join } from "@std/path";

const EXTENSIONS = {
  pg_cron: { version: "1.6.4", comment: "Job scheduler for PostgreSQL (stand-in)" },
  pg_net: { version: "0.20.5", comment: "Async HTTP (stand-in)" },
  supabase_vault: { version: "0.3.1", comment: "Supabase Vault Extension (stand-in)" },
};

export async function installPgExtensions(installDir: string): Promise<void> {
  const dir = join(installDir, "share/postgresql/extension");
  for (const [name, { version, comment }] of Object.entries(EXTENSIONS)) {
    const control = [
      `comment = '${comment}'`,
      `default_version = '${version}'`,
      "relocatable = true",
      "superuser = false",
      "",
    ].join("\n");
    // The control file last: an extension is there once that can be read.
    await write(join(dir, `${name}--${version}.sql`), "-- See the platform's SQL\n");
    await write(join(dir, `${name}.control`), control);
  }
}

/** Beside and then renamed, for another stack may start a server on the same installation. */
async function write(path: string, text: string): Promise<void> {
  if (await Deno.readTextFile(path).then((found) => found === text, () => false)) return;
  const draft = `${path}.${crypto.randomUUID()}`;
  await Deno.writeTextFile(draft, text, { mode: 0o644 });
  await Deno.rename(draft, path);
}
