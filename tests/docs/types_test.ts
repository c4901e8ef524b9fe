/** The types in shared/domains/ say what the database says of itself; with UPDATE_DOCS=1 they are written anew. */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import postgres from "postgres";
import { testStack } from "../helpers/stack.ts";
import { describeTypes } from "./_describe_types.ts";
import { PROJECT_DIR, read } from "./_project_files.ts";

Deno.test("shared/domains/certus/database_types.ts describes the schema as the database does", async () => {
  const { dbUrl } = await testStack();
  const sql = postgres(dbUrl, { max: 1 });
  const described = await describeTypes(sql, "certus").finally(() => sql.end());
  const path = "shared/domains/certus/database_types.ts";
  if (Deno.env.get("UPDATE_DOCS")) await Deno.writeTextFile(join(PROJECT_DIR, path), described);
  assertEquals(await read(path), described);
});
