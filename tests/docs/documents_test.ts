/**
 * The documents name what there is: every error, problem, dataset, option, Edge Function, migration and setting, and
 * every link leads somewhere.
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import postgres from "postgres";
import { readConfig } from "../../local/config.ts";
import { errorCodes } from "../../shared/errors.ts";
import { datasets } from "../../shared/domains/datasets.ts";
import { reports } from "../../shared/domains/reports.ts";
import { ImportOptions } from "../../shared/imports/import_request.ts";
import { testStack } from "../helpers/stack.ts";
import { documents, exists, filesIn, PROJECT_DIR, read } from "./_project_files.ts";

Deno.test("docs/errors.md has every error code with its status, and no other", async () => {
  const inSql = [];
  for (const migration of await filesIn("supabase/migrations")) {
    const sql = await read(`supabase/migrations/${migration}`);
    for (const [, status, code] of sql.matchAll(/raise_error\((\d+),\s*'(\w+)'/g)) {
      inSql.push(`${code} ${status}`);
    }
  }
  const inCode = errorCodes().map(({ code, status }) => `${code} ${status}`);
  const documented = (await tableRows("docs/errors.md", "code | status | where | meaning | what to do"))
    .map(([code, status]) => `${code} ${status}`);
  assertEquals(documented.sort(), [...new Set([...inCode, ...inSql])].sort());
});

Deno.test("docs/errors.md has every problem code, and no other", async () => {
  const declaration = /export type ProblemCode =([^;]+);/.exec(await read("shared/imports/dataset.ts"));
  const codes = [...declaration![1]!.matchAll(/"(\w+)"/g)].map((match) => match[1]!);
  const documented = (await tableRows("docs/errors.md", "code | meaning | found")).map(([code]) => code!);
  assertEquals(documented.sort(), codes.sort());
});

Deno.test("docs/errors.md has every SQLSTATE that the migrations raise", async () => {
  const text = await read("docs/errors.md");
  for (const migration of await filesIn("supabase/migrations")) {
    for (const [, state] of (await read(`supabase/migrations/${migration}`)).matchAll(/'(LS\d{3})'/g)) {
      assert(text.includes(`\`${state}\``), `${state} of ${migration} is not in docs/errors.md`);
    }
  }
});

Deno.test("docs/imports.md has every option of an import, those of datasets among them", async () => {
  const documented = (await tableRows("docs/imports.md", "option | type | default"))
    .map(([name]) => /^\w+/.exec(name!)?.[0]);
  const own = datasets.flatMap((dataset) => Object.keys(dataset.options?.shape ?? {}));
  assertEquals(documented.sort(), [...Object.keys(ImportOptions.shape), ...own].sort());
});

Deno.test("docs/operations.md has every setting with its default", async () => {
  const documented = new Map<string, string>();
  for (const [names, values] of await tableRows("docs/operations.md", "column | default | meaning")) {
    const defaults = values!.split(", ");
    names!.split(", ").forEach((name, place) => documented.set(name, defaults[place] ?? ""));
  }
  const { dbUrl } = await testStack();
  const sql = postgres(dbUrl, { max: 1 });
  const columns = await sql<{ name: string; value: string }[]>`
    select column_name as name, column_default as value from information_schema.columns
    where table_schema = 'jobs' and table_name = 'settings' and column_name <> 'only_row'`;
  await sql.end();
  assertEquals(
    Object.fromEntries([...documented].sort()),
    Object.fromEntries(columns.map(({ name, value }) => [name, value.replace(/^'|'::.*$/g, "")]).sort()),
  );
});

Deno.test("CHANGES-BACKEND.md names every migration, and each has a rollback", async () => {
  const migrations = (await filesIn("supabase/migrations")).sort();
  const documented = (await tableRows("CHANGES-BACKEND.md", "migration | brings")).map(([name]) =>
    `${name}.sql`
  );
  assertEquals(documented.sort(), migrations);
  assertEquals((await filesIn("supabase/rollbacks")).sort(), migrations);
});

Deno.test("CHANGES-BACKEND.md names every Edge Function, dataset and exposed schema", async () => {
  const text = await read("CHANGES-BACKEND.md");
  const { api } = await readConfig(join(PROJECT_DIR, "supabase/config.toml"));
  const functions = [];
  for await (const entry of Deno.readDir(join(PROJECT_DIR, "functions"))) {
    if (entry.isDirectory) functions.push(entry.name);
  }
  for (const name of [...functions, ...datasets.map(({ name }) => name), ...api.schemas]) {
    assert(text.includes(`\`${name}\``), `"${name}" is not in CHANGES-BACKEND.md`);
  }
});

Deno.test("docs/exports.md and CHANGES-BACKEND.md name every report", async () => {
  for (const document of ["docs/exports.md", "CHANGES-BACKEND.md"]) {
    const text = await read(document);
    for (const { name } of reports) assert(text.includes(`\`${name}\``), `"${name}" is not in ${document}`);
  }
});

Deno.test("Every link between documents leads to a file and a heading", async () => {
  for (const document of await documents()) {
    for (const [, target] of withoutCode(await read(document)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target!)) continue;
      const [path, anchor] = target!.split("#") as [string, string | undefined];
      const file = path === "" ? document : join(document, "..", path);
      assert(await exists(file), `${document} links to ${target}: there is no such file`);
      if (anchor === undefined) continue;
      const headings = anchorsOf(await read(file));
      assert(headings.includes(anchor), `${document} links to ${target}: there is no such heading`);
    }
  }
});

Deno.test("Every document in docs/ is in the table of the README", async () => {
  const readme = await read("README.md");
  for (const document of await documents()) {
    if (document.startsWith("docs/")) {
      assert(readme.includes(`](${document})`), `README.md does not name ${document}`);
    }
  }
});

/** The rows of every table of a document that has these headings, as cells without marks. */
async function tableRows(path: string, headings: string): Promise<string[][]> {
  const rows: string[][] = [];
  let inside = false;
  for (const line of (await read(path)).split("\n")) {
    const cells = line.startsWith("|") ? line.slice(1, line.lastIndexOf("|")).split("|") : null;
    if (!cells) inside = false;
    else if (cells.map((cell) => cell.trim()).join(" | ") === headings) inside = true;
    else if (inside && !/^[|: -]+$/.test(line)) {
      rows.push(cells.map((cell) => cell.replaceAll("`", "").trim()));
    }
  }
  assert(rows.length > 0, `${path} has no table with the headings "${headings}"`);
  return rows;
}

/** As hosts of repositories make them: lower case, no punctuation, dashes for spaces. */
function anchorsOf(markdown: string): string[] {
  return [...withoutCode(markdown).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").trim().replace(/\s/g, "-")
  );
}

function withoutCode(markdown: string): string {
  return markdown.replace(/^```.*?^```$/gms, "");
}
