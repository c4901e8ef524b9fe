/** docs/schema.md says what the database says of itself; with UPDATE_DOCS=1 it is written anew. */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import postgres from "postgres";
import { readConfig } from "../../local/config.ts";
import { testStack } from "../helpers/stack.ts";
import { describeSchema } from "./_describe_schema.ts";
import { PROJECT_DIR, read } from "./_project_files.ts";

Deno.test("docs/schema.md describes every table and function of the API as the database does", async () => {
  const { dbUrl } = await testStack();
  const { api } = await readConfig(join(PROJECT_DIR, "supabase/config.toml"));
  const sql = postgres(dbUrl, { max: 1 });
  const described = await describeSchema(sql, api.schemas).finally(() => sql.end());
  if (Deno.env.get("UPDATE_DOCS")) await Deno.writeTextFile(join(PROJECT_DIR, "docs/schema.md"), described);
  assertEquals(await read("docs/schema.md"), described);
});
