/** The README's example, run against the real stack, and the commands that the documents name. */
import { assert, assertEquals } from "@std/assert";
import { join, toFileUrl } from "@std/path";
import { importer } from "../helpers/imports.ts";
import { testStack } from "../helpers/stack.ts";
import { documents, PROJECT_DIR, read } from "./_project_files.ts";

Deno.test("README.md shows an import from an app that runs", async () => {
  await using lab = await importer(await testStack(), { drawings: ["ISO-1"] });
  const { url, publishableKey } = lab.stack;
  const readme = await read("README.md");
  const [, example] = /^```ts\n(.*?)^```$/ms.exec(readme)!;
  const program = `
    import { createClient } from "@supabase/supabase-js";
    const supabase = createClient("${url}", "${publishableKey}", {
      accessToken: () => Promise.resolve("${lab.person.accessToken}"),
    });
    const projectId = "${lab.projectId}";
    const file = new File(["Tag,Type,Drawing\\nSP-1,spool,ISO-1\\nSP-2,spool,ISO-2\\n"], "components.csv");
    const showProgress = (_progress: { percent: number | null }) => {};
    const offerDownload = async (problems: Blob | null) => console.error(await problems?.text());
    ${example}
    console.log(JSON.stringify(committed.result));
    Deno.exit(0);`;
  const dir = await Deno.makeTempDir({ prefix: "longshore_docs_" });
  const path = join(dir, "example.ts");
  await Deno.writeTextFile(
    path,
    program.replace("./shared/client/mod.ts", toFileUrl(join(PROJECT_DIR, "shared/client/mod.ts")).href),
  );
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--check", "--config", join(PROJECT_DIR, "deno.json"), path],
    stdin: "null",
  }).output();
  await Deno.remove(dir, { recursive: true });
  const shown = new TextDecoder().decode(stderr);
  assert(success, shown);
  assert(shown.includes('unknown_reference,"Drawing ""ISO-2"" was not found'), shown);
  assertEquals(
    JSON.parse(new TextDecoder().decode(stdout)),
    { inserted: 1, updated: 0, unchanged: 0, skipped: 1, failed: 0 },
  );
});

Deno.test("The documents name only commands that there are", async () => {
  const { tasks } = JSON.parse(await read("deno.json"));
  for (const document of await documents()) {
    for (const [, task] of (await read(document)).matchAll(/(?:deno|deno@[\d.]+) task ([\w-]+)/g)) {
      assert(task! in tasks, `${document} names "deno task ${task}", which deno.json has not`);
    }
  }
});
